"""PPO learns in every kind of action space, and environments get actions that their space contains."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.agents import PPO, EnvCollector, Loop, PPOConfig, RandomAgent, evaluate
from potentia.trees import map_tree

# For each space, the share of what an action for the shown bit (0 or 1) has right.
WORLDS: dict[str, tuple[spaces.Space[Any], Any]] = {
    "bits": (spaces.MultiBinary(2), lambda a, bit: (a[0] == bit) * (a[1] != bit)),
    "integers": (spaces.Box(-1, 1, (2,), np.int16), lambda a, bit: (a[0] == 2 * bit - 1) * (a[1] == 1 - 2 * bit)),
    "a number of no shape": (spaces.Box(-2.0, 2.0, ()), lambda a, bit: (a > 0) == bit),
    "a number that can't vary": (
        spaces.Box(np.array([-1.0, 3.0]), np.array([1.0, 3.0]), dtype=np.float64),
        lambda a, bit: ((a[0] > 0) == bit) * (a[1] == 3),
    ),
    "a dictionary": (
        spaces.Dict({"key": spaces.Discrete(2, start=5), "tune": spaces.Box(-1.0, 1.0, (1,))}),
        lambda a, bit: (a["key"] - 5 == bit) * ((a["tune"][0] > 0) == bit),
    ),
    "a tuple": (
        spaces.Tuple((spaces.MultiDiscrete([2, 2]), spaces.MultiBinary(1))),
        lambda a, bit: (a[0][0] == bit) * (a[0][1] != bit) * (a[1][0] == bit),
    ),
}


class Shown(gym.Env[Any, Any]):
    """One step: a bit is shown, and the action must match it."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, name: str) -> None:
        self.action_space, self.right = WORLDS[name]

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.bit = int(self.np_random.integers(2))
        return np.array([2.0 * self.bit - 1], np.float32), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(map_tree(np.asarray, action)), action
        return np.zeros(1, np.float32), float(self.right(action, self.bit)), True, False, {}


@pytest.mark.parametrize("name", WORLDS)
def test_ppo_solves_a_world_of_each_kind(name: str) -> None:
    def envs() -> SyncVectorEnv:
        return SyncVectorEnv([lambda: Shown(name)] * 16, autoreset_mode=AutoresetMode.SAME_STEP)

    observations, actions = Shown.observation_space, WORLDS[name][0]
    agent = PPO(observations, actions, PPOConfig(learning_rate=1e-2, widths=(32,), n_epochs=8), seed=1)
    chance = np.mean(evaluate(envs, RandomAgent(observations, actions, seed=0), 400, seed=5).returns)
    assert chance < 0.65
    loop = Loop(EnvCollector(envs(), 16, gamma=0.9), agent)
    loop.begin(0)
    for _ in range(12):
        loop.iterate()
    assert np.mean(evaluate(envs, agent, 200, seed=5, greedy=True).returns) == 1.0
    assert all(torch.isfinite(weight).all() for weight in agent.network.parameters())
