"""GoToDoor: a room of any size with a door in each wall."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import CLOSED
from potentia.envs.grid.levels.build import DOORS, at, clear, frame, put_agent
from potentia.envs.grid.pcg64 import integers


@njit
def go_to_door(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the room's size, the doors' places and colours, the agent, and which is meant.

    The task: the door's place and its code.
    """
    rng, paper = world.rng, world.paper[n]
    width = integers(rng, n, 5, plan.width + 1)
    height = integers(rng, n, 5, plan.height + 1)
    clear(world, n, plan)
    frame(world, n, plan, 0, 0, width, height)
    paper[0] = at(integers(rng, n, 2, width - 2), 0, plan)
    paper[1] = at(integers(rng, n, 2, width - 2), height - 1, plan)
    paper[2] = at(0, integers(rng, n, 2, height - 2), plan)
    paper[3] = at(width - 1, integers(rng, n, 2, height - 2), plan)
    drawn = 0
    while drawn < 4:
        cell = DOORS[CLOSED, integers(rng, n, 0, 6)]
        known = False
        for k in range(drawn):
            known = known or paper[4 + k] == cell
        if not known:
            paper[4 + drawn] = cell
            world.cells[n, paper[drawn]] = cell
            drawn += 1
    put_agent(world, n, plan, 0, 0, width, height)
    meant = integers(rng, n, 0, 4)
    world.task[n, 0], world.task[n, 1] = paper[meant], paper[4 + meant]
