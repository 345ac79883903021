"""What `evaluate` takes for the true return, and what it refuses to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces, wrappers
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import vector

from potentia.agents.evaluate import evaluate
from potentia.agents.random_agent import RandomAgent
from potentia.collect import collect
from potentia.shaping import ClipReward, PotentialShaping
from potentia.wrappers import ShapeReward, ShapeVectorReward


class Three(gym.Env[Any, Any]):
    """Pays 3 for each of two steps."""

    observation_space, action_space = spaces.Discrete(3), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        return self.steps, 3.0, self.steps == 2, False, {}


class Sticky(gym.RewardWrapper[Any, Any]):
    """Somebody's own: a reward that remembers the last."""

    last = 0.0

    def reward(self, reward: Any) -> float:
        self.last = 0.5 * self.last + float(reward)
        return self.last


class Says(gym.Wrapper[Any, Any, Any, Any]):
    """Says what the reward inside of a wrapper was."""

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated, truncated, info | {"true_reward": 3.0}


class Repeat(gym.Wrapper[Any, Any, Any, Any]):
    """Sums the rewards of two steps, which changes no return."""

    def step(self, action: Any) -> Any:
        _, first, *_ = self.env.step(action)
        obs, second, *ends, info = self.env.step(action)
        return obs, float(first) + float(second), *ends, info


def many(wrap: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]], mode: AutoresetMode = AutoresetMode.NEXT_STEP) -> Any:
    return SyncVectorEnv([lambda: wrap(Three())] * 2, autoreset_mode=mode)


def clipped(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    return wrappers.ClipReward(env, -1, 1)


def returns(make: Callable[[], VectorEnv[Any, Any, Any]]) -> list[float]:
    return evaluate(make, RandomAgent(Three.observation_space, Three.action_space), 4, seed=0).returns


CHANGED: dict[str, tuple[Callable[[], Any], str]] = {
    "ClipReward": (lambda: many(clipped), "potentia.shaping.ClipReward"),
    "NormalizeReward": (lambda: many(wrappers.NormalizeReward), "potentia.shaping.NormalizeReward"),
    "TransformReward": (lambda: many(lambda env: wrappers.TransformReward(env, np.tanh)), "a shaper"),
    "Sticky": (lambda: many(lambda env: wrappers.TimeLimit(Sticky(Repeat(env)), 9)), "a shaper"),
    "vector": (lambda: vector.ClipReward(many(lambda env: env), -1, 1), "potentia.shaping.ClipReward"),
    "vector NormalizeReward": (
        lambda: vector.NormalizeReward(many(lambda env: env)),
        "potentia.shaping.NormalizeReward",
    ),
    "inside of a shaping": (
        lambda: ShapeVectorReward(many(clipped), ClipReward(), gamma=0.9),
        "potentia.shaping.ClipReward",
    ),
    "inside of each shaping": (
        lambda: many(lambda env: ShapeReward(clipped(env), PotentialShaping([0.0, 1.0, 0.0]), gamma=0.9)),
        "potentia.shaping.ClipReward",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_reward_is_not_reported_as_the_true_one(name: str) -> None:
    make, instead = CHANGED[name]
    with pytest.raises(ValueError, match=f"changes the reward, which evaluate takes .* put {instead} into"):
        returns(make)


def test_a_changed_reward_is_told_where_it_is_learned_from() -> None:
    agent = RandomAgent(Three.observation_space, Three.action_space)
    for name in ("ClipReward", "NormalizeReward", "TransformReward", "Sticky", "vector"):
        with pytest.warns(UserWarning, match="changes the reward, which collect takes"):
            collect(CHANGED[name][0](), agent, 2, gamma=0.9)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_what_leaves_the_return_as_it_is_or_says_the_true_one_is_evaluated(mode: AutoresetMode) -> None:
    shaper = PotentialShaping([0.0, 1.0, 0.0])
    for make in (
        lambda: many(lambda env: env, mode),
        lambda: many(Repeat, mode),
        lambda: many(lambda env: Says(clipped(env)), mode),
        lambda: many(lambda env: clipped(ShapeReward(env, shaper, gamma=0.9)), mode),
        lambda: ShapeVectorReward(many(lambda env: env, mode), ClipReward(), gamma=0.9),
    ):
        with warnings.catch_warnings(action="error"):
            assert returns(make) == [6.0] * 4
