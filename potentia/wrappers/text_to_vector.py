"""Texts in observations as vectors, for learners that take no texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from potentia.envs.text.vectors import KeptVectors

__all__ = ["TextToVector"]


class TextToVector(gym.ObservationWrapper[Any, Any, Any], RecordConstructorArgs):
    """Each text of an observation becomes a vector: a bag of hashed words, or what an encoder makes of it.

    Texts are found anywhere in a Dict or Tuple, such as the mission of a MiniGrid level. All else stays as it is. Bags
    of hashed words: Weinberger et al. 2009, arXiv 0902.2206.

    For a vector of environments pass the class as one of the ``wrappers`` of ``gym.make_vec(..., "sync")``.

    Args:
        env: An environment whose observations hold texts: spaces `gymnasium.spaces.Text`, or any space whose samples
            are ``str``.
        width: W.
        encoder: From a text and W to float32 ``(W,)``, such as an embedding. None is
            `potentia.envs.text.hashed_words`. It must be a pure function: vectors are kept.

    Raises:
        ValueError: If there is no text in the observation, or W is less than 1.

    >>> import potentia
    >>> env = TextToVector(gym.make("potentia/DoorKey-5x5-v0", observation="dict"), width=16)
    >>> env.observation_space["mission"].shape
    (16,)
    """

    def __init__(
        self, env: gym.Env[Any, Any], *, width: int = 128, encoder: Callable[[str, int], Any] | None = None
    ) -> None:
        if width < 1:
            raise ValueError(f"width must be at least 1, got {width}")
        RecordConstructorArgs.__init__(self, width=width, encoder=encoder)
        gym.ObservationWrapper.__init__(self, env)
        self._width, self._vector = width, KeptVectors(width, encoder)
        self.observation_space = self._space(env.observation_space)
        if self.observation_space == env.observation_space:
            raise ValueError(f"there is no text in the observations of this environment: {env.observation_space}")

    def observation(self, observation: Any) -> Any:
        """The observation with a vector for each text."""
        return self._converted(self.env.observation_space, observation)

    def _space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        if isinstance(space, spaces.Dict):
            return spaces.Dict({name: self._space(inner) for name, inner in space.spaces.items()})
        if isinstance(space, spaces.Tuple):
            return spaces.Tuple([self._space(inner) for inner in space.spaces])
        return spaces.Box(-np.inf, np.inf, (self._width,), np.float32) if _is_text(space) else space

    def _converted(self, space: spaces.Space[Any], value: Any) -> Any:
        if isinstance(space, spaces.Dict):
            return {name: self._converted(inner, value[name]) for name, inner in space.spaces.items()}
        if isinstance(space, spaces.Tuple):
            return tuple(self._converted(inner, one) for inner, one in zip(space.spaces, value, strict=True))
        return self._vector(str(value)).copy() if _is_text(space) else value


_OTHERS = spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary, spaces.Sequence, spaces.Graph


def _is_text(space: spaces.Space[Any]) -> bool:
    # MiniGrid's missions have a space of their own.
    return isinstance(space, spaces.Text) or (not isinstance(space, _OTHERS) and isinstance(space.sample(), str))
