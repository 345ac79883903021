"""The control worlds by name. A world is imported when it is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

from potentia.envs.control.rules import Rules

__all__ = ["WORLDS", "find_rules"]

WORLDS: dict[str, str] = {
    "HardMaze": "hard_maze:hard_maze",
    "Curling": "curling:curling",
    "RedundantArm": "redundant_arm:redundant_arm",
    "SparseMountainCar": "mountain_car:mountain_car",
    "SparseAcrobot": "acrobot:acrobot",
    "SparseReacher": "reacher:reacher",
    "LineKey": "line_key:line_key",
    "LineKeys": "line_key:line_keys",
}
"""From the name of a world, which is that of its id, to the module here and the function in it that makes its rules."""


def find_rules(world: str | Rules, **options: Any) -> Rules:
    """The rules of a world.

    Args:
        world: A name in `WORLDS`, or rules, which are returned.
        options: What the function that makes them takes.

    Raises:
        ValueError: If there is no such world, or options are given with rules.
        TypeError: If the world has no such option.
    """
    if isinstance(world, Rules):
        if options:
            raise ValueError(f"rules are complete: make {world.name} with the options, got {sorted(options)} beside it")
        return world
    if world not in WORLDS:
        raise ValueError(f"world must be among {tuple(WORLDS)}, or rules, got {world!r}")
    module, function = WORLDS[world].split(":")
    rules: Rules = getattr(importlib.import_module(f"potentia.envs.control.{module}"), function)(**options)
    return rules
