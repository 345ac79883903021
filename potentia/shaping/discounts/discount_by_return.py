"""A horizon that grows with the return."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.gamma import check_gamma
from potentia.rollout import ENV, Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.shaper import Carry, Contract, Shaper


class DiscountByReturn(Shaper):
    """``discount = low + (high - low) * share``: share is how far the greatest true return is from worst to best.

    So whoever has learned the near part looks further. The return is the undiscounted sum of the term ``"env"`` of a
    whole episode, and share lies in [0, 1]. Gamma never falls, as the best return does not. That a horizon should grow
    while learning goes on is argued by Francois-Lavet, Fonteneau and Ernst 2015, arXiv 1512.02011, who let it grow with
    time. This rule is ours.

    Args:
        worst: The return at which gamma is ``low``, such as a random policy's.
        best: The return at which gamma is ``high``, such as the optimum.
        low: Gamma at first.
        high: Gamma at last.
        name: Its name. It adds no term.

    Raises:
        ValueError: If a gamma leaves [0, 1], or ``worst`` is not less than ``best``.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> ends = np.array([[True, True]])
    >>> rollout = Rollout(
    ...     obs=ends, action=ends, next_obs=ends, terms={"env": np.array([[2.0, 5.0]])}, discount=0.0 * ends,
    ...     terminated=ends, truncated=ends & False)
    >>> shaper = DiscountByReturn(worst=0.0, best=10.0, low=0.5, high=0.9)
    >>> shaper.update(rollout)  # 5 is half the way
    {'gamma': 0.7, 'return': 5.0}
    """

    saved = ("_most",)
    contract = Contract(
        reads=frozenset({"reward", "discount", "terminated", "truncated"}), scope="lifelong", needs_episodes=True,
        sets_discount=True,
    )  # fmt: skip

    def __init__(
        self, worst: float, best: float, low: float = 0.9, high: float = 0.99, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        if not worst < best:
            raise ValueError(f"worst must be less than best, got {worst} and {best}")
        check_gamma(low), check_gamma(high)
        self.worst, self.best, self.low, self.high = worst, best, low, high
        self._most = float(worst)

    @property
    def gamma(self) -> float:
        """Gamma now."""
        share = min((self._most - self.worst) / (self.best - self.worst), 1.0)
        return self.low + (self.high - self.low) * share

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        del policy
        episodes = Episodes.of(rollout)
        reward = host_array(rollout.terms[ENV])[episodes.steps.numpy(), episodes.envs.numpy()[:, None]]
        returns = np.where(episodes.mask.numpy(), reward, 0.0).sum(1)[episodes.ended.numpy()]
        self._most = max(self._most, float(returns.max(initial=self._most)))
        return {"gamma": self.gamma, "return": self._most}
