"""KeyCorridor: three columns of rooms, the middle one a corridor. The ball is in a locked room on the right."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.levels.build import A_BALL, A_KEY, THINGS
from potentia.envs.grid.levels.level import TAKE_IT, Family, Level, at_least, pick_it_up
from potentia.envs.grid.levels.room_grid import (
    LEFT,
    TOP,
    add_door,
    connect_all,
    draw_rooms,
    level_of_rooms,
    put_agent_in_room,
    put_in_room,
    remove_wall,
    rows_of,
)  # fmt: skip
from potentia.envs.grid.levels.unlock import judge_pick_up
from potentia.envs.grid.pcg64 import integers


class Rooms(NamedTuple):
    """How large they are."""

    size: int


@part
def draw_key_corridor(world, n, plan, rooms):  # type: ignore[no-untyped-def]
    """Draws the locked room, the ball in it, the key in a room on the left, the agent, and the other doors.

    The task: the ball's code.
    """
    rng, task, size = world.rng, world.task, rooms.size
    rows = rows_of(plan, size)
    draw_rooms(world, n, plan, size)
    for j in range(1, rows):
        remove_wall(world, n, plan, size, 1, j, TOP)
    locked = integers(rng, n, 0, rows)
    color = integers(rng, n, 0, 6)
    add_door(world, n, plan, size, 2, locked, LEFT, color, True)
    task[n, 0] = THINGS[A_BALL, integers(rng, n, 0, 6)]
    put_in_room(world, n, plan, size, 2, locked, task[n, 0])
    put_in_room(world, n, plan, size, 0, integers(rng, n, 0, rows), THINGS[A_KEY, color])
    put_agent_in_room(world, n, plan, size, 1, rows // 2)
    connect_all(world, n, plan, size)


KEY_CORRIDOR = Family(
    "KeyCorridor", draw_key_corridor,
    ("picked_up_key", "unlocked_door", "opened_door", "passed_door", "dropped_object", "picked_up_target"),
    TAKE_IT, judge=judge_pick_up,
)  # fmt: skip


def key_corridor(room_size: int, num_rows: int) -> Level:
    """Three times so many rooms of a size, with the walls around."""
    at_least(3, room_size=room_size)
    steps, rooms = 30 * room_size**2, Rooms(room_size)
    return level_of_rooms(KEY_CORRIDOR, room_size, 3, num_rows, steps, pick_it_up, rooms)
