"""Who can do the task: for each family of worlds that has one, an actor that shows it, from the true state."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium as gym
from gymnasium.vector import VectorEnv

__all__ = ["Expert", "StateExpert", "expert"]

_FAMILIES: dict[str, tuple[str, str]] = {
    "potentia.envs.grid.env:GridEnv": ("potentia.envs.grid.expert:GridExpert", "grids with a distance"),
    "potentia.envs.grid.vector:GridVectorEnv": ("potentia.envs.grid.expert:GridExpert", ""),
    "potentia.envs.exact.world:TabularWorld": ("potentia.envs.exact.expert:ExactExpert", "exact worlds"),
    "potentia.envs.exact.vector:TabularVectorEnv": ("potentia.envs.exact.expert:ExactExpert", ""),
    "potentia.envs.text.game:TextGame": ("potentia.envs.text.expert:PlanExpert", "text worlds with a plan"),
    "potentia.envs.mujoco.metaworld:MetaWorld": ("potentia.envs.mujoco.experts:ScriptedExpert", "Meta-World's tasks"),
    "potentia.envs.mujoco.mazes:Maze": ("potentia.envs.mujoco.experts:WayExpert", "PointMaze"),
    "potentia.envs.control.env:ControlEnv": ("potentia.envs.control.experts:ControlExpert", "control worlds"),
    "potentia.envs.control.vector:ControlVectorEnv": ("potentia.envs.control.experts:ControlExpert", ""),
}
"""By the class of a world or of a vector: where its expert is, and which worlds these are."""


class Expert(Protocol):
    """An actor that can do the task of some environments, a `potentia.collect.Actor`."""

    def init(self, num_envs: int) -> Any:
        """Its memory at the start of episodes."""
        ...

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        """Actions ``(N, ...)`` and the memory after them."""
        ...


class StateExpert:
    """An expert that is made with its environments, because it looks at their true states, and remembers nothing.

    Subclasses say what they `_choose`.

    Args:
        envs: A vector environment of this library, or N environments.
    """

    def __init__(self, envs: Sequence[Any]) -> None:
        self.envs = tuple(envs)

    def init(self, num_envs: int) -> Any:
        """Nothing."""
        return ()

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        """The actions ``(N, ...)`` for the states that the environments are in."""
        return self._choose(obs), carry

    def _choose(self, obs: Any) -> Any:
        """The actions ``(N, ...)`` for the states that the environments are in, which ``obs`` shows."""
        raise NotImplementedError


def expert(envs: VectorEnv[Any, Any, Any] | gym.Env[Any, Any]) -> Expert:
    """An actor that does the task in ``envs`` nearly always. It acts in these environments alone.

    Grids: down the exact distance. Exact worlds: their optimum. Text worlds with a plan: its next command. Meta-World:
    the package's scripted policies. PointMaze: along the shortest way. Control worlds: see
    `potentia.envs.control`.

    Args:
        envs: A vector environment in this process, or a single environment, of which it acts for ``(1, ...)``.

    Raises:
        ValueError: If there is no expert for these worlds, or they are in other processes.

    >>> import gymnasium as gym
    >>> import potentia
    >>> envs = gym.make_vec("potentia/Chain-v0", num_envs=2, length=5)
    >>> obs, _ = envs.reset(seed=0)
    >>> expert(envs).act(obs, ())[0].tolist()
    [1, 1]
    """
    base = envs.unwrapped
    inside = list(getattr(base, "envs", ()))
    if not inside and type(base).__name__ == "AsyncVectorEnv":
        raise ValueError(
            "an expert looks at the true states, which are in other processes here: make the worlds without processes "
            "to record them"
        )
    first = inside[0].unwrapped if inside else base
    for kind in type(first).__mro__:
        if (found := _FAMILIES.get(f"{kind.__module__}:{kind.__qualname__}")) is not None:
            module, _, name = found[0].partition(":")
            made: Expert = getattr(importlib.import_module(module), name)(inside or [envs])
            return made
    having = ", ".join(words for _, words in _FAMILIES.values() if words)
    raise ValueError(
        f"there is no expert for {type(first).__name__}; these have one: {having}. Record another actor, such as a "
        "policy that was trained"
    )
