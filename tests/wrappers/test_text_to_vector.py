"""Texts in observations as vectors: for any environment, ours or not."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.text import hashed_words
from potentia.wrappers import TextToVector


class Spoken(gym.Env[Any, Any]):
    """Says what was done last, inside a tuple inside a dict."""

    action_space = spaces.Discrete(2)

    def __init__(self) -> None:
        words = spaces.Text(10, min_length=0, charset="abcdefghijklmnopqrstuvwxyz ")
        self.observation_space = spaces.Dict({"pair": spaces.Tuple([words, spaces.Discrete(3)])})

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return {"pair": ("", 0)}, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return {"pair": (("left left", "right")[int(action)], 1)}, 0.0, False, False, {}


def test_a_text_is_a_bag_of_words_wherever_it_is() -> None:
    env = TextToVector(Spoken(), width=32)
    assert env.observation_space.contains(env.reset(seed=0)[0])
    observation, _ = env.reset(seed=0)
    assert not observation["pair"][0].any()
    said = env.step(0)[0]["pair"]
    np.testing.assert_array_equal(said[0], hashed_words("left", 32))  # a length of 1, however often a word is said
    assert said[1] == 1
    said[0][:] = 7.0  # what was handed out is not what is kept
    np.testing.assert_array_equal(env.step(0)[0]["pair"][0], hashed_words("left", 32))


def test_missions_of_minigrid_and_vectors_of_environments() -> None:
    minigrid = pytest.importorskip("minigrid.envs")
    env = TextToVector(minigrid.DoorKeyEnv(size=5), width=64)
    assert env.observation_space["mission"].shape == (64,)
    assert env.observation_space["image"] == env.env.observation_space["image"]
    vector = gym.make_vec("potentia/DoorKey-5x5-v0", 3, "sync", wrappers=[TextToVector], observation="dict")
    assert vector.reset(seed=0)[0]["mission"].shape == (3, 128)


def test_what_holds_no_text_is_refused_and_so_is_a_wrong_encoder() -> None:
    with pytest.raises(ValueError, match="there is no text in the observations"):
        TextToVector(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        TextToVector(Spoken(), width=0)
    with pytest.raises(ValueError, match=r"must give vectors of shape \(4,\), got \(3,\)"):
        TextToVector(Spoken(), width=4, encoder=lambda text, width: np.zeros(width - 1)).reset()
