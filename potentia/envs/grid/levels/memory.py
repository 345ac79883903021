"""Memory: a thing is shown at the start, and the same and another at the ends of a corridor."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import BALL, GREEN, KEY, code
from potentia.envs.grid.levels.build import WALL, at, fill, room
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import FAILURE, POSITION, SUCCESS

_KEY, _BALL = code(KEY, GREEN), code(BALL, GREEN)


@njit
def memory(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the corridor's length, the agent, the thing shown, and those at the ends.

    The task: the place beside the match, and the one beside the other.
    """
    any_length, cells, rng, task, width, height = (
        plan.first,
        world.cells,
        world.rng,
        world.task,
        plan.width,
        plan.height,
    )
    room(world, n, plan)
    middle = height // 2
    end = integers(rng, n, 4, width - 2) if any_length else width - 3
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


@njit
def judge_memory(world, n, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent stands beside the match; failure: beside the other."""
    here = world.agent[n, POSITION]
    if here == world.task[n, 0]:
        return SUCCESS
    return FAILURE if here == world.task[n, 1] else outcome
