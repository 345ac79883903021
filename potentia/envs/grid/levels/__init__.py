"""The levels: how each is drawn, and the sizes in which MiniGrid registers them."""

from __future__ import annotations

from dataclasses import dataclass

from numba import njit

from potentia.envs.grid.levels.crossing import crossing
from potentia.envs.grid.levels.door_key import door_key
from potentia.envs.grid.levels.empty import empty
from potentia.envs.grid.levels.four_rooms import four_rooms
from potentia.envs.grid.levels.lava import dist_shift, lava_gap
from potentia.envs.grid.levels.multi_room import multi_room

__all__ = ["LEVELS", "Level", "draw"]


@dataclass(frozen=True)
class Level:
    """A level in one size.

    Attributes:
        kind: Which function draws it, see `draw`.
        width: Columns, with the walls around.
        height: Rows, with the walls around.
        max_steps: The time limit, which also scales the reward.
        mission: What MiniGrid tells the agent.
        see_through: Whether walls hide nothing.
        first: The drawing function's first parameter.
        second: Its second.
    """

    kind: int
    width: int
    height: int
    max_steps: int
    mission: str
    see_through: bool = False
    first: int = 0
    second: int = 0


_EMPTY, _DOOR_KEY, _FOUR_ROOMS, _LAVA_GAP, _DIST_SHIFT, _CROSSING, _MULTI_ROOM = range(7)


@njit
def draw(kind, cells, agent, rng, n, width, height, stride, first, second):  # type: ignore[no-untyped-def]
    """Draws a new level into world n."""
    if kind == _EMPTY:
        empty(cells, agent, rng, n, width, height, stride, first, second)
    elif kind == _DOOR_KEY:
        door_key(cells, agent, rng, n, width, height, stride, first, second)
    elif kind == _FOUR_ROOMS:
        four_rooms(cells, agent, rng, n, width, height, stride, first, second)
    elif kind == _LAVA_GAP:
        lava_gap(cells, agent, rng, n, width, height, stride, first, second)
    elif kind == _DIST_SHIFT:
        dist_shift(cells, agent, rng, n, width, height, stride, first, second)
    elif kind == _CROSSING:
        crossing(cells, agent, rng, n, width, height, stride, first, second)
    else:
        multi_room(cells, agent, rng, n, width, height, stride, first, second)


def _levels() -> dict[str, Level]:
    goal, lava = "get to the green goal square", "avoid the lava and get to the green goal square"
    levels = {}
    for size in (5, 6, 8, 16):
        levels[f"Empty-{size}x{size}"] = Level(_EMPTY, size, size, 4 * size**2, goal, True)
        told = "use the key to open the door and then get to the goal"
        levels[f"DoorKey-{size}x{size}"] = Level(_DOOR_KEY, size, size, 10 * size**2, told)
    for size in (5, 6):
        levels[f"Empty-Random-{size}x{size}"] = Level(_EMPTY, size, size, 4 * size**2, goal, True, 1)
    levels["FourRooms"] = Level(_FOUR_ROOMS, 19, 19, 100, "reach the goal")
    for size in (5, 6, 7):
        levels[f"LavaGapS{size}"] = Level(_LAVA_GAP, size, size, 4 * size**2, lava)
    for number, strip in ((1, 2), (2, 5)):
        levels[f"DistShift{number}"] = Level(_DIST_SHIFT, 9, 7, 4 * 9 * 7, goal, True, strip)
    for size, rivers in ((9, 1), (9, 2), (9, 3), (11, 5)):
        through = "find the opening and get to the green goal square"
        levels[f"LavaCrossingS{size}N{rivers}"] = Level(_CROSSING, size, size, 4 * size**2, lava, first=rivers)
        levels[f"SimpleCrossingS{size}N{rivers}"] = Level(
            _CROSSING, size, size, 4 * size**2, through, first=rivers, second=1
        )
    # MiniGrid's own N4-S5-v0 has six rooms.
    for name, rooms, largest in (("N2-S4", 2, 4), ("N4-S5", 6, 5), ("N6", 6, 10)):
        told = "traverse the rooms to get to the goal"
        levels[f"MultiRoom-{name}"] = Level(_MULTI_ROOM, 25, 25, 20 * rooms, told, first=rooms, second=largest)
    return levels


LEVELS = _levels()
"""By MiniGrid's names: ``MiniGrid-<name>-v0``."""
