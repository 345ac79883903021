"""The named events of a MiniGrid step, told from what changed."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Snapshot", "front_cell", "happened"]

_AHEAD = ((1, 0), (0, 1), (-1, 0), (0, -1))


class Snapshot(NamedTuple):
    """What a step may change: the thing in front (a door's state), what is carried, the position."""

    thing: Any
    is_open: bool
    is_locked: bool
    carrying: Any
    x: int
    y: int

    @classmethod
    def of(cls, game: Any, front: int) -> Snapshot:
        """The present state, ``front`` being the index of the cell in front in MiniGrid's list."""
        thing = game.grid.grid[front]
        x, y = game.agent_pos
        if thing is not None and thing.type == "door":
            return cls(thing, thing.is_open, thing.is_locked, game.carrying, x, y)
        return cls(thing, False, False, game.carrying, x, y)


def front_cell(game: Any) -> int:
    """Index, in MiniGrid's list, of the cell in front of the agent."""
    x, y = game.agent_pos
    right, down = _AHEAD[game.agent_dir]
    return int((y + down) * game.width + x + right)


def happened(game: Any, before: Snapshot, front: int, success: bool, failed: bool) -> dict[str, bool]:
    """Every event that this library names, for the step just made.

    Args:
        game: The MiniGrid environment after the step.
        before: The snapshot taken before it.
        front: The cell that was then in front.
        success: Whether the step succeeded.
        failed: Whether it ended the episode without success.

    Returns:
        All events by name.
    """
    after = game.grid.grid[front]
    taken = game.carrying if before.carrying is None else None
    kind = None if taken is None else taken.type
    is_door = before.thing is not None and before.thing.type == "door"
    opened = is_door and before.thing.is_open and not before.is_open
    x, y = game.agent_pos
    moved = (x, y) != (before.x, before.y)
    beneath = game.grid.grid[y * game.width + x]
    return {
        "picked_up_key": kind == "key",
        "picked_up_ball": kind == "ball",
        "picked_up_box": kind == "box",
        "picked_up_object": kind is not None,
        "picked_up_target": success and kind is not None,
        "picked_up_wrong": failed and kind is not None,
        "dropped_object": before.carrying is not None and game.carrying is None,
        "opened_box": taken is None and _is_box(before.thing) and after is not before.thing,
        "opened_door": opened,
        "unlocked_door": opened and before.is_locked,
        "passed_door": moved and beneath is not None and beneath.type == "door",
        "reached_goal": success,
        "reached_target": success,
        "reached_match": success,
        "reached_mismatch": failed,
        "put_near": success,
        "fell_into_lava": failed and moved,
        "collided": failed,
    }


def _is_box(thing: Any) -> bool:
    return thing is not None and thing.type == "box"
