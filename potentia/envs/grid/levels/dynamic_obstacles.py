"""Dynamic-Obstacles: a room in which balls move about; to walk into anything ends the episode."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import BALL, BLUE, EMPTY, KIND, code
from potentia.envs.grid.cells import GOAL as _GOAL
from potentia.envs.grid.levels.build import free_place, put
from potentia.envs.grid.levels.empty import empty_room
from potentia.envs.grid.rules import CRASH, FORWARD, LEFT, MARGIN, ahead_of

_BALL = code(BALL, BLUE)
_TRIES = 101
"""How often MiniGrid tries to find a place for an obstacle before it leaves it where it is."""


@njit
def dynamic_obstacles(world, n, plan):  # type: ignore[no-untyped-def]
    """The agent starts in the near corner, or anywhere. The task: whether it bumps, and the obstacles."""
    task = world.task
    empty_room(world, n, plan, plan.second)
    task[n, 0] = 0
    for k in range(plan.first):
        task[n, 1 + k] = put(world, n, plan, _BALL)


@njit
def move_obstacles(world, n, plan, action):  # type: ignore[no-untyped-def]
    """Moves each obstacle to a free cell around it, if one is found; returns the action, which is a turn or a step."""
    cells, task = world.cells, world.task
    action = action if action <= FORWARD else LEFT
    ahead = KIND[cells[n, ahead_of(world, n, plan.stride)]]
    task[n, 0] = action == FORWARD and ahead != EMPTY and ahead != _GOAL
    for k in range(plan.first):
        old = task[n, 1 + k]
        x, y = old % plan.stride - MARGIN, old // plan.stride - MARGIN
        place = free_place(world, n, plan, x - 1, y - 1, 3, 3, _TRIES)
        if place >= 0:
            cells[n, place], cells[n, old] = _BALL, EMPTY
            task[n, 1 + k] = place
    return action


@njit
def judge_crash(world, n, outcome):  # type: ignore[no-untyped-def]
    """To walk into what stood there before it moved on is a crash, too."""
    return CRASH if world.task[n, 0] else outcome
