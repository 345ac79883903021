"""Episodes made of what each step arrives at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from potentia.rollout import Rollout


def shown(arrivals: Sequence[Sequence[Any]], mask: Any = None, reward: Any = None, gamma: float = 0.9) -> Rollout:
    """A rollout with an episode in each column, of these ``next_obs``, filled up with masked steps. ``obs`` is 0.

    Each episode is terminated at its last step.
    """
    longest = max(map(len, arrivals))
    width = np.shape(arrivals[0][0]) or (1,)
    next_obs = np.full((longest, len(arrivals), *width), np.nan)
    live, ends = np.zeros((2, longest, len(arrivals)), bool)
    for b, episode in enumerate(arrivals):
        next_obs[: len(episode), b] = np.reshape(np.asarray(episode, float), (len(episode), *width))
        live[: len(episode), b] = True
        ends[len(episode) - 1, b] = True
    live = live if mask is None else np.asarray(mask, bool)
    zeros = np.zeros(live.shape)
    return Rollout(
        obs=np.zeros_like(next_obs),
        action=zeros,
        next_obs=next_obs,
        terms={"env": zeros if reward is None else np.asarray(reward, float)},
        discount=np.where(ends, 0.0, gamma),
        terminated=ends & live,
        truncated=ends & False,
        mask=live,
    )
