"""Worlds that MuJoCo simulates: Meta-World's tasks, and mazes for a ball and an ant.

They need the extras `metaworld` and `robotics`. Registering the ids does not.
"""

from __future__ import annotations

import importlib
from typing import Any

import gymnasium as gym
from gymnasium.vector import VectorEnv

from potentia.envs.mujoco.catalogue import MAZE_BODIES, MAZES, METAWORLD_TASKS
from potentia.envs.text.vector import make_vector

__all__ = ["MAZES", "METAWORLD_TASKS", "make_world", "make_world_vector", "register"]


def make_world(kind: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """One world.

    Args:
        kind: Where its class is: ``"metaworld:MetaWorld"`` or ``"mazes:Maze"``.
        kwargs: Go to the class.
    """
    module, _, name = kind.partition(":")
    world: gym.Env[Any, Any] = getattr(importlib.import_module(f"potentia.envs.mujoco.{module}"), name)(**kwargs)
    return world


def make_world_vector(
    kind: str, num_envs: int = 1, *, max_episode_steps: int | None = None, **kwargs: Any
) -> VectorEnv[Any, Any, Any]:
    """Several worlds, one after the other, or with ``processes=True`` in one process each.

    Args:
        kind: As for `make_world`.
        num_envs: N.
        max_episode_steps: Gymnasium's name for ``max_steps``.
        kwargs: ``processes`` and ``autoreset_mode``, and what goes to the class.
    """
    if max_episode_steps is not None:
        kwargs["max_steps"] = min(max_episode_steps, kwargs.get("max_steps", max_episode_steps))
    return make_vector(make_world, num_envs, kind=kind, **kwargs)


def register() -> None:
    """Registers the ids that are not registered yet. Imports no engine."""
    for task in METAWORLD_TASKS:
        _register(f"MetaWorld-{task}", {"kind": "metaworld:MetaWorld", "task": task})
    for body in MAZE_BODIES:
        for maze in MAZES:
            _register(f"{body}-{maze}", {"kind": "mazes:Maze", "body": body, "maze": maze})


def _register(name: str, kwargs: dict[str, Any]) -> None:
    if (identifier := f"potentia/{name}-v0") not in gym.registry:
        gym.register(
            id=identifier,
            entry_point="potentia.envs.mujoco:make_world",
            vector_entry_point="potentia.envs.mujoco:make_world_vector",
            kwargs=kwargs,
        )
