"""LockedRoom: six rooms along a corridor, one of them locked, with the goal in it and its key in another."""

from __future__ import annotations

from collections.abc import Sequence

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED, LOCKED
from potentia.envs.grid.levels.build import A_KEY, DOORS, GOAL, THINGS, WALL, at, fill, permute_colors, put_agent, room
from potentia.envs.grid.levels.level import Family, Level, at_least, color_of
from potentia.envs.grid.pcg64 import integers


@part
def _place_in(world, n, plan, number):  # type: ignore[no-untyped-def]
    """A place within a room. Rooms are numbered from the top, left and right."""
    left, right, third = plan.width // 2 - 2, plan.width // 2 + 2, plan.height // 3
    x, y = right * (number % 2), number // 2 * third
    column = integers(world.rng, n, x + 1, x + left)
    return at(column, integers(world.rng, n, y + 1, y + third), plan)


@part
def draw_locked_room(world, n, plan, _):  # type: ignore[no-untyped-def]
    """Draws the locked room, the goal, the doors' colours, the key's room and place, and the agent.

    The task: the codes of the locked door and of the door of the room with the key.
    """
    cells, rng, task, width, height = world.cells, world.rng, world.task, plan.width, plan.height
    left, right, third = width // 2 - 2, width // 2 + 2, height // 3
    room(world, n, plan)
    fill(world, n, plan, left, 0, 1, height, WALL)
    fill(world, n, plan, right, 0, 1, height, WALL)
    for row in range(3):
        fill(world, n, plan, 0, row * third, left, 1, WALL)
        fill(world, n, plan, right, row * third, width - right, 1, WALL)
    locked = integers(rng, n, 0, 6)
    cells[n, _place_in(world, n, plan, locked)] = GOAL
    colors = world.scratch[n, :6]
    permute_colors(rng, n, colors)
    for k in range(6):
        place = at(right if k % 2 else left, k // 2 * third + 3, plan)
        cells[n, place] = DOORS[LOCKED if k == locked else CLOSED, colors[k]]
    keep = integers(rng, n, 0, 6)
    while keep == locked:
        keep = integers(rng, n, 0, 6)
    cells[n, _place_in(world, n, plan, keep)] = THINGS[A_KEY, colors[locked]]
    put_agent(world, n, plan, left, 0, right - left, height)
    task[n, 0], task[n, 1] = DOORS[LOCKED, colors[locked]], DOORS[CLOSED, colors[keep]]


LOCKED_ROOM = Family(
    "LockedRoom", draw_locked_room, ("picked_up_key", "unlocked_door", "opened_door", "passed_door", "reached_goal")
)  # fmt: skip


def _told(task: Sequence[int]) -> str:
    locked = color_of(task[0])
    return f"get the {locked} key from the {color_of(task[1])} room, unlock the {locked} door and go to the goal"


def locked_room(size: int = 19) -> Level:
    """Six rooms in a square of a size, with the walls around."""
    at_least(15, size=size)
    return Level(LOCKED_ROOM, size, size, 10 * size, _told)
