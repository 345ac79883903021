"""FourRooms: four rooms with a gap in each wall between them, the agent and the goal anywhere."""

from __future__ import annotations

from potentia.compiling import part
from potentia.envs.grid.cells import EMPTY
from potentia.envs.grid.levels.build import GOAL, WALL, at, fill, put, put_agent_anywhere, room
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.pcg64 import integers


@part
def draw_four_rooms(world, n, plan, _):  # type: ignore[no-untyped-def]
    """Walls and gaps room by room, then the agent, then the goal."""
    cells, rng = world.cells, world.rng
    room(world, n, plan)
    across, down = plan.width // 2, plan.height // 2
    for j in range(2):
        for i in range(2):
            left, top = i * across, j * down
            right, bottom = left + across, top + down
            if i == 0:
                fill(world, n, plan, right, top, 1, down, WALL)
                cells[n, at(right, integers(rng, n, top + 1, bottom), plan)] = EMPTY
            if j == 0:
                fill(world, n, plan, left, bottom, across, 1, WALL)
                cells[n, at(integers(rng, n, left + 1, right), bottom, plan)] = EMPTY
    put_agent_anywhere(world, n, plan)
    put(world, n, plan, GOAL)


FOUR_ROOMS = Family("FourRooms", draw_four_rooms, ("reached_goal",))


def four_rooms(size: int = 19) -> Level:
    """Four rooms in a square of a size, with the walls around."""
    at_least(7, size=size)
    return Level(FOUR_ROOMS, size, size, 100, "reach the goal")
