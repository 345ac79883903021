"""Distances by a search over states: beside those that know their levels, by brute force over MiniGrid, by Bellman."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minigrid")

from potentia.envs.grid import LEVELS, GridEnv, GridVectorEnv, GridWorlds, find_level, state_search
from potentia.envs.grid.levels.level import SEARCHED, Level
from potentia.envs.grid.loops import DISABLED
from tests.envs.grid.minigrid_ids import minigrid_id
from tests.envs.grid.test_distances import brute_force, successors

CARRYING = ("GoToObject-6x6-N2", "PutNear-6x6-N2", "PutNear-8x8-N3", "ObstructedMaze-1Dl", "ObstructedMaze-1Dlh")


def searched(level: Level) -> Level:
    """The same level as if nothing were known of it but its rules."""
    return replace(level, family=replace(level.family, aim=SEARCHED))


@pytest.mark.parametrize(
    "name", ["DoorKey-6x6", "UnlockPickup", "KeyCorridorS3R1", "MultiRoom-N2-S4", "RedBlueDoors-6x6", "Fetch-5x5-N2",
             "GoToDoor-5x5", "MemoryS7", "LavaCrossingS9N1"]
)  # fmt: skip
def test_it_finds_what_is_known_of_a_level(name: str) -> None:
    known, found = (GridWorlds(level, 2, DISABLED, measured=True) for level in (LEVELS[name], searched(LEVELS[name])))
    for worlds in (known, found):
        for n in range(2):
            worlds.seed(n, n)
        worlds.reset()
    rng, compared = np.random.default_rng(0), 0
    for _ in range(60):
        np.testing.assert_array_equal(found.description.distance, known.description.distance)
        compared += 1
        actions = rng.choice([0, 1, 2, 2, 3, 4, 5], 2)
        known.step(actions)
        found.step(actions)
        if (known.out.waiting).all():
            break
    assert compared > 2


@pytest.mark.filterwarnings("ignore:.*is out of date")
@pytest.mark.parametrize(("name", "seeds"), [("GoToObject-6x6-N2", 3), ("PutNear-6x6-N2", 4)])
def test_brute_force_over_minigrids_own_games_agrees(name: str, seeds: int) -> None:
    checked = 0
    for seed in range(seeds):
        env, game = GridEnv(name, info_keys=("distance",)), gym.make(minigrid_id(name)).unwrapped
        _, info = env.reset(seed=seed)
        game.reset(seed=seed)
        rng = np.random.default_rng(seed)
        for _ in range(3):
            wanted = brute_force(game, most_states=3_000)
            if wanted is not None:
                assert info["distance"] == wanted, game.pprint_grid()
                checked += 1
            action = int(rng.choice([0, 1, 2, 3]))
            _, _, terminated, _, info = env.step(action)
            game.step(action)
            if terminated:
                break
    assert checked >= seeds


def breadth_first(env: GridEnv, most: int) -> float:
    """The fewest actions to success over save and restore; -1: no way."""
    seen, frontier, depth = {int(env._info()["state_hash"])}, [env.save()], 0
    while frontier:
        depth, following = depth + 1, []
        for saved in frontier:
            for action in range(env.action_space.n):
                env.restore(saved)
                _, reward, terminated, _, info = env.step(action)
                if terminated and reward > 0:
                    return depth
                if not terminated and int(info["state_hash"]) not in seen:
                    seen.add(int(info["state_hash"]))
                    following.append(env.save())
        assert len(seen) < most
        frontier = following
    return -1.0


@pytest.mark.parametrize(
    ("level", "seeds"),
    [(find_level("BlockedUnlockPickup", room_size=4), 2), (LEVELS["ObstructedMaze-1Dl"], 1)],
    ids=["BlockedUnlockPickup", "ObstructedMaze-1Dl"],
)
def test_brute_force_over_save_and_restore_agrees(level: Level, seeds: int) -> None:
    env = GridEnv(level, info_keys=("distance", "state_hash"))
    for seed in range(seeds):
        _, info = env.reset(seed=seed)
        for action in (2, 3, 0, 4):
            start = env.save()
            assert info["distance"] == breadth_first(env, 40_000)
            env.restore(start)
            *_, info = env.step(action)


@pytest.mark.parametrize("name", CARRYING)
def test_distance_satisfies_bellmans_equation(name: str) -> None:
    """d(s) = 1 + min over actions of d(s'): given d = 0 at success, only the true distance does."""
    env, checked = GridEnv(name, info_keys=("distance", "success")), 0
    rng = np.random.default_rng(0)
    for seed in range(3):
        _, info = env.reset(seed=seed)
        for _ in range(25):
            best = 1 + min(successors(env))
            assert info["distance"] == (-1 if np.isinf(best) else best)
            checked += 1
            _, _, terminated, _, info = env.step(int(rng.choice([0, 1, 2, 3, 4])))
            if terminated:
                break
    assert checked > 6


@pytest.mark.parametrize("name", ["BlockedUnlockPickup", "ObstructedMaze-1Dlhb"])
def test_walking_down_the_distance_succeeds_in_exactly_so_many_steps(name: str) -> None:
    env = GridEnv(name, info_keys=("distance", "success"))
    _, info = env.reset(seed=3)
    for _ in range(int(info["distance"])):
        _, reward, terminated, _, info = env.step(int(np.argmin(successors(env))))
    assert info["success"]
    assert terminated
    assert reward > 0


def test_what_is_known_is_shared_by_worlds_and_forms() -> None:
    level = find_level("PutNear-6x6-N2", size=7)
    found = state_search.searched_distances(level)
    envs = GridVectorEnv(level, 3, info_keys=("distance",))
    _, info = envs.reset(seed=5)
    size = found.size
    assert size > 100
    for n in range(3):
        assert GridEnv(level, info_keys=("distance",)).reset(seed=5 + n)[1]["distance"] == info["distance"][n]
    assert found.size == size


def test_the_world_is_left_as_it_was() -> None:
    level = find_level("GoToObject-6x6-N2", size=7)
    plain, measured = GridWorlds(level, 2), GridWorlds(level, 2, measured=True)
    for worlds in (plain, measured):
        for n in range(2):
            worlds.seed(n, n)
        worlds.reset()
    for _ in range(5):
        for worlds in (plain, measured):
            worlds.step(np.array([2, 3]))
        for one, other in zip(plain.state[:4], measured.state[:4], strict=True):
            np.testing.assert_array_equal(one, other)


def test_too_many_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_search, "most_states", 5_000)
    level = find_level("GoToObject-6x6-N2", size=9)
    env = GridEnv(level, info_keys=("distance",))
    with pytest.raises(ValueError, match=r"GoToObject .* more than 5,000 can be reached .* leave out distance"):
        env.reset(seed=0)
    agent: Any = env.worlds.state.agent
    assert agent[0, 3] == 0  # the search left the world as it was
    GridEnv(level).reset(seed=0)


def test_a_larger_maze_has_no_distance() -> None:
    assert "distance" not in GridEnv("ObstructedMaze-2Dl").offered_keys
    assert "distance" in GridEnv("ObstructedMaze-1Dlhb").offered_keys
