"""A game's points placed on the turns that made them, so that no loss is worth more than a win."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper

_SUCCESS = "next_success"


class TurnCredit(Shaper):
    """``new - reward``: new is each turn's points over all points of a won episode, or over the most of a lost one.

    Wang and Ammanabrolu 2025, "A practitioner's guide to multi-turn agentic reinforcement learning", arXiv 2510.01132,
    the "dense" rewards: an episode of points d_k that is won pays d_k / (number of positive d), a lost one d_k / (the
    most that can be had). As released the second divisor is 1, so a
    loss of three points is worth more than a win. Here a win is worth exactly 1, by its positive points (by the last
    turn if it has none). A loss is worth its points over the most that any episode had. So it is never worth more than
    1, and points of any size will do. The term can change what is optimal: it says what the reward shall be.

    It reads the reward so far, and ``next_success``. It needs whole episodes.

    Args:
        most: The most points that an episode can have. None takes the most positive points that `update` ever saw, or
            an episode's own if they are more.
        name: The term's name.

    Raises:
        ValueError: If ``most`` is not positive.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> no, points = np.zeros((3, 2), bool), np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> last = np.array([[False], [False], [True]])
    >>> ends, won = last | no, last & np.array([True, False])
    >>> rollout = Rollout(
    ...     obs=points, action=points, next_obs=points, terms={"env": points}, discount=points * 0,
    ...     terminated=ends, truncated=no, info={"next_success": won})
    >>> TurnCredit(most=4.0).shape(rollout)[0].reward.T.tolist()  # a win of two points, and a loss of two out of four
    [[0.5, 0.0, 0.5], [0.25, 0.25, 0.0]]
    """

    saved = ("_seen",)

    def __init__(self, most: float | None = None, *, name: str | None = None) -> None:
        super().__init__(name)
        if most is not None and not most > 0:
            raise ValueError(f"most must be positive, got {most}")
        self.most, self._seen = most, 0.0
        reads = frozenset({"reward", "terminated", "truncated", f"info:{_SUCCESS}"})
        self.contract: Contract = Contract(reads=reads, scope="lifelong", needs_episodes=True, rescales=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = host_array(rollout.reward).astype(np.float64)
        success = host_array(info_column(rollout, _SUCCESS, self.name))
        new = np.zeros(reward.shape)
        for b, steps in _episodes(rollout):
            points = reward[steps, b]
            positive = np.maximum(points, 0.0)
            if not success[steps, b].any():
                new[steps, b] = points / (max(self.most or self._seen, positive.sum()) or 1.0)
            elif positive.any():
                new[steps, b] = positive / positive.sum()
            else:
                new[steps[-1], b] = 1.0
        return rollout.add(self.name, like_column(new - reward, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Notes the most positive points of an episode. Returns it as ``most``."""
        del policy
        if self.most is None:
            reward = host_array(rollout.terms["env"]).astype(np.float64)
            sums = (float(np.maximum(reward[steps, b], 0.0).sum()) for b, steps in _episodes(rollout))
            self._seen = max(self._seen, *sums, 0.0)
        return {"most": self.most or self._seen}


def _episodes(rollout: Rollout) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """Each environment's episodes: the indices of their unmasked steps."""
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    for b in range(rollout.num_envs):
        steps = np.flatnonzero(mask[:, b])
        for part in np.split(steps, np.flatnonzero(done[steps, b]) + 1):
            if len(part):
                yield b, part
