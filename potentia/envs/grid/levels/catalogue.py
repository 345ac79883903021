"""Every level in every size in which MiniGrid registers it, and how to have it in others.

A row says in which module of this folder a level is made, by which function, and with what. Nothing is imported before
a level is made, so that ids can be registered at no cost.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from potentia.envs.grid.levels.level import Level

Row = tuple[str, dict[str, Any]]


def _row(maker: str, **parameters: Any) -> Row:
    return maker, parameters


ROWS: dict[str, Row] = {
    "FourRooms": _row("four_rooms.four_rooms"),
    "Empty-5x5": _row("empty.empty", size=5),
    "DoorKey-5x5": _row("door_key.door_key", size=5),
    "Empty-6x6": _row("empty.empty", size=6),
    "DoorKey-6x6": _row("door_key.door_key", size=6),
    "Empty-8x8": _row("empty.empty", size=8),
    "DoorKey-8x8": _row("door_key.door_key", size=8),
    "Empty-16x16": _row("empty.empty", size=16),
    "DoorKey-16x16": _row("door_key.door_key", size=16),
    "Empty-Random-5x5": _row("empty.empty", size=5, anywhere=True),
    "Empty-Random-6x6": _row("empty.empty", size=6, anywhere=True),
    "LavaGapS5": _row("lava.lava_gap", size=5),
    "LavaGapS6": _row("lava.lava_gap", size=6),
    "LavaGapS7": _row("lava.lava_gap", size=7),
    "DistShift1": _row("lava.dist_shift", strip2_row=2),
    "DistShift2": _row("lava.dist_shift", strip2_row=5),
    "LavaCrossingS9N1": _row("crossing.crossing", size=9, num_crossings=1, walls=False),
    "SimpleCrossingS9N1": _row("crossing.crossing", size=9, num_crossings=1, walls=True),
    "LavaCrossingS9N2": _row("crossing.crossing", size=9, num_crossings=2, walls=False),
    "SimpleCrossingS9N2": _row("crossing.crossing", size=9, num_crossings=2, walls=True),
    "LavaCrossingS9N3": _row("crossing.crossing", size=9, num_crossings=3, walls=False),
    "SimpleCrossingS9N3": _row("crossing.crossing", size=9, num_crossings=3, walls=True),
    "LavaCrossingS11N5": _row("crossing.crossing", size=11, num_crossings=5, walls=False),
    "SimpleCrossingS11N5": _row("crossing.crossing", size=11, num_crossings=5, walls=True),
    "MultiRoom-N2-S4": _row("multi_room.multi_room", rooms=2, max_room_size=4),
    "MultiRoom-N4-S5-v0": _row("multi_room.multi_room", rooms=6, max_room_size=5),  # MiniGrid's first has six rooms
    "MultiRoom-N4-S5": _row("multi_room.multi_room", rooms=4, max_room_size=5),
    "MultiRoom-N6": _row("multi_room.multi_room", rooms=6, max_room_size=10),
    "Unlock": _row("unlock.unlock"),
    "UnlockPickup": _row("unlock.unlock_pickup"),
    "BlockedUnlockPickup": _row("unlock.unlock_pickup", blocked=True),
    "KeyCorridorS3R1": _row("key_corridor.key_corridor", room_size=3, num_rows=1),
    "KeyCorridorS3R2": _row("key_corridor.key_corridor", room_size=3, num_rows=2),
    "KeyCorridorS3R3": _row("key_corridor.key_corridor", room_size=3, num_rows=3),
    "KeyCorridorS4R3": _row("key_corridor.key_corridor", room_size=4, num_rows=3),
    "KeyCorridorS5R3": _row("key_corridor.key_corridor", room_size=5, num_rows=3),
    "KeyCorridorS6R3": _row("key_corridor.key_corridor", room_size=6, num_rows=3),
    "ObstructedMaze-1Dl": _row("obstructed_maze.one_door"),
    "ObstructedMaze-2Dl": _row("obstructed_maze.quarters", number=1, visited=4, start_right=True),
    "ObstructedMaze-1Dlh": _row("obstructed_maze.one_door", hide=True),
    "ObstructedMaze-2Dlh": _row("obstructed_maze.quarters", number=1, visited=4, start_right=True, hide=True),
    "ObstructedMaze-1Dlhb": _row("obstructed_maze.one_door", hide=True, block=True),
    "ObstructedMaze-2Dlhb": _row(
        "obstructed_maze.quarters", number=1, visited=4, start_right=True, hide=True, block=True, keys_last=True
    ),
    "ObstructedMaze-2Dlhb-v0": _row(
        "obstructed_maze.quarters", number=1, visited=4, start_right=True, hide=True, block=True
    ),
    "ObstructedMaze-1Q-v0": _row("obstructed_maze.quarters", number=1, visited=5, hide=True, block=True),
    "ObstructedMaze-2Q-v0": _row(
        "obstructed_maze.quarters", number=2, visited=11, start_right=True, hide=True, block=True
    ),
    "ObstructedMaze-Full-v0": _row("obstructed_maze.quarters", number=4, visited=25, hide=True, block=True),
    "ObstructedMaze-1Q": _row("obstructed_maze.quarters", number=1, visited=5, hide=True, block=True, keys_last=True),
    "ObstructedMaze-2Q": _row(
        "obstructed_maze.quarters", number=2, visited=11, start_right=True, hide=True, block=True, keys_last=True
    ),
    "ObstructedMaze-Full": _row(
        "obstructed_maze.quarters", number=4, visited=25, hide=True, block=True, keys_last=True
    ),
    "RedBlueDoors-6x6": _row("red_blue_doors.red_blue_doors", size=6),
    "RedBlueDoors-8x8": _row("red_blue_doors.red_blue_doors", size=8),
    "LockedRoom": _row("locked_room.locked_room"),
    "MemoryS7": _row("memory.memory", size=7),
    "MemoryS9": _row("memory.memory", size=9),
    "MemoryS11": _row("memory.memory", size=11),
    "MemoryS13": _row("memory.memory", size=13),
    "MemoryS13Random": _row("memory.memory", size=13, random_length=True),
    "MemoryS17Random": _row("memory.memory", size=17, random_length=True),
    "Fetch-5x5-N2": _row("things.fetch", size=5, numObjs=2),
    "Fetch-6x6-N2": _row("things.fetch", size=6, numObjs=2),
    "Fetch-8x8-N3": _row("things.fetch", size=8, numObjs=3),
    "GoToObject-6x6-N2": _row("things.go_to_object", size=6, numObjs=2),
    "GoToObject-8x8-N2": _row("things.go_to_object", size=8, numObjs=2),
    "PutNear-6x6-N2": _row("things.put_near", size=6, numObjs=2),
    "PutNear-8x8-N3": _row("things.put_near", size=8, numObjs=3),
    "GoToDoor-5x5": _row("go_to_door.go_to_door", size=5),
    "GoToDoor-6x6": _row("go_to_door.go_to_door", size=6),
    "GoToDoor-8x8": _row("go_to_door.go_to_door", size=8),
    "Dynamic-Obstacles-5x5": _row("dynamic_obstacles.dynamic_obstacles", size=5, n_obstacles=2),
    "Dynamic-Obstacles-6x6": _row("dynamic_obstacles.dynamic_obstacles", size=6, n_obstacles=3),
    "Dynamic-Obstacles-8x8": _row("dynamic_obstacles.dynamic_obstacles", size=8, n_obstacles=4),
    "Dynamic-Obstacles-16x16": _row("dynamic_obstacles.dynamic_obstacles", size=16, n_obstacles=8),
    "Dynamic-Obstacles-Random-5x5": _row(
        "dynamic_obstacles.dynamic_obstacles", size=5, n_obstacles=2, anywhere=True
    ),
    "Dynamic-Obstacles-Random-6x6": _row(
        "dynamic_obstacles.dynamic_obstacles", size=6, n_obstacles=3, anywhere=True
    ),
    "Playground": _row("playground.playground"),
}  # fmt: skip
"""By MiniGrid's names, ``MiniGrid-<name>-v0``. Where it has a second version, the first is ``<name>-v0`` here."""

NAMES: tuple[str, ...] = tuple(name for name in ROWS if not name.endswith("-v0"))
"""The levels that have an id, ``potentia/<name>-v0``."""


class _Levels(Mapping[str, "Level"]):
    """The levels of the rows, each made when it is first asked for."""

    def __getitem__(self, name: str) -> Level:
        if name not in ROWS:
            raise KeyError(name)
        return _made(name)

    def __iter__(self) -> Iterator[str]:
        return iter(ROWS)

    def __len__(self) -> int:
        return len(ROWS)


LEVELS: Mapping[str, Level] = _Levels()
"""The levels by their names."""


def find_level(name: str, **changes: int) -> Level:
    """The level of a name, in another size if MiniGrid's parameters for it are given, such as ``size=32``.

    Raises:
        TypeError: If the level has no such parameter.
        ValueError: If there is no level of that name, or none of that size.
    """
    if name not in ROWS:
        raise ValueError(f"unknown grid level {name!r}; known: {', '.join(ROWS)}")
    if not changes:
        return LEVELS[name]
    make, parameters = _maker(name), ROWS[name][1]
    known = inspect.signature(make).parameters
    if unknown := sorted(set(changes) - set(known)):
        defaults = {key: parameter.default for key, parameter in known.items()}
        offered = ", ".join(f"{key}={value}" for key, value in (defaults | parameters).items()) or "none"
        raise TypeError(f"{name} has no parameter {', '.join(unknown)}; its parameters: {offered}")
    return make(**parameters | changes)


def _maker(name: str) -> Callable[..., Level]:
    module, _, function = ROWS[name][0].partition(".")
    made: Callable[..., Level] = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    return made


@cache
def _made(name: str) -> Level:
    return _maker(name)(**ROWS[name][1])
