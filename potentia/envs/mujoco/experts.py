"""Who does Meta-World's tasks, and who rolls through a maze."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.experts import StateExpert
from potentia.envs.mujoco.metaworld import metaworld_module

__all__ = ["ScriptedExpert", "WayExpert"]


class ScriptedExpert(StateExpert):
    """The package's scripted policy of each task, clipped to the bounds of actions.

    Args:
        envs: Meta-World's tasks.
    """

    def __init__(self, envs: Sequence[Any]) -> None:
        super().__init__(envs)
        known = metaworld_module("policies").ENV_POLICY_MAP
        self._policies = [known[f"{env.unwrapped.task}-v3"]() for env in envs]

    def _choose(self, obs: Any) -> NDArray[np.float32]:
        rows = np.asarray(obs, np.float64).reshape(len(self._policies), -1)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Constant")  # of what is clipped
            acts = [policy.get_action(row) for policy, row in zip(self._policies, rows, strict=True)]
        return np.clip(np.array(acts, np.float32), -1.0, 1.0)


class WayExpert(StateExpert):
    """A ball's push towards the next point of the shortest way: ``10 (point - place) - velocity``, clipped.

    Raises:
        ValueError: If the body is an ant.
    """

    def __init__(self, envs: Sequence[Any]) -> None:
        super().__init__(envs)
        self._worlds = [env.unwrapped for env in envs]
        if any(world.body != "PointMaze" for world in self._worlds):
            raise ValueError("there is no expert for AntMaze, whose ant would have to walk; PointMaze has one")

    def _choose(self, obs: Any) -> NDArray[np.float32]:
        rows = np.asarray(obs, np.float64).reshape(len(self._worlds), -1)
        acts = [10.0 * (world.next_point() - row[:2]) - row[2:4] for world, row in zip(self._worlds, rows, strict=True)]
        return np.clip(np.array(acts, np.float32), -1.0, 1.0)
