"""The distances of the grid worlds: brute force over MiniGrid's own games, Bellman's equation, and walking them."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minigrid")

import minigrid  # noqa: F401 - registers the oracle

import potentia  # noqa: F401
from potentia.envs.grid import LEVELS, GridEnv, GridVectorEnv, GridWorlds
from potentia.envs.grid import worlds as grid_worlds
from potentia.envs.grid.cells import DOOR, KIND
from potentia.envs.grid.levels import find_level
from potentia.envs.grid.vector import keys_of
from potentia.envs.grid.ways import MOST_DOORS
from tests.envs.grid.minigrid_ids import minigrid_id

STILL = ("wall", "goal", "lava", "floor")


def clone(game: Any) -> Any:
    """A deep copy of a MiniGrid game that shares what never changes."""
    shared = [thing for thing in game.grid.grid if thing is not None and thing.type in STILL]
    shared += [game.observation_space, game.action_space, game.np_random]
    return copy.deepcopy(game, {id(thing): thing for thing in shared})


def fingerprint(game: Any) -> tuple[Any, ...]:
    """All that matters of a game for its future, read independently of the library."""
    load = None if game.carrying is None else (game.carrying.type, game.carrying.color)
    things = ((i, *t.encode()) for i, t in enumerate(game.grid.grid) if t is not None and t.type not in STILL)
    return (*(int(v) for v in game.agent_pos), int(game.agent_dir), load, tuple(things))


def brute_force(game: Any, most_states: int = 20_000) -> int | None:
    """Fewest actions to success, breadth first over real games; -1: no way, None: too many states."""
    start = clone(game)
    start.gen_obs = dict
    start.max_steps = 10**9
    seen, frontier, depth = {fingerprint(start)}, [start], 0
    while frontier:
        depth, following = depth + 1, []
        for state in frontier:
            for action in range(7):
                after = clone(state)
                _, reward, terminated, _, _ = after.step(action)
                if terminated and reward > 0:
                    return depth
                mark = fingerprint(after)
                if not terminated and mark not in seen:
                    seen.add(mark)
                    following.append(after)
        if len(seen) > most_states:
            return None
        frontier = following
    return -1


def wander(name: str, seed: int, steps: int, every: int) -> Any:
    """States of a random walk that often picks up, drops and toggles: the world, MiniGrid's game, the distance told."""
    env, game = GridEnv(name, info_keys=("distance",)), gym.make(minigrid_id(name)).unwrapped
    rng = np.random.default_rng(seed)
    _, info = env.reset(seed=seed)
    game.reset(seed=seed)
    for step in range(steps):
        if step % every == 0:
            yield env, game, info["distance"]
        action = int(rng.choice(6, p=[0.15, 0.15, 0.3, 0.15, 0.1, 0.15]))
        _, _, terminated, truncated, info = env.step(action)
        game.step(action)
        if terminated or truncated:
            return


@pytest.mark.parametrize(
    ("name", "seeds", "steps", "every"),
    [
        ("DoorKey-5x5", 4, 60, 12),
        ("KeyCorridorS3R1", 2, 200, 50),
        ("MultiRoom-N2-S4", 3, 30, 10),
        ("LavaGapS6", 3, 30, 10),
        ("RedBlueDoors-6x6", 3, 40, 20),
        ("Fetch-5x5-N2", 3, 20, 5),
        ("GoToDoor-5x5", 3, 20, 5),
        ("MemoryS7", 3, 20, 5),
    ],
)
def test_brute_force_over_real_games_agrees(name: str, seeds: int, steps: int, every: int) -> None:
    checked = 0
    for seed in range(seeds):
        for _, game, distance in wander(name, seed, steps, every):
            wanted = brute_force(game)
            if wanted is not None:
                assert distance == wanted, game.pprint_grid()
                checked += 1
    assert checked >= seeds


def successors(env: Any) -> list[float]:
    """The distances after each of the seven actions, inf where there is no way."""
    here, distances = env.save(), []
    for action in range(env.action_space.n):
        _, _, _, _, info = env.step(action)
        distances.append(np.inf if info["distance"] < 0 else info["distance"])
        env.restore(here)
    return distances


@pytest.mark.parametrize(
    ("name", "seeds"),
    [
        ("DoorKey-8x8", 6),
        ("LockedRoom", 2),
        ("UnlockPickup", 8),
        ("Unlock", 2),
        ("KeyCorridorS3R2", 8),
        ("KeyCorridorS3R3", 6),
        ("KeyCorridorS4R3", 1),
        ("MultiRoom-N4-S5", 2),
        ("LavaCrossingS9N2", 2),
        ("RedBlueDoors-6x6", 2),
    ],
)
def test_distance_satisfies_bellmans_equation(name: str, seeds: int) -> None:
    """d(s) = 1 + min over actions of d(s'): given d = 0 at success, only the true distance does."""
    checked = 0
    for seed in range(seeds):
        for env, game, distance in wander(name, seed + 100, steps=150, every=5):
            best = 1 + min(successors(env))
            assert distance == (-1 if np.isinf(best) else best), game.pprint_grid()
            checked += 1
    assert checked >= seeds


@pytest.mark.parametrize("name", ["DoorKey-8x8", "KeyCorridorS3R2", "LockedRoom", "MultiRoom-N4-S5", "UnlockPickup"])
def test_walking_down_the_distance_succeeds_in_exactly_so_many_steps(name: str) -> None:
    env = GridEnv(name, info_keys=("distance", "success"))
    _, info = env.reset(seed=7)
    for _ in range(int(info["distance"])):
        assert not info["success"]
        _, reward, terminated, _, info = env.step(int(np.argmin(successors(env))))
    assert info["success"]
    assert terminated
    assert reward > 0


@pytest.mark.parametrize("name", ["KeyCorridorS3R3", "LockedRoom", "MultiRoom-N6"])
def test_no_level_has_more_doors_than_ways_tell_apart(name: str) -> None:
    worlds = GridWorlds(LEVELS[name], 300)
    for n in range(300):
        worlds.seed(n, n)
    worlds.reset()
    assert (KIND[worlds.state.cells] == DOOR).sum(1).max() <= MOST_DOORS


def test_distance_by_hand() -> None:
    """Empty-8x8: from (1, 1) looking right to (6, 6): 5 forward, 1 turn, 5 forward = 11 actions."""
    env = gym.make("potentia/Empty-8x8-v0", info_keys="all")
    _, info = env.reset(seed=0)
    assert info["distance"] == 11.0
    assert info["potential"] == -11 / 64  # D = 4 * (8 + 8)
    _, _, _, _, info = env.step(0)  # turning left, away: one turn back
    assert info["distance"] == 12.0


def test_failure_is_unreachable_and_success_is_zero() -> None:
    env = gym.make("potentia/LavaGapS5-v0", info_keys="all").unwrapped
    rng = np.random.default_rng(0)
    seen = set()
    env.reset(seed=0)
    for _ in range(3000):
        _, reward, terminated, truncated, info = env.step(int(rng.integers(3)))
        if terminated:
            seen.add(bool(info["success"]))
            assert info["success"] == (reward > 0)
            assert (info["distance"], info["potential"]) == ((0.0, 0.0) if reward > 0 else (-1.0, -1.0))
            assert info["subgoals"] == {"reached_goal": reward > 0, "fell_into_lava": reward == 0}
        if terminated or truncated:
            env.reset()
    assert seen == {True, False}


@pytest.mark.parametrize("name", ["DoorKey-8x8", "KeyCorridorS3R3", "MultiRoom-N2-S4", "Dynamic-Obstacles-6x6"])
def test_what_is_kept_up_to_date_is_what_is_computed_anew(name: str) -> None:
    """Hash and distance after many steps, of many worlds on all cores, and after everything is read again."""
    worlds = GridWorlds(LEVELS[name], 130, described=True, measured=True)
    for n in range(130):
        worlds.seed(n, n)
    worlds.reset()
    rng = np.random.default_rng(0)
    for _ in range(60):
        worlds.step(rng.choice([0, 1, 2, 2] if name[0] == "D" else [0, 1, 2, 2, 3, 4, 5], 130))
    going = ~worlds.out.terminated
    kept = [part.copy() for part in worlds.description]
    worlds.refresh()
    for name_, old, new in zip(worlds.description._fields, kept, worlds.description, strict=True):
        if name_ not in {"events", "stale", "table"}:
            assert (old == new)[going].all(), name_


@pytest.mark.parametrize("name", ["DoorKey-6x6", "KeyCorridorS3R3", "UnlockPickup", "LockedRoom", "RedBlueDoors-6x6"])
@pytest.mark.parametrize("lack", ["nothing", "room", "rows"])
def test_ways_that_are_kept_are_those_that_are_found_anew(
    name: str, lack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doors opened and shut, the lock opened, the key taken and put elsewhere; 12 worlds take turns in one row."""
    monkeypatch.setattr(grid_worlds, "_ROOM", 1 if lack == "room" else 8)
    monkeypatch.setattr(grid_worlds, "_MOST_BYTES", 1 if lack == "rows" else 2**28)
    worlds = GridWorlds(LEVELS[name], 12, described=True, measured=True)
    for n in range(12):
        worlds.seed(n, n)
    worlds.reset()
    rng, seen = np.random.default_rng(0), set()
    for _ in range(80):
        saved, anew = worlds.save(), GridWorlds(LEVELS[name], 12, described=True, measured=True)
        anew.restore(saved)
        going = ~worlds.out.terminated
        np.testing.assert_array_equal(worlds.description.distance[going], anew.description.distance[going])
        seen.update(worlds.description.distance[going])
        for _ in range(5):
            worlds.step(rng.choice(6, 12, p=[0.15, 0.15, 0.3, 0.15, 0.1, 0.15]))
    assert len(seen) > 10


@pytest.mark.parametrize("level", ["DoorKey-5x5", "KeyCorridorS3R1", "Dynamic-Obstacles-5x5"])
def test_many_worlds_are_described_as_few_are(level: str) -> None:
    """150 worlds run in a parallel loop, 50 do not; and tables are computed anew only where cells have changed."""
    keys = tuple(key for key in keys_of(find_level(level)) if key != "caption")
    many = GridVectorEnv(level, 150, info_keys=keys)
    few = [GridVectorEnv(level, 50, info_keys=keys) for _ in range(3)]
    told = [many.reset(seed=7)[1]] + [envs.reset(seed=7 + 50 * i)[1] for i, envs in enumerate(few)]
    rng, over = np.random.default_rng(0), np.zeros(150, bool)
    for _ in range(60):
        for key in keys:
            for part in told[0][key] if key == "subgoals" else (None,):
                whole, *parts = (info[key] if part is None else info[key][part] for info in told)
                np.testing.assert_array_equal(whole, np.concatenate(parts), err_msg=f"{key} {part}")
        if "distance" in keys:
            assert not (many.worlds.description.stale & ~over).any()
        actions = rng.integers(0, many.single_action_space.n, 150)
        _, _, terminated, truncated, whole_info = many.step(actions)
        over = terminated | truncated
        told = [whole_info] + [e.step(actions[50 * i : 50 * i + 50])[4] for i, e in enumerate(few)]
