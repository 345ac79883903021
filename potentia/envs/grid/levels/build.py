"""What levels are built with: walls, objects and places, drawn in MiniGrid's order."""

from __future__ import annotations

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import (
    BALL,
    BLUE,
    BOX,
    CLOSED,
    DOOR,
    EMPTY,
    GREEN,
    GREY,
    KEY,
    KIND,
    LOCKED,
    LOOK,
    OPEN,
    PURPLE,
    RED,
    YELLOW,
    code,
)  # fmt: skip
from potentia.envs.grid.cells import GOAL as _GOAL
from potentia.envs.grid.cells import WALL as _WALL
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, STEPS

COLORS = (BLUE, GREEN, GREY, PURPLE, RED, YELLOW)
"""In the order of their names, in which MiniGrid draws them."""
WALL = code(_WALL, GREY)
GOAL = code(_GOAL, GREEN)
DOORS = np.array([[code(DOOR, color, state) for color in COLORS] for state in (OPEN, CLOSED, LOCKED)], np.uint8)
"""By state and colour."""
THINGS = np.array([[code(kind, color) for color in COLORS] for kind in (KEY, BALL, BOX)], np.uint8)
"""By kind (key, ball, box) and colour."""
A_KEY, A_BALL, A_BOX = range(3)
_ENDLESS = 1 << 62


@part
def at(x, y, plan):  # type: ignore[no-untyped-def]
    """The index of a cell."""
    return (y + MARGIN) * plan.stride + x + MARGIN


@part
def clear(world, n, plan):  # type: ignore[no-untyped-def]
    """An empty grid within its margin of wall, and an agent that is nowhere."""
    world.cells[n, :] = WALL
    fill(world, n, plan, 0, 0, plan.width, plan.height, EMPTY)
    agent = world.agent
    agent[n, POSITION], agent[n, DIRECTION], agent[n, CARRIED], agent[n, STEPS] = -1, 0, 0, 0


@part
def fill(world, n, plan, x, y, columns, rows, cell):  # type: ignore[no-untyped-def]
    """Fills a rectangle."""
    for j in range(y, y + rows):
        for i in range(x, x + columns):
            world.cells[n, at(i, j, plan)] = cell


@part
def frame(world, n, plan, x, y, columns, rows):  # type: ignore[no-untyped-def]
    """Walls around a rectangle."""
    fill(world, n, plan, x, y, columns, 1, WALL)
    fill(world, n, plan, x, y + rows - 1, columns, 1, WALL)
    fill(world, n, plan, x, y, 1, rows, WALL)
    fill(world, n, plan, x + columns - 1, y, 1, rows, WALL)


@part
def room(world, n, plan):  # type: ignore[no-untyped-def]
    """An empty room that fills the grid, and an agent that is nowhere."""
    clear(world, n, plan)
    frame(world, n, plan, 0, 0, plan.width, plan.height)


@part
def free_place(world, n, plan, x, y, columns, rows, tries=_ENDLESS):  # type: ignore[no-untyped-def]
    """The index of an empty cell without the agent, drawn from a rectangle until one is found.

    It is -1 if ``tries`` draws found none.
    """
    x, y = max(x, 0), max(y, 0)
    for _ in range(tries):
        i = integers(world.rng, n, x, min(x + columns, plan.width))
        j = integers(world.rng, n, y, min(y + rows, plan.height))
        place = at(i, j, plan)
        if world.cells[n, place] == EMPTY and place != world.agent[n, POSITION]:
            return place
    return -1


@part
def put(world, n, plan, cell):  # type: ignore[no-untyped-def]
    """Puts something anywhere. Returns where."""
    place = free_place(world, n, plan, 0, 0, plan.width, plan.height)
    world.cells[n, place] = cell
    return place


@part
def put_agent(world, n, plan, x, y, columns, rows):  # type: ignore[no-untyped-def]
    """Puts the agent somewhere in a rectangle, looking anywhere."""
    world.agent[n, POSITION] = -1
    world.agent[n, POSITION] = free_place(world, n, plan, x, y, columns, rows)
    world.agent[n, DIRECTION] = integers(world.rng, n, 0, 4)


@part
def put_agent_anywhere(world, n, plan):  # type: ignore[no-untyped-def]
    """Puts the agent anywhere, looking anywhere."""
    put_agent(world, n, plan, 0, 0, plan.width, plan.height)


@part
def is_door(cell, state):  # type: ignore[no-untyped-def]
    """Whether a cell is a door in a state."""
    return KIND[cell] == DOOR and LOOK[cell] >> 16 & 0xFF == state


@part
def beside(place, other, plan):  # type: ignore[no-untyped-def]
    """Whether two cells are neighbours, not by a corner."""
    return abs(place - other) == 1 or abs(place - other) == plan.stride


@part
def near(place, other, plan):  # type: ignore[no-untyped-def]
    """Whether two cells are the same or neighbours, by a corner or not."""
    columns = abs(place % plan.stride - other % plan.stride)
    rows = abs(place // plan.stride - other // plan.stride)
    return columns <= 1 and rows <= 1


@part
def permute_colors(rng, n, colors):  # type: ignore[no-untyped-def]
    """Writes the six colours in any order, each drawn from those that are left, which keep theirs."""
    for k in range(6):
        colors[k] = k
    for k in range(6):
        chosen = k + integers(rng, n, 0, 6 - k)
        color = colors[chosen]
        for later in range(chosen, k, -1):
            colors[later] = colors[later - 1]
        colors[k] = color
