"""Unlock, UnlockPickup, BlockedUnlockPickup: two rooms with a locked door between them."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import OPEN
from potentia.envs.grid.levels.build import A_BALL, A_BOX, A_KEY, THINGS, is_door
from potentia.envs.grid.levels.room_grid import RIGHT, add_door, put_agent_in_room, put_in_room, room_grid
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import CARRIED, SUCCESS, TAKE, TOGGLE


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
    return SUCCESS if action == TOGGLE and is_door(world.cells[n, world.task[n, 0]], OPEN) else outcome


@njit
def judge_pick_up(world, n, action, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent takes the thing that the task names."""
    return SUCCESS if action == TAKE and world.agent[n, CARRIED] == world.task[n, 0] else outcome
