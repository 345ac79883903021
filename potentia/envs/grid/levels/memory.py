"""Memory: a thing is shown at the start, and the same and another at the ends of a corridor."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, GREEN, KEY, code
from potentia.envs.grid.levels.build import WALL, at, fill, room
from potentia.envs.grid.levels.level import STAND_THERE, Family, Level, at_least, odd
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import FAILURE, POSITION, SUCCESS, TAKE, TOGGLE

_KEY, _BALL = code(KEY, GREEN), code(BALL, GREEN)


class Corridor(NamedTuple):
    """Whether it is of any length, or as long as there is room for."""

    any_length: int


@part
def draw_memory(world, n, plan, corridor):  # type: ignore[no-untyped-def]
    """Draws the corridor's length, the agent, the thing shown, and those at the ends.

    The task: the place beside the match, and the one beside the other.
    """
    cells, rng, task, width, height = world.cells, world.rng, world.task, plan.width, plan.height
    room(world, n, plan)
    middle = height // 2
    end = integers(rng, n, 4, width - 2) if corridor.any_length else width - 3
    for y in (middle - 2, middle + 2):
        fill(world, n, plan, 1, y, 4, 1, WALL)
    for y in (middle - 1, middle + 1):
        cells[n, at(4, y, plan)] = WALL
        fill(world, n, plan, 5, y, end - 5, 1, WALL)
    for y in range(height):
        if y != middle:
            cells[n, at(end, y, plan)] = WALL
        cells[n, at(end + 2, y, plan)] = WALL
    world.agent[n, POSITION] = at(integers(rng, n, 1, end + 1), middle, plan)
    shown = _BALL if integers(rng, n, 0, 2) else _KEY
    cells[n, at(1, middle - 1, plan)] = shown
    above, below = (_KEY, _BALL) if integers(rng, n, 0, 2) else (_BALL, _KEY)
    cells[n, at(end + 1, middle - 2, plan)] = above
    cells[n, at(end + 1, middle + 2, plan)] = below
    upper, lower = at(end + 1, middle - 1, plan), at(end + 1, middle + 1, plan)
    task[n, 0], task[n, 1] = (upper, lower) if shown == above else (lower, upper)


@part
def toggle_instead_of_taking(world, n, plan, action):  # type: ignore[no-untyped-def]
    """As in MiniGrid, nothing can be taken here."""
    return TOGGLE if action == TAKE else action


@part
def judge_memory(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent stands beside the match. Failure: it stands beside the other."""
    here = world.agent[n, POSITION]
    if here == world.task[n, 0]:
        return SUCCESS
    return FAILURE if here == world.task[n, 1] else outcome


MEMORY = Family(
    "Memory", draw_memory, ("reached_match", "reached_mismatch"), STAND_THERE, prepare=toggle_instead_of_taking,
    judge=judge_memory,
)  # fmt: skip


def memory(size: int, random_length: bool = False) -> Level:
    """A room and a corridor in a square of a size, with the walls around."""
    at_least(7, size=size)
    odd(size=size)
    mission = "go to the matching object at the end of the hallway"
    return Level(MEMORY, size, size, 5 * size**2, mission, Corridor(int(random_length)))
