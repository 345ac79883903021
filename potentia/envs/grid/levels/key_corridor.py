"""KeyCorridor: three columns of rooms, the middle one a corridor; the ball is in a locked room on the right."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.levels.build import A_BALL, A_KEY, THINGS
from potentia.envs.grid.levels.room_grid import (
    LEFT,
    TOP,
    add_door,
    connect_all,
    put_agent_in_room,
    put_in_room,
    remove_wall,
    room_grid,
    rows_of,
)  # fmt: skip
from potentia.envs.grid.pcg64 import integers


@njit
def key_corridor(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the locked room, the ball in it, the key in a room on the left, the agent, and the other doors.

    The task: the ball's code.
    """
    rng, task, rows = world.rng, world.task, rows_of(plan)
    room_grid(world, n, plan)
    for j in range(1, rows):
        remove_wall(world, n, plan, 1, j, TOP)
    locked = integers(rng, n, 0, rows)
    color = integers(rng, n, 0, 6)
    add_door(world, n, plan, 2, locked, LEFT, color, True)
    task[n, 0] = THINGS[A_BALL, integers(rng, n, 0, 6)]
    put_in_room(world, n, plan, 2, locked, task[n, 0])
    put_in_room(world, n, plan, 0, integers(rng, n, 0, rows), THINGS[A_KEY, color])
    put_agent_in_room(world, n, plan, 1, rows // 2)
    connect_all(world, n, plan)
