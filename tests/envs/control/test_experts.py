"""The experts of the control worlds: how often each does the task, from observations alone."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control import WORLDS, ControlVectorEnv, find_rules
from potentia.envs.control.experts import ControlExpert
from potentia.envs.control.rules import Rules

AREAS = [(name, area.name) for name in WORLDS for area in find_rules(name).areas]


def play(
    world: str | Rules, num_envs: int, area: str | None = None, **options: object
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of N first episodes succeeded, and what it earned."""
    envs = ControlVectorEnv(world, num_envs, autoreset_mode="SameStep", parallel=False, **options)
    expert = ControlExpert([envs], area=area)
    obs, _ = envs.reset(seed=0)
    carry = expert.init(num_envs)
    done, success, earned = np.zeros(num_envs, bool), np.zeros(num_envs, bool), np.zeros(num_envs)
    while not done.all():
        action, carry = expert.act(obs, carry)
        assert envs.action_space.contains(action)
        obs, reward, terminated, truncated, info = envs.step(action)
        ends = ~done & (terminated | truncated)
        earned += np.where(done, 0.0, reward)
        if ends.any():
            success |= ends & info["final_info"]["success"]
        done |= ends
    return success, earned


@pytest.mark.parametrize(
    ("name", "rate"), [("SparseMountainCar", 1.0), ("SparseAcrobot", 0.98), ("SparseReacher", 1.0)]
)
def test_the_classics_are_solved(name: str, rate: float) -> None:
    """Of 512 episodes; the car's in at most 67 steps."""
    success, earned = play(name, 512)
    assert success.mean() >= rate
    np.testing.assert_array_equal(earned, success)


@pytest.mark.parametrize(("name", "area"), AREAS)
def test_every_area_is_reached(name: str, area: str) -> None:
    """Each area of the maze, the table and the arm, by 0.9 of its radius and more."""
    success, earned = play(name, 2, area)
    assert success.all()
    assert (earned > 0.9).all()


def test_goes_to_the_first_area_that_pays_and_ends_by_arriving() -> None:
    success, earned = play("RedundantArm", 2, areas=("high",), reward="arrival")
    assert success.all()
    np.testing.assert_array_equal(earned, 1.0)


def test_what_there_is_no_expert_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"area must be among \('large', 'small'\), got 'middle'"):
        ControlExpert([ControlVectorEnv("Curling", 1)], area="middle")
    with pytest.raises(ValueError, match="an expert acts step by step: make potentia/HardMaze-v0"):
        ControlExpert([gym.make("potentia/HardMazePolicies-v0")])
    with pytest.raises(ValueError, match="HardMaze has no area that pays"):
        ControlExpert([ControlVectorEnv("HardMaze", 1, areas=())])
