"""Unlock, UnlockPickup, BlockedUnlockPickup: two rooms with a locked door between them."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import DOOR, LOOK, OPEN, code
from potentia.envs.grid.levels.build import A_BALL, A_BOX, A_KEY, THINGS
from potentia.envs.grid.levels.room_grid import RIGHT, add_door, put_agent_in_room, put_in_room, room_grid
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import CARRIED, SUCCESS, TAKE, TOGGLE

_OPEN_DOOR = LOOK[code(DOOR, 0, OPEN)] & 0xFF00FF


@njit
def is_open(cell):  # type: ignore[no-untyped-def]
    """Whether a cell is an open door."""
    return LOOK[cell] & 0xFF00FF == _OPEN_DOOR


@njit
def unlock(world, n, plan):  # type: ignore[no-untyped-def]
    """The door and its key are in the first room; with a box, that is drawn before, in the second.

    The task: the door's place, or the box's code.
    """
    with_box, blocked, rng, task = plan.second, plan.third, world.rng, world.task
    room_grid(world, n, plan)
    if with_box:
        task[n, 0] = THINGS[A_BOX, integers(rng, n, 0, 6)]
        put_in_room(world, n, plan, 1, 0, task[n, 0])
    color = integers(rng, n, 0, 6)
    door = add_door(world, n, plan, 0, 0, RIGHT, color, True)
    if not with_box:
        task[n, 0] = door
    if blocked:
        world.cells[n, door - 1] = THINGS[A_BALL, integers(rng, n, 0, 6)]
    put_in_room(world, n, plan, 0, 0, THINGS[A_KEY, color])
    put_agent_in_room(world, n, plan, 0, 0)


@njit
def judge_open(world, n, action, outcome):  # type: ignore[no-untyped-def]
    """Success: the door stands open."""
    return SUCCESS if action == TOGGLE and is_open(world.cells[n, world.task[n, 0]]) else outcome


@njit
def judge_pick_up(world, n, action, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent takes the thing that the task names."""
    return SUCCESS if action == TAKE and world.agent[n, CARRIED] == world.task[n, 0] else outcome
