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
def lava_gap(cells, agent, rng, n, width, height, stride, _, __):  # type: ignore[no-untyped-def]
    """A wall of lava with one gap."""
    room(cells, agent, n, width, height, stride)
    agent[n, POSITION] = at(1, 1, stride)
    cells[n, at(width - 2, height - 2, stride)] = GOAL
    x = integers(rng, n, 2, width - 2)
    y = integers(rng, n, 1, height - 1)
    fill(cells, n, x, 1, 1, height - 2, LAVA, stride)
    cells[n, at(x, y, stride)] = EMPTY


@njit
def dist_shift(cells, agent, rng, n, width, height, stride, strip, _):  # type: ignore[no-untyped-def]
    """Two strips of lava, the second in row ``strip``; nothing is drawn."""
    room(cells, agent, n, width, height, stride)
    cells[n, at(width - 2, 1, stride)] = GOAL
    fill(cells, n, 3, 1, width - 6, 1, LAVA, stride)
    fill(cells, n, 3, strip, width - 6, 1, LAVA, stride)
    agent[n, POSITION] = at(1, 1, stride)
