"""GoToDoor: a room of any size with a door in each wall."""

from __future__ import annotations

from potentia.compiling import part
from potentia.envs.grid.cells import CLOSED
from potentia.envs.grid.levels.build import DOORS, at, clear, frame, put_agent
from potentia.envs.grid.levels.level import BESIDE_IT, Family, Level, at_least
from potentia.envs.grid.levels.things import go_to_it, judge_go_to
from potentia.envs.grid.pcg64 import integers


@part
def draw_go_to_door(world, n, plan, _):  # type: ignore[no-untyped-def]
    """Draws the room's size, the doors' places and colours, the agent, and which is meant.

    The task: the door's place and its code.
    """
    rng, places, codes = world.rng, world.scratch[n, :4], world.scratch[n, 4:8]
    width = integers(rng, n, 5, plan.width + 1)
    height = integers(rng, n, 5, plan.height + 1)
    clear(world, n, plan)
    frame(world, n, plan, 0, 0, width, height)
    places[0] = at(integers(rng, n, 2, width - 2), 0, plan)
    places[1] = at(integers(rng, n, 2, width - 2), height - 1, plan)
    places[2] = at(0, integers(rng, n, 2, height - 2), plan)
    places[3] = at(width - 1, integers(rng, n, 2, height - 2), plan)
    drawn = 0
    while drawn < 4:
        cell = DOORS[CLOSED, integers(rng, n, 0, 6)]
        known = False
        for k in range(drawn):
            known = known or codes[k] == cell
        if not known:
            codes[drawn] = cell
            world.cells[n, places[drawn]] = cell
            drawn += 1
    put_agent(world, n, plan, 0, 0, width, height)
    meant = integers(rng, n, 0, 4)
    world.task[n, 0], world.task[n, 1] = places[meant], codes[meant]


GO_TO_DOOR = Family("GoToDoor", draw_go_to_door, ("reached_target",), BESIDE_IT, judge=judge_go_to)


def go_to_door(size: int) -> Level:
    """A room of at most a size, with the walls around."""
    at_least(5, size=size)
    return Level(GO_TO_DOOR, size, size, 4 * size**2, go_to_it, see_through=True)
