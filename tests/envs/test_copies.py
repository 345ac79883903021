"""A copy of a world goes on as the world does, or there is none. The web's are in tests/envs/web/test_copies.py."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.grid.torch_env import TorchGridVectorEnv

cloudpickle = pytest.importorskip("cloudpickle")
WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "cloudpickle": lambda env: cloudpickle.loads(cloudpickle.dumps(env)),
}
SINGLE = ["DoorKey-5x5", "Dynamic-Obstacles-Random-5x5", "PutNear-6x6-N2", "RandomMDP", "KeyRooms", "FrozenLake8x8"]


def plain(value: Any) -> Any:
    """A result as lists and numbers, which know whether they are equal."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return plain(value.tolist()) if isinstance(value, np.ndarray | torch.Tensor) else value


def assert_goes_on_equally(env: Any, way: Callable[[Any], Any], actions: Any) -> None:
    """The copy of the midst of a game is equal to it, and neither moves the other; a copy of the copy as well."""
    seen = set()
    for _ in range(3):
        first, disturber = way(env), way(env)
        for action in actions:
            disturber.step(disturber.action_space.sample())
            want = plain(env.step(action))
            assert plain(first.step(action)) == want
            seen.add(repr(want))
        assert plain(env.reset()) == plain(first.reset())
        env = first
    assert len(seen) > 3  # it is no frozen picture


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SINGLE)
def test_a_copy_of_a_world_goes_on_equally(name: str, way: str) -> None:
    env = gym.make(f"potentia/{name}-v0", info_keys="all", disable_env_checker=True)
    env.reset(seed=3)
    env.action_space.seed(0)
    actions = np.random.default_rng(1).integers(0, env.action_space.n, 6)
    assert_goes_on_equally(env.unwrapped, WAYS[way], actions)
    wrapped = WAYS[way](env)  # with Gymnasium's wrappers
    assert plain(wrapped.reset(seed=4)) == plain(env.reset(seed=4))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize(("name", "limit"), [("DoorKey-5x5", "max_steps"), ("RandomMDP", "time_limit")])
def test_a_copy_of_a_vector_goes_on_equally(name: str, limit: str, mode: AutoresetMode, way: str) -> None:
    options: dict[str, Any] = {"info_keys": "all", "autoreset_mode": mode, limit: 4}
    envs = gym.make_vec(f"potentia/{name}-v0", 3, vectorization_mode="vector_entry_point", **options)
    envs.reset(seed=3)
    actions = np.random.default_rng(1).integers(0, envs.single_action_space.n, (6, 3))
    assert_goes_on_equally(envs, WAYS[way], actions)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_many_worlds_without_autoreset_goes_on_equally(way: str) -> None:
    envs = gym.make_vec("potentia/Fetch-5x5-N2-v0", 200, autoreset_mode=AutoresetMode.DISABLED)
    envs.reset(seed=3)
    one, other = WAYS[way](envs), WAYS[way](envs)
    actions = np.random.default_rng(1).integers(0, 2, (4, 200))  # turns end nothing
    for action in actions:
        assert plain(one.step(action)) == plain(envs.step(action))
    assert plain(other.step(actions[0])) != plain(one.step(actions[0]))  # which stands where it was made


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_of_worlds_in_pytorch_goes_on_equally(way: str) -> None:
    envs = TorchGridVectorEnv("Dynamic-Obstacles-5x5", 3, pool=16, max_steps=4)
    envs.reset(seed=3)
    actions = torch.from_numpy(np.random.default_rng(1).integers(0, 3, (6, 3)))
    assert_goes_on_equally(envs, WAYS[way], actions)


@pytest.mark.parametrize("way", WAYS)
def test_a_world_in_other_peoples_memory_says_that_it_cannot_be_copied(way: str) -> None:
    pytest.importorskip("minihack")
    env = gym.make("potentia/MiniHack-Room-5x5-v0")
    with pytest.raises(TypeError, match="reset it with the same seed and repeat the actions"):
        WAYS[way](env)
