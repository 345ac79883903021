"""The fast view is MiniGrid's own, bit for bit."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minigrid")

from potentia.envs.minigrid.view import View

_GAMES = (
    "DoorKey-8x8-v0",
    "MultiRoom-N6-v0",
    "KeyCorridorS3R3-v0",
    "LavaCrossingS9N2-v0",
    "BlockedUnlockPickup-v0",
    "ObstructedMaze-Full-v1",
    "Empty-5x5-v0",
    "Dynamic-Obstacles-6x6-v0",
    "Playground-v0",
    "MemoryS13-v0",
)


@pytest.mark.parametrize("name", _GAMES)
def test_the_view_equals_minigrids_bit_for_bit(name: str) -> None:
    game = gym.make(f"MiniGrid-{name}", disable_env_checker=True).unwrapped
    view = View(game)
    game.action_space.seed(1)
    for seed in range(3):
        want, _ = game.reset(seed=seed)
        for _ in range(60):
            got = view()
            np.testing.assert_array_equal(got["image"], want["image"])
            assert got["image"].dtype == want["image"].dtype
            assert (got["direction"], got["mission"]) == (want["direction"], want["mission"])
            want, _, terminated, truncated, _ = game.step(game.action_space.sample())
            if terminated or truncated:
                want, _ = game.reset()


def test_each_view_is_a_new_writeable_array() -> None:
    game = gym.make("MiniGrid-Empty-5x5-v0", disable_env_checker=True).unwrapped
    game.reset(seed=0)
    view = View(game)
    first = view()["image"]
    first[:] = 0
    assert view()["image"].any()
