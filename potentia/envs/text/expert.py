"""Who follows the plan of a text world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.envs.experts import StateExpert
from potentia.envs.text.indexed import IndexedCommands
from potentia.envs.world import ask

__all__ = ["PlanExpert"]


class PlanExpert(StateExpert):
    """The first command of ``info["plan"]``, as a text or as its number where actions are numbers.

    The worlds are asked for their plans. So their info has them from now on.

    Raises:
        ValueError: If a world offers no plan. Where there is no way to success an action raises it, too, or where the
            command has no number.
    """

    def __init__(self, envs: Sequence[Any]) -> None:
        super().__init__(envs)
        for env in envs:
            world = env.unwrapped
            if "plan" not in world.offered_keys:
                raise ValueError(
                    f"there is no expert for {type(world).__name__}, which offers no plan but {world.offered_keys}"
                )
            ask(env, ["plan"])
        self._numbered = [_numbered(env) for env in envs]

    def _choose(self, obs: Any) -> Any:
        commands = [self._command(env.unwrapped) for env in self.envs]
        if self._numbered[0] is None:
            texts = np.empty(len(commands), object)
            texts[:] = commands
            return texts
        return np.array([_number(w, c) for w, c in zip(self._numbered, commands, strict=True)], np.int64)

    def _command(self, world: Any) -> str:
        plan: str = world.info_now()["plan"]
        return plan.partition("\n")[0]  # "" where the episode is over, and the next one begins


def _numbered(env: Any) -> IndexedCommands | None:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, IndexedCommands):
            return env
        env = env.env
    return None


def _number(wrapper: IndexedCommands | None, command: str) -> int:
    assert wrapper is not None
    size = wrapper.size
    for number in range(size):
        if wrapper.command(number) == command:
            return number
    if not command:
        return size - 1
    raise ValueError(f"the command {command!r} of the plan has no number among {size}; give IndexedCommands more")
