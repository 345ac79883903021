"""The ids of the grid worlds."""

from __future__ import annotations

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.grid.levels.catalogue import NAMES

__all__ = ["register"]


def register() -> None:
    """Register ``potentia/<name>-v0`` for every level. Of MiniGrid's two versions, the second is meant."""
    for name in NAMES:
        if (identifier := f"potentia/{name}-v0") not in registry:
            register_id(
                id=identifier,
                entry_point="potentia.envs.grid.env:GridEnv",
                vector_entry_point="potentia.envs.grid.vector:GridVectorEnv",
                kwargs={"level": name},
            )
