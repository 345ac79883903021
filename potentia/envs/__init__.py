"""Worlds: one folder a family, each registering its ids under ``potentia/``.

Importing this package, or registering the ids, imports no simulator: ids are registered by the name of their
entry point, and the simulator is imported when the first environment is made.
"""

from __future__ import annotations

import importlib

__all__ = ["register_envs"]

_FAMILIES = ("control", "exact", "grid", "minihack", "mujoco", "text", "web")


def register_envs() -> None:
    """Register every id of this library with Gymnasium. Calling it again changes nothing.

    ``import potentia`` calls it. (Gymnasium 1.0 dropped the entry points by which it once found worlds itself. Without
    an import of yours, ``gym.make("potentia:potentia/Chain-v0")`` imports the package first.)
    """
    for family in _FAMILIES:
        importlib.import_module(f"potentia.envs.{family}").register()
