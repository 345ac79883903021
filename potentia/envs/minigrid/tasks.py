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
        oracle: How success is reached, which decides how `DistanceOracle` computes the distance; None where
            it would not be exact, and then ``distance`` and ``potential`` are not in the info.
        events: Names of the subgoal events.
    """

    names: tuple[str, ...]
    oracle: str | None
    events: tuple[str, ...]


_DOOR = ("opened_door", "passed_door")
_KEY = ("picked_up_key", "unlocked_door")
_GOAL = ("reached_goal",)
_LAVA = (*_GOAL, "fell_into_lava")
_TARGET = ("picked_up_target",)
_MAZE = ("picked_up_key", "picked_up_ball", "picked_up_box", "dropped_object", "opened_box", "unlocked_door")


def _named(pattern: str, sizes: str) -> tuple[str, ...]:
    return tuple(pattern.format(size) for size in sizes.split())


TASKS: tuple[Task, ...] = (
    Task(_named("Empty-{}", "5x5 Random-5x5 6x6 Random-6x6 8x8 16x16"), "goal", _GOAL),
    Task(("FourRooms", *_named("SimpleCrossing{}", "S9N1 S9N2 S9N3 S11N5")), "goal", _GOAL),
    Task(_named("LavaCrossing{}", "S9N1 S9N2 S9N3 S11N5"), "goal", _LAVA),
    Task(_named("{}", "LavaGapS5 LavaGapS6 LavaGapS7 DistShift1 DistShift2"), "goal", _LAVA),
    Task(
        _named("Dynamic-Obstacles-{}", "5x5 Random-5x5 6x6 Random-6x6 8x8 16x16"),
        "goal_past_obstacles",
        (*_GOAL, "collided"),
    ),
    Task(_named("MultiRoom-{}", "N2-S4 N4-S5 N6"), "goal", (*_DOOR, *_GOAL)),
    Task(_named("DoorKey-{}", "5x5 6x6 8x8 16x16"), "goal", (*_KEY, *_DOOR, *_GOAL)),
    Task(("LockedRoom",), "goal", (*_KEY, *_DOOR, *_GOAL)),
    Task(("Unlock",), "unlock", _KEY),
    Task(
        ("UnlockPickup", *_named("KeyCorridor{}", "S3R1 S3R2 S3R3 S4R3 S5R3 S6R3")),
        "pickup",
        (*_KEY, *_DOOR, "dropped_object", *_TARGET),
    ),
    Task(("BlockedUnlockPickup",), None, (*_MAZE, *_DOOR, *_TARGET)),
    Task(
        _named("ObstructedMaze-{}", "1Dl 1Dlh 1Dlhb 2Dl 2Dlh 2Dlhb 1Q 2Q Full"),
        None,
        (*_MAZE, *_DOOR, *_TARGET),
    ),
    Task(
        _named("Memory{}", "S7 S9 S11 S13 S13Random S17Random"),
        "memory",
        ("reached_match", "reached_mismatch"),
    ),
    Task(_named("RedBlueDoors-{}", "6x6 8x8"), "red_then_blue", _DOOR),
    Task(_named("Fetch-{}", "5x5-N2 6x6-N2 8x8-N3"), "fetch", ("picked_up_target", "picked_up_wrong")),
    Task(_named("GoToDoor-{}", "5x5 6x6 8x8"), "beside", ("reached_target",)),
    Task(_named("GoToObject-{}", "6x6-N2 8x8-N2"), None, ("reached_target",)),
    Task(_named("PutNear-{}", "6x6-N2 8x8-N3"), None, ("picked_up_object", "put_near")),
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
