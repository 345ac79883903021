"""Empty: a room with the goal in its far corner."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.levels.build import GOAL, at, put_agent_anywhere, room
from potentia.envs.grid.rules import POSITION


@njit
def empty(world, n, plan):  # type: ignore[no-untyped-def]
    """The agent starts in the near corner, or anywhere."""
    empty_room(world, n, plan, plan.first)


@njit
def empty_room(world, n, plan, anywhere):  # type: ignore[no-untyped-def]
    """A room with the goal in its far corner, the agent in the near one, or anywhere."""
    room(world, n, plan)
    world.cells[n, at(plan.width - 2, plan.height - 2, plan)] = GOAL
    if anywhere:
        put_agent_anywhere(world, n, plan)
    else:
        world.agent[n, POSITION] = at(1, 1, plan)
