"""Shaping inside other on-policy models gives the advantages that a wrapper gives: the same first batch."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from potentia.agents.sb3 import ShapingCallback
from potentia.shaping import Chain, EpisodicCount, PotentialShaping, Scale
from potentia.wrappers import ShapeReward

contrib = pytest.importorskip("sb3_contrib")

GAMMA = 0.97


class Maskable(gym.Wrapper[Any, Any, Any, Any]):
    """A lake on which every action is allowed."""

    def action_masks(self) -> np.ndarray[Any, Any]:
        return np.ones(4, bool)


def lake() -> gym.Env[Any, Any]:
    lake = gym.make("FrozenLake-v1", is_slippery=True, max_episode_steps=7)
    return Maskable(gym.wrappers.TransformObservation(lake, one_hot, gym.spaces.Box(0.0, 1.0, (16,), np.float32)))


def one_hot(state: int) -> np.ndarray[Any, Any]:
    return np.eye(16, dtype=np.float32)[state]


def shaper() -> Chain:
    return Chain(PotentialShaping(lambda obs: obs @ np.arange(16.0)), Scale(EpisodicCount(), 0.3))


def first_batch(kind: Any, policy: str, wrapped: bool) -> Any:
    def make() -> gym.Env[Any, Any]:
        return ShapeReward(lake(), shaper(), gamma=GAMMA) if wrapped else lake()

    batch = {} if kind is A2C else {"batch_size": 36}
    model = kind(policy, DummyVecEnv([make] * 3), n_steps=24, gamma=GAMMA, gae_lambda=0.9, seed=0, **batch)
    model.train = lambda: None
    model.learn(72, callback=None if wrapped else ShapingCallback(shaper()))
    return model.rollout_buffer


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        (PPO, "MlpPolicy"),
        (A2C, "MlpPolicy"),
        (contrib.RecurrentPPO, "MlpLstmPolicy"),
        (contrib.MaskablePPO, "MlpPolicy"),
        (contrib.TRPO, "MlpPolicy"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_first_batch_is_the_wrappers(kind: Any, policy: str) -> None:
    inside, outside = first_batch(kind, policy, wrapped=False), first_batch(kind, policy, wrapped=True)
    np.testing.assert_array_equal(inside.actions, outside.actions)
    np.testing.assert_allclose(inside.rewards, outside.rewards, atol=1e-5)
    np.testing.assert_allclose(inside.advantages, outside.advantages, atol=1e-4)
    np.testing.assert_allclose(inside.returns, outside.returns, atol=1e-4)
