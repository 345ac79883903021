"""Playground: nine rooms with doors and things, and no task."""

from __future__ import annotations

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED
from potentia.envs.grid.levels.build import DOORS, THINGS, WALL, at, fill, put, put_agent_anywhere, room
from potentia.envs.grid.levels.level import NO_AIM, Family, Level, at_least
from potentia.envs.grid.levels.unlock import MAZE_EVENTS
from potentia.envs.grid.pcg64 import integers

_THINGS = 12


@part
def draw_playground(world, n, plan, _):  # type: ignore[no-untyped-def]
    """Draws the doors room by room, the agent, and the things."""
    cells, rng = world.cells, world.rng
    across, down = plan.width // 3, plan.height // 3
    room(world, n, plan)
    for j in range(3):
        for i in range(3):
            left, top = i * across, j * down
            right, bottom = left + across, top + down
            if i < 2:
                fill(world, n, plan, right, top, 1, down, WALL)
                place = at(right, integers(rng, n, top + 1, bottom - 1), plan)
                cells[n, place] = DOORS[CLOSED, integers(rng, n, 0, 6)]
            if j < 2:
                fill(world, n, plan, left, bottom, across, 1, WALL)
                place = at(integers(rng, n, left + 1, right - 1), bottom, plan)
                cells[n, place] = DOORS[CLOSED, integers(rng, n, 0, 6)]
    put_agent_anywhere(world, n, plan)
    for _ in range(_THINGS):
        kind = integers(rng, n, 0, 3)
        put(world, n, plan, THINGS[kind, integers(rng, n, 0, 6)])


PLAYGROUND = Family("Playground", draw_playground, MAZE_EVENTS, NO_AIM)


def playground(size: int = 19) -> Level:
    """Nine rooms in a square of a size, with the walls around."""
    at_least(12, size=size)
    return Level(PLAYGROUND, size, size, 100, "")
