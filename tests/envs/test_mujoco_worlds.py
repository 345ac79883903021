"""Worlds of MuJoCo: the rules that every world keeps, names, seeds, ends, states that are kept, ways through mazes."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs.mujoco import MAZES, METAWORLD_TASKS
from potentia.testing import check_env

pytest.importorskip("metaworld")
pytest.importorskip("gymnasium_robotics")

TASKS = ("drawer-open", "window-close")
IDS = ("potentia/PointMaze-UMaze-v0", "potentia/AntMaze-Medium-v0")


def scripted(task: str) -> Any:
    from metaworld.policies import ENV_POLICY_MAP

    policy = ENV_POLICY_MAP[f"{task}-v3"]()

    def act(env: Any, obs: Any, info: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.clip(policy.get_action(obs), -1.0, 1.0).astype(np.float32)

    return act


def make(task: str, **kwargs: Any) -> Any:
    return gym.make(f"potentia/MetaWorld-{task}-v0", **kwargs).unwrapped


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("task", TASKS)
def test_tasks_keep_the_rules(task: str) -> None:
    untried = check_env(f"potentia/MetaWorld-{task}-v0", episodes=1, max_steps=100, solution=scripted(task))
    assert untried == frozenset()


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("name", IDS)
def test_mazes_keep_the_rules(name: str) -> None:
    check_env(name, episodes=1, max_steps=100)


def test_the_names_are_those_of_the_packages() -> None:
    from gymnasium_robotics.envs.maze import maps
    from metaworld.env_dict import ALL_V3_ENVIRONMENTS

    assert sorted(f"{task}-v3" for task in METAWORLD_TASKS) == sorted(ALL_V3_ENVIRONMENTS)
    for name, _, _ in MAZES.values():
        assert isinstance(getattr(maps, name), list)


def test_registering_imports_no_engine() -> None:
    code = (
        "import sys, potentia, gymnasium;"
        "assert 'potentia/MetaWorld-drawer-open-v0' in gymnasium.registry;"
        "assert 'potentia/AntMaze-Large-v0' in gymnasium.registry;"
        "heavy = {'mujoco', 'metaworld', 'gymnasium_robotics'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(("name", "extra"), [("MetaWorld-reach", "metaworld"), ("PointMaze-UMaze", "robotics")])
def test_a_missing_package_is_named_with_its_extra(name: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [*sys.modules]:
        if module.split(".")[0] in ("metaworld", "gymnasium_robotics"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "metaworld", None)
    monkeypatch.setitem(sys.modules, "gymnasium_robotics", None)
    with pytest.raises(ImportError, match=rf'pip install "potentia\[{extra}\]"'):
        gym.make(f"potentia/{name}-v0")


def test_what_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match="task must be among"):
        gym.make("potentia/MetaWorld-reach-v0", task="fly")
    with pytest.raises(ValueError, match="maze must be among"):
        gym.make("potentia/PointMaze-UMaze-v0", maze="Labyrinth")
    with pytest.raises(ValueError, match="max_steps must be a number of steps for a maze of one's own"):
        gym.make("potentia/PointMaze-UMaze-v0", maze=[[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]])
    env = make("reach")
    with pytest.raises(gym.error.ResetNeeded):
        env.step(np.zeros(4))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"an action must be finite, of shape \(4,\)"):
        env.step(np.array([np.nan, 0.0, 0.0, 0.0]))


def test_the_first_observation_shows_the_objects_where_they_are() -> None:
    """The package shows them where they stood before the reset moved them: 0.1 m and more away here."""
    env = make("drawer-open")
    obs, _ = env.reset(seed=0)
    after, *_ = env.step(np.zeros(4, np.float32))
    np.testing.assert_allclose(obs[4:7], after[4:7], atol=1e-3)
    np.testing.assert_array_equal(obs[:18], obs[18:36])
    other, _ = env.reset(seed=1)
    assert np.linalg.norm(other[36:] - obs[36:]) > 0.01


def test_a_seed_decides_an_episode_whatever_was_played_before() -> None:
    used, fresh = make("pick-place"), make("pick-place")
    used.reset(seed=5)
    actions = np.random.default_rng(0).uniform(-1, 1, (30, 4)).astype(np.float32)
    for action in actions:
        used.step(action)
    np.random.seed(1)  # noqa: NPY002 - what the package draws from unless it is told otherwise
    first = [used.reset(seed=9)[0], *(used.step(action)[0] for action in actions)]
    np.random.seed(2)  # noqa: NPY002
    second = [fresh.reset(seed=9)[0], *(fresh.step(action)[0] for action in actions)]
    np.testing.assert_array_equal(first, second)


def test_success_pays_once_and_ends_the_episode_on_request() -> None:
    act = scripted("drawer-open")
    for terminate in (True, False):
        env = make("drawer-open", max_steps=130, terminate_on_success=terminate, info_keys="all")
        obs, info = env.reset(seed=0)
        rewards, successes, done = [], [], False
        assert info["progress"] < 1.0
        while not done:
            obs, reward, terminated, truncated, info = env.step(act(env, obs, info))
            rewards.append(reward)
            successes.append(bool(info["success"]))
            assert info["progress"] == 1.0 or not info["success"]
            assert 0.0 <= info["dense"] <= 10.0
            done = terminated or truncated
        first = successes.index(True)
        assert sum(rewards) == rewards[first] == 1.0
        assert terminated is terminate
        assert len(rewards) == (first + 1 if terminate else 130)
        assert sum(successes) > 5 or terminate


def test_ways_through_a_maze_by_hand() -> None:
    from potentia.envs.mujoco.mazes import Ways

    rows = [[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]]
    ways = Ways(rows, 1.0)
    # From the lower left cell's centre (-1, -1) to the upper left's (-1, 1): two right, two up, two left.
    assert ways.length(np.array([-1.0, -1.0]), np.array([-1.0, 1.0])) == 6.0
    # A quarter before it in the same corridor it is a quarter less.
    assert ways.length(np.array([-0.75, -1.0]), np.array([-1.0, 1.0])) == 5.75
    # In a cell and in the one beside it ways are straight.
    assert ways.length(np.array([-1.0, -1.0]), np.array([0.0, -0.7])) == pytest.approx(math.hypot(1.0, 0.3))
    assert ways.longest == 7.0


def test_a_potential_along_the_way_leads_a_ball_to_the_goal() -> None:
    """Greedy steps that raise the potential, each tried on a state that is kept, reach every goal."""
    env = gym.make("potentia/PointMaze-UMaze-v0", info_keys="all").unwrapped
    reached = []
    for seed in range(3):
        _, info = env.reset(seed=seed)
        assert -1.0 <= info["potential"] < 0.0
        done = False
        while not done:
            saved, best = env.save(), (-2.0, np.zeros(2, np.float32))
            for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
                action = np.array([np.cos(angle), np.sin(angle)], np.float32)
                for _ in range(5):
                    _, _, terminated, truncated, tried = env.step(action)
                    if terminated or truncated:
                        break
                best = max(best, (float(tried["potential"]), action), key=lambda one: one[0])
                env.restore(saved)
            obs, reward, terminated, truncated, info = env.step(best[1])
            done = terminated or truncated
        assert reward == float(terminated)
        np.testing.assert_allclose(info["descriptor"], obs[:2])
        reached.append(terminated)
        assert info["progress"] == 1.0 or not terminated
    assert reached == [True] * 3
