"""Empty: a room with the goal in its far corner."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.levels.build import GOAL, at, put_agent, room
from potentia.envs.grid.rules import POSITION


@njit
def empty(cells, agent, rng, n, width, height, stride, somewhere, _):  # type: ignore[no-untyped-def]
    """The agent starts in the near corner, or ``somewhere``."""
    room(cells, agent, n, width, height, stride)
    cells[n, at(width - 2, height - 2, stride)] = GOAL
    if somewhere:
        put_agent(cells, agent, rng, n, 0, 0, width, height, width, height, stride)
    else:
        agent[n, POSITION] = at(1, 1, stride)
