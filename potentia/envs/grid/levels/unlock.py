"""Unlock, UnlockPickup, BlockedUnlockPickup: two rooms with a locked door between them."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import OPEN
from potentia.envs.grid.levels.build import A_BALL, A_BOX, A_KEY, THINGS, is_door
from potentia.envs.grid.levels.level import OPEN_IT, SEARCHED, TAKE_IT, Family, Level, at_least, pick_it_up
from potentia.envs.grid.levels.room_grid import (
    RIGHT,
    add_door,
    draw_rooms,
    level_of_rooms,
    put_agent_in_room,
    put_in_room,
)  # fmt: skip
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import CARRIED, SUCCESS, TAKE, TOGGLE


class Rooms(NamedTuple):
    """How large the two rooms are, whether a box is in the second, and whether a ball blocks the door."""

    size: int
    with_box: int
    blocked: int


@part
def draw_unlock(world, n, plan, rooms):  # type: ignore[no-untyped-def]
    """The door and its key are in the first room.

    A box, if there is one, is drawn before them, in the second. The task: the door's place, or the box's code.
    """
    size, rng, task = rooms.size, world.rng, world.task
    draw_rooms(world, n, plan, size)
    if rooms.with_box:
        task[n, 0] = THINGS[A_BOX, integers(rng, n, 0, 6)]
        put_in_room(world, n, plan, size, 1, 0, task[n, 0])
    color = integers(rng, n, 0, 6)
    door = add_door(world, n, plan, size, 0, 0, RIGHT, color, True)
    if not rooms.with_box:
        task[n, 0] = door
    if rooms.blocked:
        world.cells[n, door - 1] = THINGS[A_BALL, integers(rng, n, 0, 6)]
    put_in_room(world, n, plan, size, 0, 0, THINGS[A_KEY, color])
    put_agent_in_room(world, n, plan, size, 0, 0)


@part
def judge_open(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the door stands open."""
    return SUCCESS if action == TOGGLE and is_door(world.cells[n, world.task[n, 0]], OPEN) else outcome


@part
def judge_pick_up(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent takes the thing that the task names."""
    return SUCCESS if action == TAKE and world.agent[n, CARRIED] == world.task[n, 0] else outcome


MAZE_EVENTS = (
    "picked_up_key", "picked_up_ball", "picked_up_box", "dropped_object", "opened_box", "unlocked_door",
    "opened_door", "passed_door",
)  # fmt: skip
"""What can happen among doors, keys, balls and boxes."""
_PICK_UP_EVENTS = (*MAZE_EVENTS, "picked_up_target")
UNLOCK = Family("Unlock", draw_unlock, ("picked_up_key", "unlocked_door"), OPEN_IT, judge=judge_open)
UNLOCK_PICKUP = Family("UnlockPickup", draw_unlock, _PICK_UP_EVENTS, TAKE_IT, judge=judge_pick_up)
BLOCKED = Family("BlockedUnlockPickup", draw_unlock, _PICK_UP_EVENTS, SEARCHED, judge=judge_pick_up)


def unlock(room_size: int = 6) -> Level:
    """Two rooms of a size, with the walls around, and the door to open."""
    at_least(4, room_size=room_size)
    rooms = Rooms(room_size, with_box=0, blocked=0)
    return level_of_rooms(UNLOCK, room_size, 2, 1, 8 * room_size**2, "open the door", rooms)


def unlock_pickup(room_size: int = 6, blocked: bool = False) -> Level:
    """Two rooms of a size, with the walls around, and the box to take behind the door, before which a ball may lie."""
    at_least(4, room_size=room_size)
    family, steps = (BLOCKED, 16 * room_size**2) if blocked else (UNLOCK_PICKUP, 8 * room_size**2)
    rooms = Rooms(room_size, with_box=1, blocked=int(blocked))
    return level_of_rooms(family, room_size, 2, 1, steps, pick_it_up, rooms)
