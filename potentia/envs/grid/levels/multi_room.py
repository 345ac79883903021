"""MultiRoom: a row of rooms behind closed doors, the goal in the last."""

from __future__ import annotations

import numpy as np
from numba import njit

from potentia.envs.grid.cells import BLUE, CLOSED, DOOR, GREEN, GREY, PURPLE, RED, YELLOW, code
from potentia.envs.grid.levels.build import GOAL, at, clear, frame, free_place, put_agent
from potentia.envs.grid.pcg64 import integers

_DOORS = np.array([code(DOOR, color, CLOSED) for color in (BLUE, GREEN, GREY, PURPLE, RED, YELLOW)], np.uint8)
"""In the order of the colours' names."""
_TRIES = 8
_LEFT, _TOP, _COLUMNS, _ROWS, _DOOR_X, _DOOR_Y = range(6)


@njit
def _place_room(rng, n, rooms, count, largest, wall, x, y, width, height):  # type: ignore[no-untyped-def]
    """Draws a room with its entry at (x, y) in a wall (0 right, 1 bottom, 2 left, 3 top); whether there is room."""
    columns = integers(rng, n, 4, largest + 1)
    rows = integers(rng, n, 4, largest + 1)
    left, top = x, y
    if count > 0:
        if wall == 0:
            left, top = x - columns + 1, integers(rng, n, y - rows + 2, y)
        elif wall == 1:
            left, top = integers(rng, n, x - columns + 2, x), y - rows + 1
        elif wall == 2:
            top = integers(rng, n, y - rows + 2, y)
        else:
            left = integers(rng, n, x - columns + 2, x)
    if left < 0 or top < 0 or left + columns > width or top + rows >= height:
        return False
    for k in range(count - 1):
        apart = (
            left + columns < rooms[k, _LEFT]
            or rooms[k, _LEFT] + rooms[k, _COLUMNS] <= left
            or top + rows < rooms[k, _TOP]
            or rooms[k, _TOP] + rooms[k, _ROWS] <= top
        )
        if not apart:
            return False
    rooms[count, _LEFT], rooms[count, _TOP], rooms[count, _COLUMNS], rooms[count, _ROWS] = left, top, columns, rows
    rooms[count, _DOOR_X], rooms[count, _DOOR_Y] = x, y
    return True


@njit
def _row_of_rooms(rng, n, rooms, wanted, largest, width, height):  # type: ignore[no-untyped-def]
    """Draws up to ``wanted`` rooms, each from a door of the one before; returns how many found a place."""
    x = integers(rng, n, 0, width - 2)
    y = integers(rng, n, 0, width - 2)
    entry = 2
    if not _place_room(rng, n, rooms, 0, largest, entry, x, y, width, height):
        return 0
    count = 1
    while count < wanted:
        placed = False
        for _ in range(_TRIES):
            pick = integers(rng, n, 0, 3)
            leave = pick if pick < entry else pick + 1  # one of the three walls without the entry
            left, top = rooms[count - 1, _LEFT], rooms[count - 1, _TOP]
            columns, rows = rooms[count - 1, _COLUMNS], rooms[count - 1, _ROWS]
            if leave == 0:
                x, y = left + columns - 1, top + integers(rng, n, 1, rows - 1)
            elif leave == 1:
                x, y = left + integers(rng, n, 1, columns - 1), top + rows - 1
            elif leave == 2:
                x, y = left, top + integers(rng, n, 1, rows - 1)
            else:
                x, y = left + integers(rng, n, 1, columns - 1), top
            if _place_room(rng, n, rooms, count, largest, (leave + 2) % 4, x, y, width, height):
                entry = (leave + 2) % 4
                count += 1
                placed = True
                break
        if not placed:
            break
    return count


@njit
def multi_room(cells, agent, rng, n, width, height, stride, wanted, largest):  # type: ignore[no-untyped-def]
    """Draws rows of rooms until one has as many as ``wanted``; then the doors, the agent and the goal."""
    clear(cells, agent, n, width, height, stride)
    # MiniGrid first draws how many rooms there are, from a range of one: no number is used up.
    rooms, tried = np.zeros((wanted, 6), np.int64), np.zeros((wanted, 6), np.int64)
    count = 0
    while count < wanted:
        found = _row_of_rooms(rng, n, tried, wanted, largest, width, height)
        if found > count:
            count = found
            rooms[:] = tried
    previous = -1
    for k in range(count):
        frame(cells, n, rooms[k, _LEFT], rooms[k, _TOP], rooms[k, _COLUMNS], rooms[k, _ROWS], stride)
        if k > 0:
            color = integers(rng, n, 0, 6 if previous < 0 else 5)
            color = color + 1 if 0 <= previous <= color else color
            cells[n, at(rooms[k, _DOOR_X], rooms[k, _DOOR_Y], stride)] = _DOORS[color]
            previous = color
    first, last = rooms[0], rooms[count - 1]
    put_agent(cells, agent, rng, n, first[_LEFT], first[_TOP], first[_COLUMNS], first[_ROWS], width, height, stride)
    place = free_place(
        cells, agent, rng, n, last[_LEFT], last[_TOP], last[_COLUMNS], last[_ROWS], width, height, stride
    )
    cells[n, place] = GOAL
