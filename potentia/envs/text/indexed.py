"""Commands by number and texts as vectors, for learners that can't read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from potentia.envs.text.game import TextGame
from potentia.envs.text.vectors import KeptVectors, hashed_words

__all__ = ["IndexedCommands"]


class IndexedCommands(gym.Wrapper[Any, Any, str, str], RecordConstructorArgs):
    """A text world whose actions are the numbers of the commands that do something here.

    An observation is a dict: ``text``, float32 ``(W,)``; ``commands``, float32 ``(K, C)``, a row a command, zeros
    behind the last; ``action_mask``, int8 ``(K,)``, 1 for each command that there is, which this library's learners
    obey. Action k is the command in row k, in the order of `TextGame.commands`. Beyond the last command it is "", which
    does nothing. If there are more than K, the last ones can't be chosen.

    Args:
        env: A `TextGame` in any wrappers that leave observations and actions as they are.
        commands: K.
        width: W.
        command_width: C.
        encoder: From a text and a width to float32 ``(width,)``. None is `hashed_words`.
        flat: One float32 vector ``(W + K * C + K,)`` instead of the dict, for learners that take nothing else.

    Raises:
        TypeError: If the environment is no `TextGame`.
        ValueError: If it does not know which commands do something.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        *,
        commands: int = 32,
        width: int = 128,
        command_width: int = 32,
        encoder: Callable[[str, int], Any] | None = None,
        flat: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, commands=commands, width=width, command_width=command_width, encoder=encoder, flat=flat
        )
        gym.Wrapper.__init__(self, env)
        game = env.unwrapped
        if not isinstance(game, TextGame):
            raise TypeError(f"IndexedCommands needs one of this library's text worlds, got {type(game).__name__}")
        if type(game).commands is TextGame.commands:
            raise ValueError(f"{type(game).__name__} does not know which commands do something: act in text instead")
        self._game, self._encode, self._flat = game, encoder or hashed_words, flat
        self._sizes = commands, width, command_width
        self._vector = KeptVectors(command_width, encoder)
        parts: dict[str, spaces.Space[Any]] = {
            "text": spaces.Box(-np.inf, np.inf, (width,), np.float32),
            "commands": spaces.Box(-np.inf, np.inf, (commands, command_width), np.float32),
            "action_mask": spaces.Box(0, 1, (commands,), np.int8),
        }
        total = width + commands * command_width + commands
        self.observation_space = spaces.Box(-np.inf, np.inf, (total,), np.float32) if flat else spaces.Dict(parts)
        self.action_space = spaces.Discrete(commands)
        self._present: tuple[str, ...] = ()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        text, info = self.env.reset(seed=seed, options=options)
        return self._observe(text), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Does the command of this number."""
        text, reward, terminated, truncated, info = self.env.step(self.command(action))
        return self._observe(text), reward, terminated, truncated, info

    @property
    def size(self) -> int:
        """K."""
        return self._sizes[0]

    def command(self, action: Any) -> str:
        """The command of a number in the present state, "" beyond the last.

        Raises:
            ValueError: If the number is not one of the action space's.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"action must be in 0..{self._sizes[0] - 1}, got {action!r}")
        return self._present[int(action)] if int(action) < len(self._present) else ""

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are commands here, bool ``(K,)``: what sb3-contrib's MaskablePPO asks for."""
        return np.arange(self._sizes[0]) < len(self._present)

    def _observe(self, text: str) -> Any:
        number, width, command_width = self._sizes
        self._present = tuple(self._game.commands)[:number]
        table = np.zeros((number, command_width), np.float32)
        for row, command in enumerate(self._present):
            table[row] = self._vector(command)
        mask = self.action_masks()
        vector = np.asarray(self._encode(text, width), np.float32)
        if self._flat:
            return np.concatenate([vector, table.ravel(), mask.astype(np.float32)])
        return {"text": vector, "commands": table, "action_mask": mask.astype(np.int8)}
