"""Experts: each does its family's task, in vectors of every kind and in single environments; others are named."""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.demonstrations import check_spaces
from potentia.envs.exact.solve import return_within
from potentia.envs.experts import _FAMILIES, expert
from potentia.envs.world import World
from potentia.recording import record_demonstrations


def shown(envs: Any, episodes: int, **options: Any) -> tuple[float, Any]:
    """The share of successes in so many episodes, and these."""
    rollout, _ = record_demonstrations(
        envs, episodes, gamma=0.99, seed=3, successful_only=False, columns=["next_success"], **options
    )
    check_spaces(rollout, envs.single_observation_space, envs.single_action_space)
    return float((rollout.info["next_success"].astype(bool) & rollout.mask).any(0).mean()), rollout


@pytest.mark.parametrize("mode", ["next_step", "same_step", "disabled"])
def test_grids_in_every_mode_take_the_fewest_actions(mode: str) -> None:
    modes = {mode.name.lower(): mode for mode in gym.vector.AutoresetMode}
    envs = gym.make_vec("potentia/DoorKey-5x5-v0", num_envs=4, autoreset_mode=modes[mode])
    actor = expert(envs)
    rollout, thrown = record_demonstrations(envs, 12, actor, gamma=0.99, seed=1, columns=["distance"])
    assert thrown == 0
    np.testing.assert_array_equal(rollout.info["distance"][0], rollout.mask.sum(0))


def test_grids_made_one_by_one() -> None:
    envs = gym.make_vec("potentia/DoorKey-5x5-v0", num_envs=3, vectorization_mode="sync")
    share, _ = shown(envs, 6)
    assert share == 1.0
    env = gym.make("potentia/DoorKey-5x5-v0")
    obs, _ = env.reset(seed=0)
    actor, terminated, steps = expert(env), False, 0
    while not terminated:
        obs, reward, terminated, _, _ = env.step(int(actor.act(obs[None], ())[0][0]))
        steps += 1
        assert steps < 40
    assert reward > 0.9


def test_an_enumerable_world_is_played_at_its_best() -> None:
    envs = gym.make_vec("potentia/DeepSea-v0", num_envs=2)
    _, rollout = shown(envs, 2)
    best = return_within(envs.unwrapped.model, envs.unwrapped.time_limit)
    np.testing.assert_allclose(rollout.reward.sum(0), best, atol=1e-9)


@pytest.mark.parametrize("form", ["text", "indexed"])
def test_text_worlds_follow_their_plan(form: str) -> None:
    envs = gym.make_vec("potentia/Household-v0", num_envs=2, form=form)
    share, rollout = shown(envs, 4)
    assert share == 1.0
    assert rollout.action.dtype == (object if form == "text" else np.int64)


def test_the_classes_that_have_an_expert_are_worlds() -> None:
    for place, (maker, _) in _FAMILIES.items():
        module, _, name = place.partition(":")
        assert issubclass(getattr(importlib.import_module(module), name), World)
        if "mujoco" not in maker:
            module, _, name = maker.partition(":")
            assert callable(getattr(importlib.import_module(module), name).act)


def test_worlds_without_an_expert_are_named_with_those_that_have_one() -> None:
    with pytest.raises(ValueError, match=r"no expert for CartPoleEnv; these have one: grids with a distance, exact"):
        expert(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match="in other processes here"):
        expert(gym.make_vec("CartPole-v1", 1, vectorization_mode="async", vector_kwargs={"context": "fork"}))


def test_control_worlds() -> None:
    share, _ = shown(gym.make_vec("potentia/SparseReacher-v0", num_envs=4), 8)
    assert share == 1.0


def test_mazes_and_tasks_of_mujoco() -> None:
    pytest.importorskip("metaworld")
    pytest.importorskip("gymnasium_robotics")
    for name in ("PointMaze-UMaze", "MetaWorld-drawer-open"):
        share, rollout = shown(gym.make_vec(f"potentia/{name}-v0", num_envs=2, max_steps=250), 2)
        assert share == 1.0
        np.testing.assert_array_equal(rollout.reward.sum(0), 1.0)
    with pytest.raises(ValueError, match="no expert for AntMaze"):
        expert(gym.make("potentia/AntMaze-UMaze-v0"))
