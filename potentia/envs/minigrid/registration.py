"""The ids of the MiniGrid worlds."""

from __future__ import annotations

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.minigrid.tasks import TASKS

__all__ = ["register"]


def register() -> None:
    """Register ``potentia/<name>-v0`` for every task that is not registered yet."""
    for task in TASKS:
        for name in task.names:
            if (identifier := f"potentia/{name}-v0") not in registry:
                register_id(
                    id=identifier,
                    entry_point="potentia.envs.minigrid.world:MiniGridWorld",
                    kwargs={"name": name},
                )
