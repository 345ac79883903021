"""The actions of random play: any of the space, and in a text world mostly commands that do something."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

__all__ = ["RandomActions", "all_actions"]

_MEANT = 0.9
"""How often an action of a text world is one of its commands. A random text would hardly ever be one."""


class RandomActions:
    """Draws an environment's actions, the same under one seed wherever the same states are met.

    Args:
        env: Whose actions. A text world says by an attribute ``commands`` which do something where it stands.
        seed: Of the draws.
    """

    def __init__(self, env: gym.Env[Any, Any], seed: int) -> None:
        self._space = copy.deepcopy(env.action_space)
        self._space.seed(seed)
        self._world = env.unwrapped
        self._rng = np.random.default_rng(seed)

    def draw(self) -> Any:
        """An action for where the environment stands."""
        if isinstance(self._space, spaces.Text) and self._rng.random() < _MEANT:
            commands = getattr(self._world, "commands", ())
            if len(commands):
                return commands[int(self._rng.integers(len(commands)))]
        return self._space.sample()


def all_actions(env: gym.Env[Any, Any]) -> list[Any]:
    """Every action that can do something where the environment stands. Of other spaces than two it is empty."""
    space = env.action_space
    if isinstance(space, spaces.Discrete):
        return [int(space.start) + k for k in range(int(space.n))]
    return list(getattr(env.unwrapped, "commands", ())) if isinstance(space, spaces.Text) else []
