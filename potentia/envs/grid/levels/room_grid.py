"""Rooms of one size side by side, with doors in the walls between them.

They are drawn as MiniGrid's RoomGrid draws them. Rooms are numbered row by row, and the walls of a room 0 right, 1
bottom, 2 left, 3 top. ``size`` is that of a room with its walls.
"""

from __future__ import annotations

from typing import Any

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED, EMPTY, KIND, LOCKED
from potentia.envs.grid.cells import WALL as _WALL
from potentia.envs.grid.levels.build import DOORS, at, clear, fill, frame, free_place, put_agent
from potentia.envs.grid.levels.level import Family, Level, Mission
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import MARGIN, POSITION, ahead_of

RIGHT, BOTTOM, LEFT, TOP = range(4)
_DOOR, _IS_THERE, _LOCKED, _REACHED = 0, 4, 8, 9
ROOM = 10
"""How many numbers of ``scratch`` tell of a room: where each door would be (0: no neighbour), whether each is there,
whether it was locked from this room, and whether it can be reached."""


@part
def columns_of(plan, size):  # type: ignore[no-untyped-def]
    """The number of rooms side by side."""
    return (plan.width - 1) // (size - 1)


@part
def rows_of(plan, size):  # type: ignore[no-untyped-def]
    """The number of rooms on top of each other."""
    return (plan.height - 1) // (size - 1)


@part
def _neighbour(columns, number, wall):  # type: ignore[no-untyped-def]
    """The number of the room behind a wall, where there are so many columns of rooms."""
    return number + (1, columns, -1, -columns)[wall]


@part
def draw_rooms(world, n, plan, size):  # type: ignore[no-untyped-def]
    """Draws the rooms, and where their doors will be. The agent stands in the middle."""
    rng, scratch = world.rng, world.scratch[n]
    columns, rows = columns_of(plan, size), rows_of(plan, size)
    clear(world, n, plan)
    scratch[: ROOM * columns * rows] = 0
    for j in range(rows):
        for i in range(columns):
            x, y, number = i * (size - 1), j * (size - 1), j * columns + i
            frame(world, n, plan, x, y, size, size)
            if i < columns - 1:
                place = at(x + size - 1, integers(rng, n, y + 1, y + size - 1), plan)
                scratch[ROOM * number + _DOOR + RIGHT] = scratch[ROOM * (number + 1) + _DOOR + LEFT] = place
            if j < rows - 1:
                place = at(integers(rng, n, x + 1, x + size - 1), y + size - 1, plan)
                scratch[ROOM * number + _DOOR + BOTTOM] = scratch[ROOM * (number + columns) + _DOOR + TOP] = place
    middle = at((columns // 2) * (size - 1) + size // 2, (rows // 2) * (size - 1) + size // 2, plan)
    world.agent[n, POSITION] = middle


@part
def add_door(world, n, plan, size, i, j, wall, color, locked):  # type: ignore[no-untyped-def]
    """A door in a wall of room (i, j), of a colour by its name's order. Returns where."""
    scratch, columns = world.scratch[n], columns_of(plan, size)
    number = j * columns + i
    scratch[ROOM * number + _LOCKED] = locked
    place = scratch[ROOM * number + _DOOR + wall]
    world.cells[n, place] = DOORS[LOCKED if locked else CLOSED, color]
    _connect(scratch, columns, number, wall)
    return place


@part
def remove_wall(world, n, plan, size, i, j, wall):  # type: ignore[no-untyped-def]
    """Takes away a wall of room (i, j), but not its ends."""
    columns = columns_of(plan, size)
    x, y = i * (size - 1), j * (size - 1)
    if wall == RIGHT or wall == LEFT:
        fill(world, n, plan, x + size - 1 if wall == RIGHT else x, y + 1, 1, size - 2, EMPTY)
    else:
        fill(world, n, plan, x + 1, y + size - 1 if wall == BOTTOM else y, size - 2, 1, EMPTY)
    _connect(world.scratch[n], columns, j * columns + i, wall)


@part
def _connect(scratch, columns, number, wall):  # type: ignore[no-untyped-def]
    scratch[ROOM * number + _IS_THERE + wall] = 1
    scratch[ROOM * _neighbour(columns, number, wall) + _IS_THERE + (wall + 2) % 4] = 1


@part
def put_in_room(world, n, plan, size, i, j, cell):  # type: ignore[no-untyped-def]
    """Puts something into room (i, j), not beside the agent or under it."""
    stride, here = plan.stride, world.agent[n, POSITION]
    while True:
        place = free_place(world, n, plan, i * (size - 1), j * (size - 1), size, size)
        if abs(place % stride - here % stride) + abs(place // stride - here // stride) >= 2:
            world.cells[n, place] = cell
            return place


@part
def put_agent_in_room(world, n, plan, size, i, j):  # type: ignore[no-untyped-def]
    """Puts the agent into room (i, j), with nothing or a wall in front of it."""
    while True:
        put_agent(world, n, plan, i * (size - 1), j * (size - 1), size, size)
        cell = world.cells[n, ahead_of(world, n, plan.stride)]
        if cell == EMPTY or KIND[cell] == _WALL:
            return


@part
def _all_reached(world, n, plan, size):  # type: ignore[no-untyped-def]
    """Whether a way leads from the agent's room to every other, through doors of any kind."""
    scratch = world.scratch[n]
    columns, rows = columns_of(plan, size), rows_of(plan, size)
    here = world.agent[n, POSITION]
    x, y = here % plan.stride - MARGIN, here // plan.stride - MARGIN
    for number in range(columns * rows):
        scratch[ROOM * number + _REACHED] = 0
    scratch[ROOM * ((y // (size - 1)) * columns + x // (size - 1)) + _REACHED] = 1
    count, grown = 1, True
    while grown:
        grown = False
        for number in range(columns * rows):
            for wall in range(4):
                if scratch[ROOM * number + _REACHED] and scratch[ROOM * number + _IS_THERE + wall]:
                    other = ROOM * _neighbour(columns, number, wall) + _REACHED
                    if not scratch[other]:
                        scratch[other] = 1
                        count += 1
                        grown = True
    return count == columns * rows


@part
def connect_all(world, n, plan, size):  # type: ignore[no-untyped-def]
    """Adds closed doors, but none to a room that was locked, until every room can be reached."""
    rng, scratch = world.rng, world.scratch[n]
    columns, rows = columns_of(plan, size), rows_of(plan, size)
    reached = _all_reached(world, n, plan, size)
    while not reached:
        i = integers(rng, n, 0, columns)
        j = integers(rng, n, 0, rows)
        wall = integers(rng, n, 0, 4)
        number = j * columns + i
        if scratch[ROOM * number + _DOOR + wall] == 0 or scratch[ROOM * number + _IS_THERE + wall]:
            continue
        if scratch[ROOM * number + _LOCKED] or scratch[ROOM * _neighbour(columns, number, wall) + _LOCKED]:
            continue
        add_door(world, n, plan, size, i, j, wall, integers(rng, n, 0, 6), False)
        reached = _all_reached(world, n, plan, size)


def level_of_rooms(
    family: Family, size: int, columns: int, rows: int, max_steps: int, mission: Mission, parameters: Any, **more: Any
) -> Level:
    """A level of so many rooms. ``more`` is what else `Level` takes."""
    width, height = (size - 1) * columns + 1, (size - 1) * rows + 1
    scratch_width = ROOM * columns * rows + 6
    return Level(family, width, height, max_steps, mission, parameters, scratch_width=scratch_width, **more)
