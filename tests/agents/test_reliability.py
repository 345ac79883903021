"""A short form of ``benchmarks/learners.py``: the defaults learn on every seed, not on some."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.agents import PPO, EnvCollector, Loop, PPOConfig, QLearning, QLearningConfig, evaluate


def envs_of(name: str, count: int, **kwargs: Any) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gym.make(name, **kwargs)] * count, autoreset_mode=AutoresetMode.SAME_STEP)


@pytest.mark.parametrize("seed", range(3))
def test_cart_pole_is_balanced_by_every_seed(seed: int) -> None:
    """For 203 to 500 steps. With ``shared=True`` these seeds come to 123, 95 and 103, a random policy to some 20."""
    envs = envs_of("CartPole-v1", 8)
    agent = PPO(envs.single_observation_space, envs.single_action_space, PPOConfig(learning_rate=2e-3), seed=seed)
    loop = Loop(EnvCollector(envs, 64, gamma=0.99), agent)
    loop.begin(seed)
    while loop.steps < 16_384:
        loop.iterate()
    assert np.mean(evaluate(lambda: envs_of("CartPole-v1", 8), agent, 16, seed=5).returns) > 150


@pytest.mark.parametrize("seed", range(3))
def test_a_table_crosses_the_frozen_lake(seed: int) -> None:
    envs = envs_of("FrozenLake-v1", 8, is_slippery=False)
    config = QLearningConfig(learning_rate=0.2, epsilon=0.3, initial=1.0)
    agent = QLearning(envs.single_observation_space, envs.single_action_space, config, seed=seed)
    loop = Loop(EnvCollector(envs, 16, gamma=0.95), agent)
    loop.begin(seed)
    for _ in range(60):
        loop.iterate()
    found = evaluate(lambda: envs_of("FrozenLake-v1", 8, is_slippery=False), agent, 8, seed=5, greedy=True)
    assert found.returns == [1.0] * 8
    assert found.lengths == [6] * 8
