"""Every level in every size in which MiniGrid registers it, and how to have it in others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any

import numpy as np

from potentia.envs.grid.cells import LOOKS
from potentia.envs.grid.levels.multi_room import ROOM as _ROOM_IN_ROW
from potentia.envs.grid.levels.obstructed_maze import BLOCK, HIDE, KEYS_LAST, START_RIGHT
from potentia.envs.grid.levels.room_grid import ROOM as _ROOM

__all__ = ["LEVELS", "Kind", "Level", "find_level"]

Kind = IntEnum(
    "Kind",
    "EMPTY DOOR_KEY FOUR_ROOMS LAVA_GAP DIST_SHIFT CROSSING MULTI_ROOM UNLOCK UNLOCK_PICKUP KEY_CORRIDOR "
    "OBSTRUCTED_MAZE RED_BLUE_DOORS LOCKED_ROOM MEMORY FETCH GO_TO_DOOR GO_TO_OBJECT PUT_NEAR DYNAMIC_OBSTACLES "
    "PLAYGROUND",
    start=0,
)
"""Which functions draw and judge a level."""

Mission = Callable[[Any], str]
COLORS = ("red", "green", "blue", "purple", "yellow", "grey")
_KINDS = {4: "door", 5: "key", 6: "ball", 7: "box"}


@dataclass(frozen=True)
class Level:
    """A level in one size.

    Attributes:
        kind: Which functions draw and judge it.
        width: Columns, with the walls around.
        height: Rows, with the walls around.
        max_steps: The time limit, which also scales the reward.
        mission: From a row of the state's ``task`` to what MiniGrid tells the agent.
        see_through: Whether walls hide nothing.
        first: The drawing function's first parameter, see there.
        second: Its second.
        third: Its third.
        notes: The width of the state's ``task``.
        paper: The width of its ``paper``.
        actions: How many of the seven actions there are.
    """

    kind: Kind
    width: int
    height: int
    max_steps: int
    mission: Mission = field(compare=False)
    see_through: bool = False
    first: int = 0
    second: int = 0
    third: int = 0
    notes: int = 4
    paper: int = 8
    actions: int = 7


def _says(text: str) -> Mission:
    return lambda task: text


def _color(code: int) -> str:
    return COLORS[LOOKS[int(code)][1]]


def _thing(code: int) -> str:
    return f"{_color(code)} {_KINDS[LOOKS[int(code)][0]]}"


_GOAL = _says("get to the green goal square")
_LAVA = _says("avoid the lava and get to the green goal square")
_OPENING = _says("find the opening and get to the green goal square")
FETCH_PHRASES = ("get a", "go get a", "fetch a", "go fetch a", "you must fetch a")


def _pick_up(task: Any) -> str:
    return f"pick up the {_thing(task[0])}"


def _fetch(task: Any) -> str:
    return f"{FETCH_PHRASES[task[1]]} {_thing(task[0])}"


def _go_to(task: Any) -> str:
    return f"go to the {_thing(task[1])}"


def _put_near(task: Any) -> str:
    return f"put the {_thing(task[0])} near the {_thing(task[2])}"


def _locked_room(task: Any) -> str:
    locked = _color(task[0])
    return f"get the {locked} key from the {_color(task[1])} room, unlock the {locked} door and go to the goal"


def _at_least(least: int, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < least:
            raise ValueError(f"{name} must be at least {least} in this level, got {size}")


def _empty(size: int, anywhere: bool = False) -> Level:
    _at_least(4, size=size)
    return Level(Kind.EMPTY, size, size, 4 * size**2, _GOAL, True, anywhere)


def _door_key(size: int) -> Level:
    _at_least(5, size=size)
    told = _says("use the key to open the door and then get to the goal")
    return Level(Kind.DOOR_KEY, size, size, 10 * size**2, told)


def _four_rooms(size: int = 19) -> Level:
    _at_least(7, size=size)
    return Level(Kind.FOUR_ROOMS, size, size, 100, _says("reach the goal"))


def _lava_gap(size: int) -> Level:
    _at_least(5, size=size)
    return Level(Kind.LAVA_GAP, size, size, 4 * size**2, _LAVA)


def _dist_shift(strip2_row: int, width: int = 9, height: int = 7) -> Level:
    return Level(Kind.DIST_SHIFT, width, height, 4 * width * height, _GOAL, True, strip2_row)


def _crossing(size: int, num_crossings: int, walls: bool) -> Level:
    _at_least(5, size=size)
    if size % 2 == 0:
        raise ValueError(f"size must be odd in this level, got {size}")
    told = _OPENING if walls else _LAVA
    return Level(
        Kind.CROSSING, size, size, 4 * size**2, told, first=num_crossings, second=walls, paper=6 * size
    )  # fmt: skip


def _multi_room(rooms: int, max_room_size: int = 10, size: int = 25) -> Level:
    _at_least(4, max_room_size=max_room_size)
    told = _says("traverse the rooms to get to the goal")
    paper = _ROOM_IN_ROW * rooms
    return Level(
        Kind.MULTI_ROOM, size, size, 20 * rooms, told, first=rooms, second=max_room_size, paper=paper
    )  # fmt: skip


def _rooms(kind: Kind, size: int, columns: int, rows: int, max_steps: int, told: Mission, **more: Any) -> Level:
    width, height = (size - 1) * columns + 1, (size - 1) * rows + 1
    return Level(kind, width, height, max_steps, told, first=size, paper=_ROOM * columns * rows + 6, **more)


def _unlock(room_size: int = 6) -> Level:
    _at_least(4, room_size=room_size)
    return _rooms(Kind.UNLOCK, room_size, 2, 1, 8 * room_size**2, _says("open the door"))


def _unlock_pickup(room_size: int = 6, blocked: bool = False) -> Level:
    _at_least(4, room_size=room_size)
    steps = (16 if blocked else 8) * room_size**2
    return _rooms(Kind.UNLOCK_PICKUP, room_size, 2, 1, steps, _pick_up, second=True, third=blocked)


def _key_corridor(room_size: int, num_rows: int) -> Level:
    _at_least(3, room_size=room_size)
    return _rooms(Kind.KEY_CORRIDOR, room_size, 3, num_rows, 30 * room_size**2, _pick_up)


def _obstructed_maze(flags: int, quarters: int, num_rooms_visited: int) -> Level:
    columns, rows = (3, 3) if quarters else (2, 1)
    steps = 4 * num_rooms_visited * 36
    return _rooms(Kind.OBSTRUCTED_MAZE, 6, columns, rows, steps, _pick_up, second=flags, third=quarters)


def _red_blue_doors(size: int) -> Level:
    _at_least(4, size=size)
    return Level(
        Kind.RED_BLUE_DOORS, 2 * size, size, 20 * size**2, _says("open the red door then the blue door")
    )  # fmt: skip


def _locked(size: int = 19) -> Level:
    _at_least(15, size=size)
    return Level(Kind.LOCKED_ROOM, size, size, 10 * size, _locked_room)


def _memory(size: int, random_length: bool = False) -> Level:
    _at_least(7, size=size)
    if size % 2 == 0:
        raise ValueError(f"size must be odd in this level, got {size}")
    told = _says("go to the matching object at the end of the hallway")
    return Level(Kind.MEMORY, size, size, 5 * size**2, told, first=random_length)


def _among_things(kind: Kind, told: Mission, steps: int, size: int, numObjs: int) -> Level:  # noqa: N803 - MiniGrid's
    _at_least(5, size=size)
    limit = steps * size**2 if kind != Kind.PUT_NEAR else steps * size
    return Level(kind, size, size, limit, told, True, numObjs, paper=2 * numObjs)


def _go_to_door(size: int) -> Level:
    _at_least(5, size=size)
    return Level(Kind.GO_TO_DOOR, size, size, 4 * size**2, _go_to, True)


def _dynamic_obstacles(size: int, n_obstacles: int = 4, anywhere: bool = False) -> Level:
    _at_least(5, size=size)
    count = n_obstacles if n_obstacles <= size / 2 + 1 else size // 2
    return Level(
        Kind.DYNAMIC_OBSTACLES, size, size, 4 * size**2, _GOAL, True, count, anywhere, notes=1 + count, actions=3
    )  # fmt: skip


def _playground(size: int = 19) -> Level:
    _at_least(12, size=size)
    return Level(Kind.PLAYGROUND, size, size, 100, _says(""))


def _catalogue() -> dict[str, partial[Level]]:
    """MiniGrid's ids, of which the second versions go by the name without a version, the first by that with "-v0"."""
    made: dict[str, partial[Level]] = {"FourRooms": partial(_four_rooms)}
    for size in (5, 6, 8, 16):
        made[f"Empty-{size}x{size}"] = partial(_empty, size=size)
        made[f"DoorKey-{size}x{size}"] = partial(_door_key, size=size)
    for size in (5, 6):
        made[f"Empty-Random-{size}x{size}"] = partial(_empty, size=size, anywhere=True)
    for size in (5, 6, 7):
        made[f"LavaGapS{size}"] = partial(_lava_gap, size=size)
    for number, strip in ((1, 2), (2, 5)):
        made[f"DistShift{number}"] = partial(_dist_shift, strip2_row=strip)
    for size, rivers in ((9, 1), (9, 2), (9, 3), (11, 5)):
        for name, walls in (("LavaCrossing", False), ("SimpleCrossing", True)):
            made[f"{name}S{size}N{rivers}"] = partial(_crossing, size=size, num_crossings=rivers, walls=walls)
    # MiniGrid's first N4-S5 has six rooms.
    for name, rooms, largest in (("N2-S4", 2, 4), ("N4-S5-v0", 6, 5), ("N4-S5", 4, 5), ("N6", 6, 10)):
        made[f"MultiRoom-{name}"] = partial(_multi_room, rooms=rooms, max_room_size=largest)
    made["Unlock"] = partial(_unlock)
    made["UnlockPickup"] = partial(_unlock_pickup)
    made["BlockedUnlockPickup"] = partial(_unlock_pickup, blocked=True)
    for size, rows in ((3, 1), (3, 2), (3, 3), (4, 3), (5, 3), (6, 3)):
        made[f"KeyCorridorS{size}R{rows}"] = partial(_key_corridor, room_size=size, num_rows=rows)
    for name, flags in (("l", 0), ("lh", HIDE), ("lhb", HIDE | BLOCK)):
        made[f"ObstructedMaze-1D{name}"] = partial(_obstructed_maze, flags, 0, 2)
        second = KEYS_LAST if name == "lhb" else 0
        made[f"ObstructedMaze-2D{name}"] = partial(_obstructed_maze, flags | START_RIGHT | second, 1, 4)
    for version, last in (("-v0", 0), ("", KEYS_LAST)):
        both = HIDE | BLOCK | last
        made[f"ObstructedMaze-2Dlhb{version}"] = partial(_obstructed_maze, both | START_RIGHT, 1, 4)
        made[f"ObstructedMaze-1Q{version}"] = partial(_obstructed_maze, both, 1, 5)
        made[f"ObstructedMaze-2Q{version}"] = partial(_obstructed_maze, both | START_RIGHT, 2, 11)
        made[f"ObstructedMaze-Full{version}"] = partial(_obstructed_maze, both, 4, 25)
    for size in (6, 8):
        made[f"RedBlueDoors-{size}x{size}"] = partial(_red_blue_doors, size=size)
    made["LockedRoom"] = partial(_locked)
    for size in (7, 9, 11, 13):
        made[f"MemoryS{size}"] = partial(_memory, size=size)
    for size in (13, 17):
        made[f"MemoryS{size}Random"] = partial(_memory, size=size, random_length=True)
    for family, kind, told, steps, sizes in (
        ("Fetch", Kind.FETCH, _fetch, 5, ((5, 2), (6, 2), (8, 3))),
        ("GoToObject", Kind.GO_TO_OBJECT, _go_to, 5, ((6, 2), (8, 2))),
        ("PutNear", Kind.PUT_NEAR, _put_near, 5, ((6, 2), (8, 3))),
    ):
        for size, count in sizes:
            made[f"{family}-{size}x{size}-N{count}"] = partial(
                _among_things, kind, told, steps, size=size, numObjs=count
            )
    for size in (5, 6, 8):
        made[f"GoToDoor-{size}x{size}"] = partial(_go_to_door, size=size)
    for size, count in ((5, 2), (6, 3), (8, 4), (16, 8)):
        made[f"Dynamic-Obstacles-{size}x{size}"] = partial(_dynamic_obstacles, size=size, n_obstacles=count)
    for size, count in ((5, 2), (6, 3)):
        made[f"Dynamic-Obstacles-Random-{size}x{size}"] = partial(
            _dynamic_obstacles, size=size, n_obstacles=count, anywhere=True
        )
    made["Playground"] = partial(_playground)
    return made


_CATALOGUE = _catalogue()
LEVELS = {name: make() for name, make in _CATALOGUE.items()}
"""By MiniGrid's names, ``MiniGrid-<name>-v0``; where it has a second version, the first is ``<name>-v0`` here."""


def find_level(name: str, **changes: int) -> Level:
    """The level of a name, in another size if MiniGrid's parameters for it are given, such as ``size=32``.

    Raises:
        TypeError: If the level has no such parameter.
        ValueError: If there is no level of that name, or none of that size.
    """
    if name not in _CATALOGUE:
        raise ValueError(f"unknown grid level {name!r}; known: {', '.join(_CATALOGUE)}")
    if not changes:
        return LEVELS[name]
    known = _CATALOGUE[name]
    try:
        return known(**changes)
    except TypeError as error:
        offered = ", ".join(f"{key}={value}" for key, value in known.keywords.items()) or "none"
        raise TypeError(f"{name} can't be had with {changes}; its parameters: {offered}") from error


def mission_of(level: Level, task: np.ndarray[Any, Any]) -> str:
    """What the agent is told in a world with this row of ``task``."""
    return level.mission(task.tolist())
