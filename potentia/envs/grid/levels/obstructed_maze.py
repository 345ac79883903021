"""ObstructedMaze: locked doors, balls before them, keys in boxes; the blue ball is behind one of them."""

from __future__ import annotations

import numpy as np
from numba import njit

from potentia.envs.grid.cells import BOX, GREY, KEY, code
from potentia.envs.grid.levels.build import A_BALL, A_KEY, COLORS, THINGS, permute_colors
from potentia.envs.grid.levels.room_grid import (
    RIGHT,
    ROOM,
    add_door,
    columns_of,
    put_agent_in_room,
    put_in_room,
    room_grid,
    rows_of,
)  # fmt: skip
from potentia.envs.grid.pcg64 import integers

_BLUE, _GREEN = range(2)  # MiniGrid takes the first colours by name
_HIDDEN = np.array([code(BOX, GREY, 0, (KEY, color)) for color in COLORS], np.uint8)
HIDE, BLOCK, KEYS_LAST, START_RIGHT = 1, 2, 4, 8
"""Flags: keys are in boxes; balls block the doors; keys are put down when all doors are there, which is how MiniGrid's
second version avoids that a ball replaces a key; the agent starts in the room right of the middle."""


@njit
def _locked_door(world, n, plan, i, j, wall, color):  # type: ignore[no-untyped-def]
    place = add_door(world, n, plan, i, j, wall, color, True)
    if plan.second & BLOCK:
        world.cells[n, place - (1, plan.stride, -1, -plan.stride)[wall]] = THINGS[A_BALL, _GREEN]


@njit
def _key(world, n, plan, i, j, color):  # type: ignore[no-untyped-def]
    put_in_room(world, n, plan, i, j, _HIDDEN[color] if plan.second & HIDE else THINGS[A_KEY, color])


@njit
def obstructed_maze(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the doors' colours and what is in each quarter of the maze, or in its two rooms; then ball and agent.

    The task: the blue ball's code.
    """
    flags, quarters, rng = plan.second, plan.third, world.rng
    room_grid(world, n, plan)
    colors = world.paper[n, ROOM * columns_of(plan) * rows_of(plan) :]
    permute_colors(rng, n, colors)
    world.task[n, 0] = THINGS[A_BALL, _BLUE]
    if quarters == 0:
        _locked_door(world, n, plan, 0, 0, RIGHT, colors[0])
        _key(world, n, plan, 0, 0, colors[0])
        put_in_room(world, n, plan, 1, 0, world.task[n, 0])
        put_agent_in_room(world, n, plan, 0, 0)
        return
    for q in range(quarters):
        i, j = (2, 1, 0, 1)[q], (1, 2, 1, 0)[q]
        add_door(world, n, plan, 1, 1, q, colors[q], False)
        for turn in (-1, 1):
            color = colors[(q + turn) % 6]
            _locked_door(world, n, plan, i, j, (q + turn) % 4, color)
            if not flags & KEYS_LAST:
                _key(world, n, plan, i, j, color)
        if flags & KEYS_LAST:
            for turn in (-1, 1):
                _key(world, n, plan, i, j, colors[(q + turn) % 6])
    corner = integers(rng, n, 0, quarters)
    put_in_room(world, n, plan, (2, 2, 0, 0)[corner], (0, 2, 2, 0)[corner], world.task[n, 0])
    put_agent_in_room(world, n, plan, 2 if flags & START_RIGHT else 1, 1)
