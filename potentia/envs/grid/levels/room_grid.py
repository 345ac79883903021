"""Rooms of one size side by side, with doors in the walls between them; drawn as MiniGrid's RoomGrid draws them.

Rooms are numbered row by row, and the walls of a room 0 right, 1 bottom, 2 left, 3 top.
"""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import CLOSED, EMPTY, KIND, LOCKED
from potentia.envs.grid.cells import WALL as _WALL
from potentia.envs.grid.levels.build import DOORS, at, clear, fill, frame, free_place, put_agent
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import MARGIN, POSITION, ahead_of

RIGHT, BOTTOM, LEFT, TOP = range(4)
_DOOR, _IS_THERE, _LOCKED, _REACHED = 0, 4, 8, 9
ROOM = 10
"""Numbers on paper for a room: where each door would be (0: no neighbour), whether each is there, whether it was locked
from this room, and whether it can be reached."""


@njit
def columns_of(plan):  # type: ignore[no-untyped-def]
    """The number of rooms side by side; ``plan.first`` is their size with walls."""
    return (plan.width - 1) // (plan.first - 1)


@njit
def rows_of(plan):  # type: ignore[no-untyped-def]
    """The number of rooms on top of each other."""
    return (plan.height - 1) // (plan.first - 1)


@njit
def neighbour(plan, number, wall):  # type: ignore[no-untyped-def]
    """The number of the room behind a wall."""
    return number + (1, columns_of(plan), -1, -columns_of(plan))[wall]


@njit
def room_grid(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the rooms, and where their doors will be; the agent stands in the middle."""
    rng, paper, size = world.rng, world.paper[n], plan.first
    columns, rows = columns_of(plan), rows_of(plan)
    clear(world, n, plan)
    paper[: ROOM * columns * rows] = 0
    for j in range(rows):
        for i in range(columns):
            x, y, number = i * (size - 1), j * (size - 1), j * columns + i
            frame(world, n, plan, x, y, size, size)
            if i < columns - 1:
                place = at(x + size - 1, integers(rng, n, y + 1, y + size - 1), plan)
                paper[ROOM * number + _DOOR + RIGHT] = paper[ROOM * (number + 1) + _DOOR + LEFT] = place
            if j < rows - 1:
                place = at(integers(rng, n, x + 1, x + size - 1), y + size - 1, plan)
                paper[ROOM * number + _DOOR + BOTTOM] = paper[ROOM * (number + columns) + _DOOR + TOP] = place
    middle = at((columns // 2) * (size - 1) + size // 2, (rows // 2) * (size - 1) + size // 2, plan)
    world.agent[n, POSITION] = middle


@njit
def add_door(world, n, plan, i, j, wall, color, locked):  # type: ignore[no-untyped-def]
    """A door in a wall of room (i, j), of a colour by its name's order; returns where."""
    paper = world.paper[n]
    number = j * columns_of(plan) + i
    paper[ROOM * number + _LOCKED] = locked
    place = paper[ROOM * number + _DOOR + wall]
    world.cells[n, place] = DOORS[LOCKED if locked else CLOSED, color]
    _connect(paper, plan, number, wall)
    return place


@njit
def remove_wall(world, n, plan, i, j, wall):  # type: ignore[no-untyped-def]
    """Takes away a wall of room (i, j), but not its ends."""
    size = plan.first
    x, y = i * (size - 1), j * (size - 1)
    if wall == RIGHT or wall == LEFT:
        fill(world, n, plan, x + size - 1 if wall == RIGHT else x, y + 1, 1, size - 2, EMPTY)
    else:
        fill(world, n, plan, x + 1, y + size - 1 if wall == BOTTOM else y, size - 2, 1, EMPTY)
    _connect(world.paper[n], plan, j * columns_of(plan) + i, wall)


@njit
def _connect(paper, plan, number, wall):  # type: ignore[no-untyped-def]
    paper[ROOM * number + _IS_THERE + wall] = 1
    paper[ROOM * neighbour(plan, number, wall) + _IS_THERE + (wall + 2) % 4] = 1


@njit
def put_in_room(world, n, plan, i, j, cell):  # type: ignore[no-untyped-def]
    """Puts something into room (i, j), not beside the agent or under it."""
    size, stride, here = plan.first, plan.stride, world.agent[n, POSITION]
    while True:
        place = free_place(world, n, plan, i * (size - 1), j * (size - 1), size, size)
        if abs(place % stride - here % stride) + abs(place // stride - here // stride) >= 2:
            world.cells[n, place] = cell
            return place


@njit
def put_agent_in_room(world, n, plan, i, j):  # type: ignore[no-untyped-def]
    """Puts the agent into room (i, j), with nothing or a wall in front of it."""
    size = plan.first
    while True:
        put_agent(world, n, plan, i * (size - 1), j * (size - 1), size, size)
        cell = world.cells[n, ahead_of(world, n, plan.stride)]
        if cell == EMPTY or KIND[cell] == _WALL:
            return


@njit
def _all_reached(world, n, plan):  # type: ignore[no-untyped-def]
    """Whether a way leads from the agent's room to every other, through doors of any kind."""
    paper, size = world.paper[n], plan.first
    columns, rows = columns_of(plan), rows_of(plan)
    here = world.agent[n, POSITION]
    x, y = here % plan.stride - MARGIN, here // plan.stride - MARGIN
    for number in range(columns * rows):
        paper[ROOM * number + _REACHED] = 0
    paper[ROOM * ((y // (size - 1)) * columns + x // (size - 1)) + _REACHED] = 1
    count, grown = 1, True
    while grown:
        grown = False
        for number in range(columns * rows):
            for wall in range(4):
                if paper[ROOM * number + _REACHED] and paper[ROOM * number + _IS_THERE + wall]:
                    other = ROOM * neighbour(plan, number, wall) + _REACHED
                    if not paper[other]:
                        paper[other] = 1
                        count += 1
                        grown = True
    return count == columns * rows


@njit
def connect_all(world, n, plan):  # type: ignore[no-untyped-def]
    """Adds closed doors, but none to a room that was locked, until every room can be reached."""
    rng, paper = world.rng, world.paper[n]
    columns, rows = columns_of(plan), rows_of(plan)
    reached = _all_reached(world, n, plan)
    while not reached:
        i = integers(rng, n, 0, columns)
        j = integers(rng, n, 0, rows)
        wall = integers(rng, n, 0, 4)
        number = j * columns + i
        if paper[ROOM * number + _DOOR + wall] == 0 or paper[ROOM * number + _IS_THERE + wall]:
            continue
        if paper[ROOM * number + _LOCKED] or paper[ROOM * neighbour(plan, number, wall) + _LOCKED]:
            continue
        add_door(world, n, plan, i, j, wall, integers(rng, n, 0, 6), False)
        reached = _all_reached(world, n, plan)
