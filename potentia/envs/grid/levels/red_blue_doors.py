"""RedBlueDoors: a room with a red door on its left and a blue one on its right."""

from __future__ import annotations

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED, OPEN
from potentia.envs.grid.levels.build import DOORS, at, clear, frame, is_door, put_agent
from potentia.envs.grid.levels.level import RED_THEN_BLUE, Family, Level, at_least
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import FAILURE, SUCCESS, TOGGLE, ahead_of

_BLUE, _RED = 0, 4


@part
def draw_red_blue_doors(world, n, plan, _):  # type: ignore[no-untyped-def]
    """Draws the agent and the doors. The task: where the red door is, and where the blue one."""
    size, cells, rng, task = plan.height, world.cells, world.rng, world.task
    clear(world, n, plan)
    frame(world, n, plan, 0, 0, 2 * size, size)
    frame(world, n, plan, size // 2, 0, size, size)
    put_agent(world, n, plan, size // 2, 0, size, size)
    task[n, 0] = at(size // 2, integers(rng, n, 1, size - 1), plan)
    cells[n, task[n, 0]] = DOORS[CLOSED, _RED]
    task[n, 1] = at(size // 2 + size - 1, integers(rng, n, 1, size - 1), plan)
    cells[n, task[n, 1]] = DOORS[CLOSED, _BLUE]


@part
def judge_red_blue(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the blue door opens when the red one stood open. Failure: the doors open in the other order."""
    red, blue = world.task[n, 0], world.task[n, 1]
    toggled = ahead_of(world, n, plan.stride) if action == TOGGLE else -1
    red_is, blue_is = is_door(world.cells[n, red], OPEN), is_door(world.cells[n, blue], OPEN)
    red_was = red_is != (toggled == red)
    blue_was = blue_is != (toggled == blue)
    if blue_is:
        return SUCCESS if red_was else FAILURE
    return FAILURE if red_is and blue_was else outcome


RED_BLUE_DOORS = Family(
    "RedBlueDoors", draw_red_blue_doors, ("opened_door", "passed_door"), RED_THEN_BLUE, judge=judge_red_blue
)


def red_blue_doors(size: int) -> Level:
    """A room of a size, with the walls around."""
    at_least(4, size=size)
    return Level(RED_BLUE_DOORS, 2 * size, size, 20 * size**2, "open the red door then the blue door")
