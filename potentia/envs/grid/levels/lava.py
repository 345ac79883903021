"""LavaGap and DistShift: lava between the agent and the goal."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import EMPTY, code
from potentia.envs.grid.cells import LAVA as _LAVA
from potentia.envs.grid.levels.build import GOAL, at, fill, room
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import POSITION

LAVA = code(_LAVA)


@njit
def lava_gap(world, n, plan):  # type: ignore[no-untyped-def]
    """A wall of lava with one gap."""
    width, height = plan.width, plan.height
    room(world, n, plan)
    world.agent[n, POSITION] = at(1, 1, plan)
    world.cells[n, at(width - 2, height - 2, plan)] = GOAL
    x = integers(world.rng, n, 2, width - 2)
    y = integers(world.rng, n, 1, height - 1)
    fill(world, n, plan, x, 1, 1, height - 2, LAVA)
    world.cells[n, at(x, y, plan)] = EMPTY


@njit
def dist_shift(world, n, plan):  # type: ignore[no-untyped-def]
    """Two strips of lava; nothing is drawn."""
    second_strip, width = plan.first, plan.width
    room(world, n, plan)
    world.cells[n, at(width - 2, 1, plan)] = GOAL
    fill(world, n, plan, 3, 1, width - 6, 1, LAVA)
    fill(world, n, plan, 3, second_strip, width - 6, 1, LAVA)
    world.agent[n, POSITION] = at(1, 1, plan)
