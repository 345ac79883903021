"""What levels are built with: walls, objects and places, drawn in MiniGrid's order."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import EMPTY, GREEN, GREY, code
from potentia.envs.grid.cells import GOAL as _GOAL
from potentia.envs.grid.cells import WALL as _WALL
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, STEPS

WALL = code(_WALL, GREY)
GOAL = code(_GOAL, GREEN)


@njit
def at(x, y, stride):  # type: ignore[no-untyped-def]
    """The index of a cell."""
    return (y + MARGIN) * stride + x + MARGIN


@njit
def clear(cells, agent, n, width, height, stride):  # type: ignore[no-untyped-def]
    """An empty grid within its margin of wall, and an agent that is nowhere."""
    cells[n, :] = WALL
    for y in range(height):
        for x in range(width):
            cells[n, at(x, y, stride)] = EMPTY
    agent[n, POSITION], agent[n, DIRECTION], agent[n, CARRIED], agent[n, STEPS] = -1, 0, 0, 0


@njit
def fill(cells, n, x, y, columns, rows, cell, stride):  # type: ignore[no-untyped-def]
    """Fills a rectangle."""
    for j in range(y, y + rows):
        for i in range(x, x + columns):
            cells[n, at(i, j, stride)] = cell


@njit
def frame(cells, n, x, y, columns, rows, stride):  # type: ignore[no-untyped-def]
    """Walls around a rectangle."""
    fill(cells, n, x, y, columns, 1, WALL, stride)
    fill(cells, n, x, y + rows - 1, columns, 1, WALL, stride)
    fill(cells, n, x, y, 1, rows, WALL, stride)
    fill(cells, n, x + columns - 1, y, 1, rows, WALL, stride)


@njit
def room(cells, agent, n, width, height, stride):  # type: ignore[no-untyped-def]
    """An empty room that fills the grid, and an agent that is nowhere."""
    clear(cells, agent, n, width, height, stride)
    frame(cells, n, 0, 0, width, height, stride)


@njit
def free_place(cells, agent, rng, n, x, y, columns, rows, width, height, stride):  # type: ignore[no-untyped-def]
    """The index of an empty cell without the agent, drawn from a rectangle until one is found."""
    x, y = max(x, 0), max(y, 0)
    while True:
        i = integers(rng, n, x, min(x + columns, width))
        j = integers(rng, n, y, min(y + rows, height))
        place = at(i, j, stride)
        if cells[n, place] == EMPTY and place != agent[n, POSITION]:
            return place


@njit
def put_agent(cells, agent, rng, n, x, y, columns, rows, width, height, stride):  # type: ignore[no-untyped-def]
    """Puts the agent somewhere in a rectangle, looking anywhere."""
    agent[n, POSITION] = free_place(cells, agent, rng, n, x, y, columns, rows, width, height, stride)
    agent[n, DIRECTION] = integers(rng, n, 0, 4)
