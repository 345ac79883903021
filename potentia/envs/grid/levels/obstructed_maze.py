"""ObstructedMaze: locked doors, balls before them, keys in boxes. The blue ball is behind one of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import BOX, GREY, KEY, code
from potentia.envs.grid.levels.build import A_BALL, A_KEY, COLORS, THINGS, permute_colors
from potentia.envs.grid.levels.level import NO_AIM, SEARCHED, Family, Level, pick_it_up
from potentia.envs.grid.levels.room_grid import (
    RIGHT,
    ROOM,
    add_door,
    columns_of,
    draw_rooms,
    level_of_rooms,
    put_agent_in_room,
    put_in_room,
    rows_of,
)  # fmt: skip
from potentia.envs.grid.levels.unlock import MAZE_EVENTS, judge_pick_up
from potentia.envs.grid.pcg64 import integers

_SIZE = 6
_BLUE, _GREEN = range(2)  # MiniGrid takes the first colours by name
_HIDDEN = np.array([code(BOX, GREY, 0, (KEY, color)) for color in COLORS], np.uint8)


class Maze(NamedTuple):
    """What is drawn.

    Attributes:
        quarters: In how many of the maze's four. The number 0 stands for two rooms with a door between them.
        start_right: Whether the agent starts in the room right of the middle.
        hide: Whether keys are in boxes.
        block: Whether balls block the doors.
        keys_last: Whether keys are put down when all doors of a quarter are there, which is how MiniGrid's second
            version avoids that a ball replaces a key.
    """

    quarters: int
    start_right: int
    hide: int
    block: int
    keys_last: int


@part
def _locked_door(world, n, plan, maze, i, j, wall, color):  # type: ignore[no-untyped-def]
    place = add_door(world, n, plan, _SIZE, i, j, wall, color, True)
    if maze.block:
        world.cells[n, place - (1, plan.stride, -1, -plan.stride)[wall]] = THINGS[A_BALL, _GREEN]


@part
def _key(world, n, plan, maze, i, j, color):  # type: ignore[no-untyped-def]
    put_in_room(world, n, plan, _SIZE, i, j, _HIDDEN[color] if maze.hide else THINGS[A_KEY, color])


@part
def draw_obstructed_maze(world, n, plan, maze):  # type: ignore[no-untyped-def]
    """Draws the doors' colours and what is in each quarter of the maze, or in its two rooms.

    Ball and agent are drawn after that. The task: the blue ball's code.
    """
    rng = world.rng
    draw_rooms(world, n, plan, _SIZE)
    colors = world.scratch[n, ROOM * columns_of(plan, _SIZE) * rows_of(plan, _SIZE) :]
    permute_colors(rng, n, colors)
    world.task[n, 0] = THINGS[A_BALL, _BLUE]
    if maze.quarters == 0:
        _locked_door(world, n, plan, maze, 0, 0, RIGHT, colors[0])
        _key(world, n, plan, maze, 0, 0, colors[0])
        put_in_room(world, n, plan, _SIZE, 1, 0, world.task[n, 0])
        put_agent_in_room(world, n, plan, _SIZE, 0, 0)
        return
    for q in range(maze.quarters):
        i, j = (2, 1, 0, 1)[q], (1, 2, 1, 0)[q]
        add_door(world, n, plan, _SIZE, 1, 1, q, colors[q], False)
        for turn in (-1, 1):
            color = colors[(q + turn) % 6]
            _locked_door(world, n, plan, maze, i, j, (q + turn) % 4, color)
            if not maze.keys_last:
                _key(world, n, plan, maze, i, j, color)
        if maze.keys_last:
            for turn in (-1, 1):
                _key(world, n, plan, maze, i, j, colors[(q + turn) % 6])
    corner = integers(rng, n, 0, maze.quarters)
    put_in_room(world, n, plan, _SIZE, (2, 2, 0, 0)[corner], (0, 2, 2, 0)[corner], world.task[n, 0])
    put_agent_in_room(world, n, plan, _SIZE, 2 if maze.start_right else 1, 1)


_EVENTS = (*MAZE_EVENTS, "picked_up_target")
ONE_DOOR = Family("ObstructedMaze", draw_obstructed_maze, _EVENTS, SEARCHED, judge=judge_pick_up)
QUARTERS = Family("ObstructedMaze", draw_obstructed_maze, _EVENTS, NO_AIM, judge=judge_pick_up)
"""With tens of millions of states and more, too many to search."""


def one_door(hide: bool = False, block: bool = False) -> Level:
    """Two rooms with a locked door between them."""
    maze = Maze(0, start_right=0, hide=int(hide), block=int(block), keys_last=0)
    return level_of_rooms(ONE_DOOR, _SIZE, 2, 1, 4 * 2 * _SIZE**2, pick_it_up, maze)


def quarters(
    number: int, visited: int, start_right: bool = False, hide: bool = False, block: bool = False,
    keys_last: bool = False,
) -> Level:  # fmt: skip
    """Nine rooms, with doors and keys in so many of the four quarters. ``visited`` rooms scale the time limit."""
    maze = Maze(number, int(start_right), int(hide), int(block), int(keys_last))
    return level_of_rooms(QUARTERS, _SIZE, 3, 3, 4 * visited * _SIZE**2, pick_it_up, maze)
