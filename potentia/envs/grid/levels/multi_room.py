"""MultiRoom: a row of rooms behind closed doors, the goal in the last."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED
from potentia.envs.grid.levels.build import DOORS, GOAL, at, clear, frame, free_place, put_agent
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.pcg64 import integers

_TRIES = 8
_LEFT, _TOP, _COLUMNS, _ROWS, _DOOR_X, _DOOR_Y = range(6)
_ROOM = 6
"""How many numbers of ``scratch`` tell of a room."""


class Row(NamedTuple):
    """How many rooms there are, and how large they may be, with the walls around."""

    rooms: int
    largest: int


@part
def _place_room(world, n, plan, largest, count, wall, x, y):  # type: ignore[no-untyped-def]
    """Draws a room with its entry at (x, y) in a wall (0 right, 1 bottom, 2 left, 3 top).

    Returns whether there is room.
    """
    rng, rooms = world.rng, world.scratch[n]
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
    if left < 0 or top < 0 or left + columns > plan.width or top + rows >= plan.height:
        return False
    for k in range(count - 1):
        other = _ROOM * k
        apart = (
            left + columns < rooms[other + _LEFT]
            or rooms[other + _LEFT] + rooms[other + _COLUMNS] <= left
            or top + rows < rooms[other + _TOP]
            or rooms[other + _TOP] + rooms[other + _ROWS] <= top
        )
        if not apart:
            return False
    mine = _ROOM * count
    rooms[mine + _LEFT], rooms[mine + _TOP], rooms[mine + _COLUMNS], rooms[mine + _ROWS] = left, top, columns, rows
    rooms[mine + _DOOR_X], rooms[mine + _DOOR_Y] = x, y
    return True


@part
def _row_of_rooms(world, n, plan, row):  # type: ignore[no-untyped-def]
    """Draws up to as many rooms as wanted, each from a door of the one before. Returns how many found a place."""
    rng, rooms = world.rng, world.scratch[n]
    x = integers(rng, n, 0, plan.width - 2)
    y = integers(rng, n, 0, plan.width - 2)
    entry = 2
    if not _place_room(world, n, plan, row.largest, 0, entry, x, y):
        return 0
    count = 1
    while count < row.rooms:
        placed = False
        for _ in range(_TRIES):
            pick = integers(rng, n, 0, 3)
            leave = pick if pick < entry else pick + 1  # one of the three walls without the entry
            last = _ROOM * (count - 1)
            left, top, columns, rows = rooms[last], rooms[last + _TOP], rooms[last + _COLUMNS], rooms[last + _ROWS]
            if leave == 0:
                x, y = left + columns - 1, top + integers(rng, n, 1, rows - 1)
            elif leave == 1:
                x, y = left + integers(rng, n, 1, columns - 1), top + rows - 1
            elif leave == 2:
                x, y = left, top + integers(rng, n, 1, rows - 1)
            else:
                x, y = left + integers(rng, n, 1, columns - 1), top
            if _place_room(world, n, plan, row.largest, count, (leave + 2) % 4, x, y):
                entry = (leave + 2) % 4
                count += 1
                placed = True
                break
        if not placed:
            break
    return count


@part
def draw_multi_room(world, n, plan, row):  # type: ignore[no-untyped-def]
    """Draws rows of rooms until one has as many as wanted. Then it draws doors, agent and goal."""
    rng, rooms = world.rng, world.scratch[n]
    clear(world, n, plan)
    # MiniGrid first draws how many rooms there are, from a range of one: no number is used up.
    count = 0
    while count < row.rooms:
        count = _row_of_rooms(world, n, plan, row)
    previous = -1
    for k in range(count):
        at_k = _ROOM * k
        frame(world, n, plan, rooms[at_k], rooms[at_k + _TOP], rooms[at_k + _COLUMNS], rooms[at_k + _ROWS])
        if k > 0:
            color = integers(rng, n, 0, 6 if previous < 0 else 5)
            color = color + 1 if 0 <= previous <= color else color
            world.cells[n, at(rooms[at_k + _DOOR_X], rooms[at_k + _DOOR_Y], plan)] = DOORS[CLOSED, color]
            previous = color
    last = _ROOM * (count - 1)
    put_agent(world, n, plan, rooms[0], rooms[_TOP], rooms[_COLUMNS], rooms[_ROWS])
    place = free_place(world, n, plan, rooms[last], rooms[last + _TOP], rooms[last + _COLUMNS], rooms[last + _ROWS])
    world.cells[n, place] = GOAL


MULTI_ROOM = Family("MultiRoom", draw_multi_room, ("opened_door", "passed_door", "reached_goal"))


def multi_room(rooms: int, max_room_size: int = 10, size: int = 25) -> Level:
    """So many rooms in a square of a size."""
    at_least(4, max_room_size=max_room_size)
    mission, row = "traverse the rooms to get to the goal", Row(rooms, max_room_size)
    return Level(MULTI_ROOM, size, size, 20 * rooms, mission, row, scratch_width=_ROOM * rooms)
