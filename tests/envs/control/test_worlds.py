"""What all control worlds share: the rules that every world keeps, for each of them and with other options."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.vector import AutoresetMode

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control import WORLDS
from potentia.testing import check_env
from potentia.testing.environment_episodes import equal

IDS = [f"{name}{form}" for name in WORLDS for form in ("", "Policies")]
OPTIONS = {"LineKeysPolicies": {"distractor": 0.0}}
"""A distractor pays whole episodes that never succeed, which the rules hold for a success that is not told."""


@pytest.mark.parametrize("name", IDS)
def test_keeps_every_rule(name: str) -> None:
    """Among them: the vector form equals the single one, number for number, in all autoreset modes."""
    check_env(lambda: gym.make(f"potentia/{name}-v0", **OPTIONS.get(name, {})), max_steps=150)


@pytest.mark.parametrize("name", IDS)
def test_keeps_every_rule_where_episodes_end(name: str) -> None:
    check_env(lambda: gym.make(f"potentia/{name}-v0", time_limit=9, **OPTIONS.get(name, {})), max_steps=30)


@pytest.mark.parametrize("name", IDS)
def test_many_worlds_on_all_cores_are_what_few_on_one_are(name: str) -> None:
    few, many = (
        gym.make_vec(f"potentia/{name}-v0", 7, info_keys="all", time_limit=20, parallel=p) for p in (False, True)
    )
    for envs in (few, many):
        envs.reset(seed=3)
    few.action_space.seed(0)
    for _ in range(50):
        actions = few.action_space.sample()
        assert equal(few.step(actions), many.step(actions))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
@pytest.mark.parametrize("name", IDS)
def test_a_copy_goes_on_equally(name: str, way: Any) -> None:
    envs = gym.make_vec(
        f"potentia/{name}-v0", 3, info_keys="all", time_limit=20, autoreset_mode=AutoresetMode.SAME_STEP
    )
    envs.reset(seed=3)
    other = way(envs)
    envs.action_space.seed(0)
    for _ in range(30):
        actions = envs.action_space.sample()
        assert equal(envs.step(actions), other.step(actions))
