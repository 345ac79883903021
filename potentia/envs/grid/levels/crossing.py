"""LavaCrossing and SimpleCrossing: rivers of lava, or walls, each with one opening on a way to the goal."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import EMPTY
from potentia.envs.grid.levels.build import GOAL, WALL, at, fill, room
from potentia.envs.grid.levels.lava import LAVA
from potentia.envs.grid.levels.level import Family, Level, at_least, odd
from potentia.envs.grid.pcg64 import integers, shuffle
from potentia.envs.grid.rules import POSITION


class Rivers(NamedTuple):
    """How many rivers there are, and whether they are walls instead of lava."""

    number: int
    of_walls: int


@part
def draw_crossing(world, n, plan, rivers):  # type: ignore[no-untyped-def]
    """Draws which rivers there are, in which order a way crosses them, and each opening."""
    width, height, rng = plan.width, plan.height, world.rng
    most = width + height
    drawn = world.scratch[n, :most]  # positive: a column, negative: a row
    columns, rows = world.scratch[n, most : 2 * most], world.scratch[n, 2 * most : 3 * most]  # the frame first and last
    room(world, n, plan)
    world.agent[n, POSITION] = at(1, 1, plan)
    world.cells[n, at(width - 2, height - 2, plan)] = GOAL
    count = 0
    for x in range(2, height - 2, 2):
        drawn[count] = x
        count += 1
    for y in range(2, width - 2, 2):
        drawn[count] = -y
        count += 1
    shuffle(rng, n, drawn, count)
    number = min(rivers.number, count)
    columns[0], rows[0] = 0, 0
    tall, wide = 0, 0
    for place in range(2, max(width, height), 2):  # in increasing order
        for index in range(number):
            if drawn[index] == place:
                tall += 1
                columns[tall] = place
            elif drawn[index] == -place:
                wide += 1
                rows[wide] = place
    columns[tall + 1], rows[wide + 1] = height - 1, width - 1
    obstacle = WALL if rivers.of_walls else LAVA
    for k in range(1, wide + 1):
        fill(world, n, plan, 1, rows[k], width - 2, 1, obstacle)
    for k in range(1, tall + 1):
        fill(world, n, plan, columns[k], 1, 1, height - 2, obstacle)
    path = drawn  # 1: cross a column, going right. 0: cross a row, going down
    for k in range(tall + wide):
        path[k] = 1 if k < tall else 0
    shuffle(rng, n, path, tall + wide)
    i, j = 0, 0
    for k in range(tall + wide):
        if path[k]:
            x, y = columns[i + 1], integers(rng, n, rows[j] + 1, rows[j + 1])
            i += 1
        else:
            x, y = integers(rng, n, columns[i] + 1, columns[i + 1]), rows[j + 1]
            j += 1
        world.cells[n, at(x, y, plan)] = EMPTY


CROSSING = Family("Crossing", draw_crossing, ("reached_goal", "fell_into_lava"))


def crossing(size: int, num_crossings: int, walls: bool) -> Level:
    """A room of a size, with the walls around, and so many rivers of walls or lava."""
    at_least(5, size=size)
    odd(size=size)
    opening, lava = (
        "find the opening and get to the green goal square",
        "avoid the lava and get to the green goal square",
    )
    mission, rivers = opening if walls else lava, Rivers(num_crossings, int(walls))
    return Level(CROSSING, size, size, 4 * size**2, mission, rivers, scratch_width=6 * size)
