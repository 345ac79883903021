"""Dynamic-Obstacles: a room in which balls move about. To walk into anything ends the episode."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, BLUE, EMPTY, KIND, code
from potentia.envs.grid.cells import GOAL as _GOAL
from potentia.envs.grid.levels.build import free_place, put
from potentia.envs.grid.levels.empty import empty_room
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.rules import CRASH, FORWARD, LEFT, MARGIN, ahead_of

_BALL = code(BALL, BLUE)
_TRIES = 101
"""How often MiniGrid tries to find a place for an obstacle before it leaves it where it is."""


class Obstacles(NamedTuple):
    """How many balls there are, and whether the agent starts anywhere."""

    number: int
    anywhere: int


@part
def draw_dynamic_obstacles(world, n, plan, obstacles):  # type: ignore[no-untyped-def]
    """The agent starts in the near corner, or anywhere. The task: whether it bumps, and the obstacles."""
    task = world.task
    empty_room(world, n, plan, obstacles.anywhere)
    task[n, 0] = 0
    for k in range(obstacles.number):
        task[n, 1 + k] = put(world, n, plan, _BALL)


@part
def move_obstacles(world, n, plan, action):  # type: ignore[no-untyped-def]
    """Moves each obstacle to a free cell around it, if one is found. Returns the action, which is a turn or a step."""
    cells, task = world.cells, world.task
    action = action if action <= FORWARD else LEFT
    ahead = KIND[cells[n, ahead_of(world, n, plan.stride)]]
    task[n, 0] = action == FORWARD and ahead != EMPTY and ahead != _GOAL
    for k in range(1, task.shape[1]):
        old = task[n, k]
        x, y = old % plan.stride - MARGIN, old // plan.stride - MARGIN
        place = free_place(world, n, plan, x - 1, y - 1, 3, 3, _TRIES)
        if place >= 0:
            cells[n, place], cells[n, old] = _BALL, EMPTY
            task[n, k] = place
    return action


@part
def judge_crash(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """To walk into what stood there before it moved on is a crash, too."""
    return CRASH if world.task[n, 0] else outcome


DYNAMIC_OBSTACLES = Family(
    "DynamicObstacles", draw_dynamic_obstacles, ("reached_goal", "collided"), prepare=move_obstacles, judge=judge_crash,
    moves=True,
)  # fmt: skip


def dynamic_obstacles(size: int, n_obstacles: int = 4, anywhere: bool = False) -> Level:
    """A room of a size, with the walls around. MiniGrid puts no more balls than half the size into it."""
    at_least(5, size=size)
    count = n_obstacles if n_obstacles <= size / 2 + 1 else size // 2
    return Level(
        DYNAMIC_OBSTACLES, size, size, 4 * size**2, "get to the green goal square", Obstacles(count, int(anywhere)),
        see_through=True, task_width=1 + count, actions=3,
    )  # fmt: skip
