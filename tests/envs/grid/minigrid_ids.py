"""MiniGrid's own ids of the levels."""

from __future__ import annotations

import gymnasium as gym


def minigrid_id(name: str) -> str | None:
    """The id of a level: of the second version, where there is one, unless the name says otherwise.

    None if MiniGrid lacks the level.
    """
    ids = [f"MiniGrid-{name}"] if name.endswith("-v0") else [f"MiniGrid-{name}-v1", f"MiniGrid-{name}-v0"]
    return next((identifier for identifier in ids if identifier in gym.registry), None)


def in_minigrid(names: list[str]) -> list[str]:
    """Those of the levels that MiniGrid has, too."""
    return [name for name in names if minigrid_id(name) is not None]
