"""DoorKey: a key, a locked door in a wall, and the goal behind it."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import DOOR, KEY, LOCKED, YELLOW, code
from potentia.envs.grid.levels.build import GOAL, WALL, at, fill, free_place, put_agent, room
from potentia.envs.grid.pcg64 import integers

_DOOR, _KEY = code(DOOR, YELLOW, LOCKED), code(KEY, YELLOW)


@njit
def door_key(cells, agent, rng, n, width, height, stride, _, __):  # type: ignore[no-untyped-def]
    """The wall, the agent, the door and the key are drawn, in this order."""
    room(cells, agent, n, width, height, stride)
    cells[n, at(width - 2, height - 2, stride)] = GOAL
    wall = integers(rng, n, 2, width - 2)
    fill(cells, n, wall, 0, 1, height, WALL, stride)
    put_agent(cells, agent, rng, n, 0, 0, wall, height, width, height, stride)
    cells[n, at(wall, integers(rng, n, 1, height - 2), stride)] = _DOOR
    cells[n, free_place(cells, agent, rng, n, 0, 0, wall, height, width, height, stride)] = _KEY
