"""Demonstrations alone teach what exploration does not find."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from potentia.agents import PPO, PPOConfig, evaluate
from potentia.collect import collect_episodes
from potentia.recording import record_demonstrations
from potentia.shaping import Chain, HideReward, OptimalTransport, Shaper
from potentia.shaping.imitation import RandomFeatures

DEEP_SEA = "potentia/DeepSea-v0"


def true_return(shaper: Shaper, seed: int, rollouts: int = 25) -> float:
    """What PPO earns after so many rollouts of 16 episodes."""
    envs = gym.make_vec(DEEP_SEA, num_envs=8)
    agent = PPO(
        envs.single_observation_space, envs.single_action_space, PPOConfig(learning_rate=3e-3, n_minibatches=4),
        seed=seed,
    )  # fmt: skip
    for index in range(rollouts):
        rollout = collect_episodes(envs, agent, 16, gamma=0.99, seed=1000 * seed + index)
        shaped, _ = shaper.shape(rollout)
        agent.learn(shaped)
        shaper.update(rollout)
    envs.close()
    played = evaluate(lambda: gym.make_vec(DEEP_SEA, num_envs=4), agent, 20, seed=seed, greedy=True)
    return float(np.mean(played.returns))


@pytest.mark.parametrize("seed", [0, 1])
def test_transport_to_two_demonstrations_solves_deep_sea_without_its_reward(seed: int) -> None:
    # 1 for the one way of 10 steps to the right, each of which costs 0.001: 1 in 1024 episodes finds it by chance.
    shown, _ = record_demonstrations(DEEP_SEA, 2, gamma=0.99)
    space = gym.make(DEEP_SEA).observation_space
    codes = RandomFeatures(space, widths=())  # one-hot
    assert true_return(Chain(HideReward(), OptimalTransport(shown, encoder=codes)), seed) == pytest.approx(0.99)
    assert true_return(Chain(), seed) < 0.01
