"""Worlds: one folder a family, each registering its ids under ``potentia/``.

Importing this package, or registering the ids, imports no simulator: ids are registered by the name of their
entry point, and the simulator is imported when the first environment is made.
"""

from __future__ import annotations

import importlib

__all__ = ["register_envs"]

_FAMILIES = ("exact", "minigrid", "minihack")


def register_envs() -> None:
    """Register every id of this library with Gymnasium; calling it again changes nothing.

    It is the entry point ``gymnasium.envs``, so ``import gymnasium`` is enough to make the ids known.
    """
    for family in _FAMILIES:
        importlib.import_module(f"potentia.envs.{family}").register()
