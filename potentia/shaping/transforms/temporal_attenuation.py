"""Rewards that count most in the middle of an episode."""

from __future__ import annotations

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper


class TemporalAttenuation(Shaper):
    """``(exp(-rate |f - centre F|) - 1) r``: the reward r of step f counts less the further it is from the middle.

    Yuan et al. 2024 (InstructVideo), arXiv 2312.12490, weights the frames of a video so, with the centre at F / 2. F is
    the number of the episode's steps, so whole episodes are needed.

    Args:
        rate: How fast it falls, a step.
        centre: Where it is 1, as a share of the episode.
        name: The term's name.

    Raises:
        ValueError: If the rate is negative.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, ends = np.zeros((3, 1)), np.array([[False], [False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros + 1.0}, discount=zeros, terminated=ends,
    ...     truncated=zeros > 0)
    >>> TemporalAttenuation(np.log(2.0), centre=0.0).shape(rollout)[0].reward[:, 0].round(3).tolist()
    [1.0, 0.5, 0.25]
    """

    def __init__(self, rate: float, centre: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name)
        check_at_least(0, rate=rate)
        self.rate, self.centre = float(rate), float(centre)
        self.contract: Contract = Contract(
            reads=frozenset({"reward", "terminated", "truncated"}), scope="episode", needs_episodes=True, rescales=True
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        mask, done = host_array(rollout.mask), host_array(rollout.done)
        place, length = np.zeros(mask.shape), np.zeros(mask.shape)
        for b in range(mask.shape[1]):
            begin = steps = 0
            for t in np.flatnonzero(mask[:, b]).tolist():
                begin = t if steps == 0 else begin
                place[t, b] = steps
                steps += 1
                if done[t, b]:
                    length[begin : t + 1, b], steps = steps, 0
            if steps:
                length[begin:, b] = steps
        weight = np.exp(-self.rate * np.abs(place - self.centre * length))
        reward = np.asarray(host_array(rollout.reward), np.float64)
        return rollout.add(self.name, like_column((weight - 1.0) * reward, rollout.discount)), carry
