"""Hyperbolic discounting of an episode, as a discount that grows with the step."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.arrays import array_namespace
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper


class HyperbolicDiscount(Shaper):
    """``discount_t = (1 + k t) / (1 + k (t + 1))`` at step t of an episode: their product up to t is ``1 / (1 + k t)``.

    Fedus et al. 2019, "Hyperbolic discounting and learning over multiple horizons",
    arXiv 1902.06865, equation 4. So the return of a whole episode is discounted hyperbolically, exactly. It is the view
    from the start: an agent there, and one that looks back to the start, agree on what is best. The authors' agent
    discounts hyperbolically anew from each state, and may change its mind on the way. No discount column can say that,
    for it would have to depend on where the sum begins. It takes a value head for each of many gammas, whose weighted
    sum is ``1 / (1 + k t)``.

    Values depend on the step, which observations should therefore tell. A discount of 0 stays 0. `potentia.agents.SAC`
    needs ``discount="stored"``.

    Args:
        k: How fast the future fades. 0 is no discounting.
        name: Its name. It adds no term.

    Raises:
        ValueError: If k is negative.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> ends = np.array([[False], [False], [True]])
    >>> rollout = Rollout(
    ...     obs=ends, action=ends, next_obs=ends, terms={"env": np.zeros((3, 1))}, discount=np.where(ends, 0.0, 0.9),
    ...     terminated=ends, truncated=np.zeros((3, 1), bool))
    >>> HyperbolicDiscount(1.0).shape(rollout)[0].discount[:, 0].round(4).tolist()  # 1/2, 2/3, and an end
    [0.5, 0.6667, 0.0]
    """

    contract = Contract(reads=frozenset({"discount", "terminated", "truncated"}), scope="episode", sets_discount=True)

    def __init__(self, k: float = 0.01, name: str | None = None) -> None:
        super().__init__(name)
        check_at_least(0, k=k)
        self.k = k

    def init(self, num_envs: int) -> Carry:

        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        old = rollout.discount
        xp = array_namespace(old)
        if not rollout.num_steps:
            return rollout, carry
        zeros = xp.zeros_like(old[0])
        step: Any = zeros if isinstance(carry, tuple) else zeros + xp.asarray(carry, dtype=old.dtype)
        rows = []
        for t in range(rollout.num_steps):
            rows.append(step)
            step = xp.where(rollout.mask[t], xp.where(rollout.done[t], zeros, step + 1), step)
        steps = xp.stack(rows)
        found = (1 + self.k * steps) / (1 + self.k * (steps + 1))
        return rollout.with_discount(xp.where(old == 0, old, found)), step
