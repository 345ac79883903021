"""Episodes small enough to be worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.rollout import Rollout, discount_column

GAMMA = 0.99


def rollout(
    states: list[int],
    *,
    terminated: bool = False,
    truncated: bool = False,
    discount: float = GAMMA,
    rewards: Any = None,
) -> Rollout:
    """One episode through integer states, ``(T, 1)``."""
    steps = len(states) - 1
    ends = np.zeros((steps, 1), bool)
    ends[-1] = True
    over, cut = ends & terminated, ends & truncated
    reward = np.zeros((steps, 1)) if rewards is None else np.array(rewards, float)[:, None]
    return Rollout(
        obs=np.array(states[:-1])[:, None],
        action=np.zeros((steps, 1), int),
        next_obs=np.array(states[1:])[:, None],
        terms={"env": reward},
        discount=discount_column(discount, over, cut, reward),
        terminated=over,
        truncated=cut,
    )
