"""DoorKey: a key, a locked door in a wall, and the goal behind it."""

from __future__ import annotations

from potentia.compiling import part
from potentia.envs.grid.cells import DOOR, KEY, LOCKED, YELLOW, code
from potentia.envs.grid.levels.build import GOAL, WALL, at, fill, free_place, put_agent, room
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.pcg64 import integers

_DOOR, _KEY = code(DOOR, YELLOW, LOCKED), code(KEY, YELLOW)


@part
def draw_door_key(world, n, plan, _):  # type: ignore[no-untyped-def]
    """The wall, the agent, the door and the key are drawn, in this order."""
    cells, rng, width, height = world.cells, world.rng, plan.width, plan.height
    room(world, n, plan)
    cells[n, at(width - 2, height - 2, plan)] = GOAL
    wall = integers(rng, n, 2, width - 2)
    fill(world, n, plan, wall, 0, 1, height, WALL)
    put_agent(world, n, plan, 0, 0, wall, height)
    cells[n, at(wall, integers(rng, n, 1, height - 2), plan)] = _DOOR
    cells[n, free_place(world, n, plan, 0, 0, wall, height)] = _KEY


DOOR_KEY = Family(
    "DoorKey", draw_door_key, ("picked_up_key", "unlocked_door", "opened_door", "passed_door", "reached_goal")
)  # fmt: skip


def door_key(size: int) -> Level:
    """Two rooms in a square of a size, with the walls around."""
    at_least(5, size=size)
    mission = "use the key to open the door and then get to the goal"
    return Level(DOOR_KEY, size, size, 10 * size**2, mission)
