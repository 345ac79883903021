"""Stacks that spoil their shaping from outside, and those that don't."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import vector

from potentia.shaping import Count, PotentialShaping
from potentia.testing import check_stack
from potentia.wrappers import ShapeReward, ShapeVectorReward

TABLE = np.arange(16.0)


def lake() -> gym.Env[Any, Any]:
    return gym.make("FrozenLake-v1", is_slippery=False)


def shaped(**settings: Any) -> ShapeReward:
    return ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.9, **settings)


def many() -> ShapeVectorReward:
    return ShapeVectorReward(SyncVectorEnv([lake]), PotentialShaping(TABLE), gamma=0.9)


class Repeat(gym.Wrapper[Any, Any, Any, Any]):
    """Takes each action twice."""

    def step(self, action: Any) -> Any:
        self.env.step(action)
        return self.env.step(action)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: wrappers.ClipReward(shaped(), -1, 1), ["rescaled"]),
        (lambda: wrappers.NormalizeReward(shaped()), ["rescaled"]),
        (lambda: wrappers.TransformReward(shaped(), np.tanh), ["rescaled"]),
        (lambda: Repeat(shaped()), ["unknown"]),
        (lambda: wrappers.TimeLimit(shaped(truncation="terminal"), 9), ["limit"]),
        (lambda: wrappers.RecordEpisodeStatistics(shaped()), ["monitor"]),
        (lambda: SyncVectorEnv([lambda: wrappers.ClipReward(shaped(), -1, 1)] * 2), ["rescaled"]),
        (lambda: vector.NormalizeReward(many()), ["rescaled"]),
        (lambda: wrappers.ClipReward(ShapeReward(lake(), Count(), gamma=0.9), -1, 1), []),
        (lambda: wrappers.TimeLimit(wrappers.OrderEnforcing(shaped()), 9), []),
        (lambda: ShapeReward(wrappers.ClipReward(lake(), -1, 1), PotentialShaping(TABLE), gamma=0.9), ["changed"]),
        (lambda: wrappers.NormalizeReward(lake()), ["changed"]),
        (lambda: SyncVectorEnv([lambda: wrappers.TransformReward(lake(), np.tanh)] * 2), ["changed"]),
        (lake, []),
    ],
)
def test_what_stands_outside_is_found(make: Callable[[], Any], names: list[str]) -> None:
    assert [finding.name for finding in check_stack(make())] == names


def test_the_learner_is_compared() -> None:
    found = check_stack(shaped(), gamma=0.99, truncation="terminal")
    assert [finding.name for finding in found] == ["gamma", "truncation"]
    assert "was wrapped with gamma=0.9, the learner has 0.99" in found[0].message
    assert check_stack(shaped(), gamma=0.9, truncation="bootstrap") == []
