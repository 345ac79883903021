"""MiniGrid's own ids of the levels."""

from __future__ import annotations

import gymnasium as gym


def minigrid_id(name: str) -> str:
    """The id of a level: of the second version, where there is one, unless the name says otherwise."""
    if name.endswith("-v0"):
        return f"MiniGrid-{name}"
    return next(i for i in (f"MiniGrid-{name}-v1", f"MiniGrid-{name}-v0") if i in gym.registry)
