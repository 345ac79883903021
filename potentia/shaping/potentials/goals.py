"""How observations of goal-conditioned worlds are read: what was achieved, and what is desired."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from potentia.rollout import Rollout

ACHIEVED, DESIRED = "achieved_goal", "desired_goal"


def goal_pair(rollout: Rollout, prefix: str, achieved: str, desired: str, reader: str) -> tuple[Tensor, Tensor]:
    """What was achieved and what is desired in ``obs`` or ``next_obs``, ``(T, B, d)`` float64 each.

    Raises:
        TypeError: If observations are no dictionaries with these two keys.
    """
    obs = getattr(rollout, f"{prefix}obs")
    if not isinstance(obs, dict) or not {achieved, desired} <= obs.keys():
        got = sorted(obs) if isinstance(obs, dict) else type(obs).__name__
        raise TypeError(f"{reader} reads {achieved!r} and {desired!r} of dictionaries (Gymnasium's GoalEnv), got {got}")
    one, other = (_points(obs[key]) for key in (achieved, desired))
    if one.shape != other.shape:
        raise TypeError(
            f"{achieved!r} and {desired!r} must have one shape, got {tuple(one.shape)} and {tuple(other.shape)}"
        )
    return one, other


def goal_size(space: gym.Space[Any], achieved: str, reader: str) -> int:
    """The numbers of a goal. Raises ``TypeError`` if the space is no dictionary with it."""
    if not isinstance(space, spaces.Dict) or not isinstance(space.spaces.get(achieved), spaces.Box):
        raise TypeError(f"{reader} needs a Dict space with a Box {achieved!r}, as Gymnasium's GoalEnv has, got {space}")
    return math.prod(space[achieved].shape or ())


def _points(leaf: Any) -> Tensor:
    points = leaf.double() if isinstance(leaf, Tensor) else torch.from_numpy(np.asarray(leaf, np.float64))
    return points.reshape(*points.shape[:2], math.prod(points.shape[2:]))
