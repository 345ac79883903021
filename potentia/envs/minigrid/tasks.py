"""What each MiniGrid task asks for, and which events happen in it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TASKS", "Task", "minigrid_id", "task_of"]

# MiniGrid keeps the first versions of these for their bugs: too many rooms, keys hidden under balls.
_SECOND_VERSION = {
    "MultiRoom-N4-S5",
    "ObstructedMaze-2Dlhb",
    "ObstructedMaze-1Q",
    "ObstructedMaze-2Q",
    "ObstructedMaze-Full",
}


@dataclass(frozen=True)
class Task:
    """A family of MiniGrid ids.

    Attributes:
        names: MiniGrid's ids without ``MiniGrid-`` and without the version.
        oracle: How success is reached, which decides how `DistanceOracle` computes the distance; None where it
            would not be exact, and then ``distance`` and ``potential`` are not in the info.
        events: Names of the subgoal events.
    """

    names: tuple[str, ...]
    oracle: str | None
    events: tuple[str, ...]


_DOOR = ("opened_door", "passed_door")
_KEY = ("picked_up_key", "unlocked_door")
_GOAL = ("reached_goal",)
_TARGET = ("picked_up_target",)
_MAZE = ("picked_up_key", "picked_up_ball", "picked_up_box", "dropped_object", "opened_box", "unlocked_door")

TASKS: tuple[Task, ...] = (
    Task(
        tuple(f"Empty-{size}" for size in ("5x5", "Random-5x5", "6x6", "Random-6x6", "8x8", "16x16"))
        + ("FourRooms",)
        + tuple(f"SimpleCrossing{size}" for size in ("S9N1", "S9N2", "S9N3", "S11N5")),
        "goal",
        _GOAL,
    ),
    Task(
        tuple(f"LavaCrossing{size}" for size in ("S9N1", "S9N2", "S9N3", "S11N5"))
        + ("LavaGapS5", "LavaGapS6", "LavaGapS7", "DistShift1", "DistShift2"),
        "goal",
        (*_GOAL, "fell_into_lava"),
    ),
    Task(
        tuple(
            f"Dynamic-Obstacles-{size}" for size in ("5x5", "Random-5x5", "6x6", "Random-6x6", "8x8", "16x16")
        ),
        "goal_past_obstacles",
        (*_GOAL, "collided"),
    ),
    Task(
        ("MultiRoom-N2-S4", "MultiRoom-N4-S5", "MultiRoom-N6"),
        "goal",
        (*_DOOR, *_GOAL),
    ),
    Task(
        ("DoorKey-5x5", "DoorKey-6x6", "DoorKey-8x8", "DoorKey-16x16", "LockedRoom"),
        "goal",
        (*_KEY, *_DOOR, *_GOAL),
    ),
    Task(("Unlock",), "unlock", _KEY),
    Task(
        (
            "UnlockPickup",
            *(f"KeyCorridor{s}" for s in ("S3R1", "S3R2", "S3R3", "S4R3", "S5R3", "S6R3")),
        ),
        "pickup",
        (*_KEY, *_DOOR, "dropped_object", *_TARGET),
    ),
    Task(("BlockedUnlockPickup",), None, (*_MAZE, *_DOOR, *_TARGET)),
    Task(
        tuple(
            f"ObstructedMaze-{size}"
            for size in ("1Dl", "1Dlh", "1Dlhb", "2Dl", "2Dlh", "2Dlhb", "1Q", "2Q", "Full")
        ),
        None,
        (*_MAZE, *_DOOR, *_TARGET),
    ),
    Task(
        tuple(f"Memory{size}" for size in ("S7", "S9", "S11", "S13", "S13Random", "S17Random")),
        "memory",
        ("reached_match", "reached_mismatch"),
    ),
    Task(("RedBlueDoors-6x6", "RedBlueDoors-8x8"), "red_then_blue", _DOOR),
    Task(
        ("Fetch-5x5-N2", "Fetch-6x6-N2", "Fetch-8x8-N3"),
        "fetch",
        ("picked_up_target", "picked_up_wrong"),
    ),
    Task(("GoToDoor-5x5", "GoToDoor-6x6", "GoToDoor-8x8"), "beside", ("reached_target",)),
    Task(("GoToObject-6x6-N2", "GoToObject-8x8-N2"), None, ("reached_target",)),
    Task(("PutNear-6x6-N2", "PutNear-8x8-N3"), None, ("picked_up_object", "put_near")),
)


def task_of(name: str) -> Task:
    """The task of a MiniGrid name.

    Raises:
        ValueError: If there is none of this name.
    """
    for task in TASKS:
        if name in task.names:
            return task
    known = sorted(name for task in TASKS for name in task.names)
    raise ValueError(f"name must be one of {known}, got {name!r}")


def minigrid_id(name: str) -> str:
    """MiniGrid's own id of a task, in its newest version."""
    return f"MiniGrid-{name}-v{1 if name in _SECOND_VERSION else 0}"
