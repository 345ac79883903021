"""Empty: a room with the goal in its far corner."""

from __future__ import annotations

from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.levels.build import GOAL, at, put_agent_anywhere, room
from potentia.envs.grid.levels.level import Family, Level, at_least
from potentia.envs.grid.rules import POSITION


class Start(NamedTuple):
    """Where the agent starts: anywhere, or in the near corner."""

    anywhere: int


@part
def draw_empty(world, n, plan, start):  # type: ignore[no-untyped-def]
    """Draws the agent, if it starts anywhere."""
    empty_room(world, n, plan, start.anywhere)


@part
def empty_room(world, n, plan, anywhere):  # type: ignore[no-untyped-def]
    """A room with the goal in its far corner, the agent in the near one, or anywhere."""
    room(world, n, plan)
    world.cells[n, at(plan.width - 2, plan.height - 2, plan)] = GOAL
    if anywhere:
        put_agent_anywhere(world, n, plan)
    else:
        world.agent[n, POSITION] = at(1, 1, plan)


EMPTY_ROOM = Family("Empty", draw_empty, ("reached_goal",))


def empty(size: int, anywhere: bool = False) -> Level:
    """A room of a size, with the walls around."""
    at_least(4, size=size)
    mission = "get to the green goal square"
    return Level(EMPTY_ROOM, size, size, 4 * size**2, mission, Start(int(anywhere)), see_through=True)
