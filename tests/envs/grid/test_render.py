"""Pictures of the compiled worlds beside MiniGrid's: equal in every pixel."""

from __future__ import annotations

from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minigrid")

import minigrid  # noqa: F401 - registers the oracle
from minigrid.core import world_object as things

from potentia.envs.grid import LEVELS, GridWorlds, from_minigrid
from potentia.envs.grid.cells import GOAL, LAVA, LOOKS
from potentia.envs.grid.render import render_world

ACTIONS = [0, 1, 2, 2, 2, 2, 3, 4, 5, 5]
NAMES = [
    "DoorKey-8x8-v0",
    "MultiRoom-N4-S5-v1",
    "LavaCrossingS9N2-v0",
    "DistShift1-v0",
    "Dynamic-Obstacles-6x6-v0",
    "ObstructedMaze-1Dlhb-v0",
    "UnlockPickup-v0",
    "Fetch-8x8-N3-v0",
    "MemoryS7-v0",
    "RedBlueDoors-6x6-v0",
    "PutNear-8x8-N3-v0",
]


def all_equal(game: Any, worlds: GridWorlds, *sizes: int) -> bool:
    for size, highlight, agent_view in product(sizes, (True, False), (False, True)):
        want = game.get_frame(highlight, size, agent_view)
        got = render_world(worlds, 0, tile_size=size, highlight=highlight, agent_view=agent_view)
        if got.dtype != want.dtype or not np.array_equal(got, want):
            return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_every_pixel_is_minigrids_throughout_a_game(name: str) -> None:
    game: Any = gym.make(f"MiniGrid-{name}").unwrapped
    game.reset(seed=5)
    for x, y in ((1, 1), (2, 1), (1, 2)):
        if game.grid.get(x, y) is None:
            game.grid.set(x, y, things.Floor(("red", "purple", "grey")[x - y]))
    ours = from_minigrid(game)
    assert all_equal(game, ours.worlds, 32, 8)
    rng = np.random.default_rng(len(name))
    for step in range(40):
        action = int(rng.choice(ACTIONS[:6] if name.startswith("Dynamic") else ACTIONS))
        _, _, terminated, truncated, _ = game.step(action)
        ours.step(action)
        if step % 4 == 0 or terminated or truncated:
            assert all_equal(game, ours.worlds, 32, 8), step
        if terminated or truncated:
            game.reset()
            ours.reset()
            assert all_equal(game, ours.worlds, 32, 8), step


@pytest.mark.parametrize("see_through", [False, True])
@pytest.mark.parametrize("size", [1, 2, 25, np.int64(16)])  # at 2 the order of the means shows
def test_every_thing_is_drawn_as_minigrids_with_and_without_the_agent_on_it(size: int, see_through: bool) -> None:
    game: Any = gym.make("MiniGrid-Empty-16x16-v0").unwrapped
    game.see_through_walls = see_through
    game.reset(seed=0)
    looks = sorted({look for look in LOOKS if look[0] != LAVA or look[1] == 0})  # MiniGrid's lava has one colour
    for place, (kind, color, state) in enumerate(looks):
        thing = things.WorldObj.decode(kind, color, state)
        if kind == GOAL:
            thing.color = things.IDX_TO_COLOR[color]  # which decode forgets
        game.grid.set(1 + place % 14, 1 + place // 14, thing)
    for place in range(2, len(looks), 3):  # of the doors, on the open ones
        game.agent_pos, game.agent_dir = (1 + place % 14, 1 + place // 14), (place // 3 + 1) % 4
        game.carrying = [None, things.Key("purple"), things.Box("red", contains=things.Ball("blue"))][place % 5 % 3]
        assert all_equal(game, from_minigrid(game).worlds, size), place


def test_any_of_many_worlds_can_be_drawn() -> None:
    worlds = GridWorlds(LEVELS["FourRooms"], 3)
    for n in range(3):
        worlds.seed(n, 10 + n)
    with pytest.raises(RuntimeError, match=r"world 1 has no state yet: call reset\(\) first"):
        render_world(worlds, 1)
    worlds.reset()
    game: Any = gym.make("MiniGrid-FourRooms-v0").unwrapped
    for n in range(3):
        game.reset(seed=10 + n)
        got = render_world(worlds, n)
        assert got.shape == (19 * 32, 19 * 32, 3)
        assert np.array_equal(got, game.get_frame())


def test_a_picture_is_its_owners() -> None:
    worlds = GridWorlds(LEVELS["Empty-5x5"], 1)
    worlds.seed(0, 0)
    worlds.reset()
    first = render_world(worlds, 0)
    kept = first.copy()
    first[:] = 7
    assert np.array_equal(render_world(worlds, 0), kept)


@pytest.mark.parametrize("size", [0, -3, 8.0, "32", True, None])
def test_wrong_tile_sizes_are_refused(size: Any) -> None:
    worlds = GridWorlds(LEVELS["Empty-5x5"], 1)
    worlds.reset()
    with pytest.raises(ValueError, match=f"tile_size must be an integer of at least 1, got {size!r}"):
        render_world(worlds, 0, tile_size=size)
