"""LavaGap and DistShift: lava between the agent and the goal."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import EMPTY, code
from potentia.envs.grid.cells import LAVA as _LAVA
from potentia.envs.grid.levels.build import GOAL, at, fill, room
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import POSITION

LAVA = code(_LAVA)


class Strips(NamedTuple):
    """In which row the second strip of lava lies."""

    second_row: int


@part
def draw_lava_gap(world, n, plan, _):  # type: ignore[no-untyped-def]
    """A wall of lava with one gap."""
    width, height = plan.width, plan.height
    room(world, n, plan)
    world.agent[n, POSITION] = at(1, 1, plan)
    world.cells[n, at(width - 2, height - 2, plan)] = GOAL
    x = integers(world.rng, n, 2, width - 2)
    y = integers(world.rng, n, 1, height - 1)
    fill(world, n, plan, x, 1, 1, height - 2, LAVA)
    world.cells[n, at(x, y, plan)] = EMPTY


@part
def draw_dist_shift(world, n, plan, strips):  # type: ignore[no-untyped-def]
    """Two strips of lava. Nothing is drawn."""
    width = plan.width
    room(world, n, plan)
    world.cells[n, at(width - 2, 1, plan)] = GOAL
    fill(world, n, plan, 3, 1, width - 6, 1, LAVA)
    fill(world, n, plan, 3, strips.second_row, width - 6, 1, LAVA)
    world.agent[n, POSITION] = at(1, 1, plan)


LAVA_GAP = Family("LavaGap", draw_lava_gap, ("reached_goal", "fell_into_lava"))
DIST_SHIFT = Family("DistShift", draw_dist_shift, ("reached_goal", "fell_into_lava"))


def lava_gap(size: int) -> Level:
    """A room of a size, with the walls around."""
    at_least(5, size=size)
    return Level(LAVA_GAP, size, size, 4 * size**2, "avoid the lava and get to the green goal square")


def dist_shift(strip2_row: int, width: int = 9, height: int = 7) -> Level:
    """A room whose second strip of lava lies in a row."""
    mission = "get to the green goal square"
    return Level(DIST_SHIFT, width, height, 4 * width * height, mission, Strips(strip2_row), see_through=True)
