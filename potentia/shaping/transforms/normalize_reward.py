"""The reward divided by the scale of its returns: an edit that is a term, so the true reward stays in sight."""

from __future__ import annotations

from typing import Any

import torch

from potentia.arrays import array_namespace
from potentia.rollout import Rollout
from potentia.shaping._models.running import ForwardFilter, RunningMoments
from potentia.shaping.columns import reward_before
from potentia.shaping.shaper import Carry, Contract, Shaper


class NormalizeReward(Shaper):
    """``clip(reward / sigma, -clip, clip) - reward``: sigma is the standard deviation of the discounted return so far.

    The rule is that of Stable-Baselines3's ``VecNormalize``. The return is filtered forward in time, and its filter
    starts again from 0 after an episode's last reward is in it. No mean is subtracted: that would change what an
    episode's length is worth. sigma changes only in `update`, and before the first update nothing is scaled. Put it
    before a potential: a changing sigma would break its telescoping, and `Chain` refuses it.

    Args:
        clip: The greatest absolute value of the normalised reward.
        epsilon: Added to the variance.
        name: The term's name.

    Raises:
        ValueError: If ``clip`` or ``epsilon`` is not positive.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.array([[4.0], [8.0]])}, discount=np.full((2, 1), 0.5),
    ...     terminated=np.zeros((2, 1), bool), truncated=np.zeros((2, 1), bool))
    >>> shaper = NormalizeReward()
    >>> shaper.update(rollout)  # filtered returns 4 and 0.5 * 4 + 8 = 10: their standard deviation is 3
    {'sigma': 3.0...}
    >>> shaper.shape(rollout)[0].reward[:, 0].round(3).tolist()
    [1.333, 2.667]
    """

    saved = ("_moments", "_filter", "_sigma")
    contract = Contract(
        reads=frozenset({"reward", "discount", "terminated", "truncated"}), scope="lifelong", rescales=True
    )

    def __init__(self, clip: float = 10.0, epsilon: float = 1e-8, name: str | None = None) -> None:
        super().__init__(name)
        if clip <= 0 or epsilon <= 0:
            raise ValueError(f"clip and epsilon must be positive, got clip={clip}, epsilon={epsilon}")
        self.clip, self.epsilon = float(clip), float(epsilon)
        self._moments, self._filter = RunningMoments(), ForwardFilter()
        self._sigma = 1.0

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = rollout.reward
        scaled = array_namespace(reward).clip(reward / self._sigma, -self.clip, self.clip)
        return rollout.add(self.name, scaled - reward), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Filters the rewards that this shaper was given forward in time and updates sigma."""
        del policy
        reward = reward_before(rollout, self.name)
        mask, done, discount = (
            torch.as_tensor(array).cpu() for array in (rollout.mask, rollout.done, rollout.discount)
        )
        decay = torch.where(done, 0.0, discount.to(torch.float64))
        self._moments.update(self._filter.run(reward, decay, mask).ravel(), mask.ravel())
        if self._moments.count:
            self._sigma = float((self._moments.var + self.epsilon).sqrt())
        return {"sigma": self._sigma}
