"""MiniHack and NetHack worlds: exact seeds, true state, captions, subgoals and oracle distances.

Needs the extra `minihack`. Registering the ids does not.
"""

from __future__ import annotations

import gymnasium as gym

from potentia.envs.minihack.catalogue import CUSTOM, TASKS

__all__ = ["CUSTOM", "TASKS", "register"]


def register() -> None:
    """Registers `potentia/<task>` for each task in `TASKS` and `CUSTOM`. Imports neither nle nor minihack."""
    for name in (*TASKS, *CUSTOM):
        world = f"potentia/{name}"
        if world not in gym.registry:
            gym.register(id=world, entry_point="potentia.envs.minihack.world:MiniHackWorld", kwargs={"task": name})
