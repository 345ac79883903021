"""FourRooms: four rooms with a gap in each wall between them, the agent and the goal anywhere."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.cells import EMPTY
from potentia.envs.grid.levels.build import GOAL, WALL, at, fill, free_place, put_agent, room
from potentia.envs.grid.pcg64 import integers


@njit
def four_rooms(cells, agent, rng, n, width, height, stride, _, __):  # type: ignore[no-untyped-def]
    """Walls and gaps room by room, then the agent, then the goal."""
    room(cells, agent, n, width, height, stride)
    across, down = width // 2, height // 2
    for j in range(2):
        for i in range(2):
            left, top = i * across, j * down
            right, bottom = left + across, top + down
            if i == 0:
                fill(cells, n, right, top, 1, down, WALL, stride)
                cells[n, at(right, integers(rng, n, top + 1, bottom), stride)] = EMPTY
            if j == 0:
                fill(cells, n, left, bottom, across, 1, WALL, stride)
                cells[n, at(integers(rng, n, left + 1, right), bottom, stride)] = EMPTY
    put_agent(cells, agent, rng, n, 0, 0, width, height, width, height, stride)
    cells[n, free_place(cells, agent, rng, n, 0, 0, width, height, width, height, stride)] = GOAL
