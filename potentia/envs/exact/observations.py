"""How an enumerable world shows its state: as an index or as a one-hot vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

__all__ = ["encode_states", "state_space"]


def state_space(num_states: int, observation: str) -> spaces.Space[Any]:
    """The observation space of one environment.

    Raises:
        ValueError: If the observation is neither "index" nor "one_hot".
    """
    if observation == "index":
        return spaces.Discrete(num_states)
    if observation == "one_hot":
        return spaces.Box(0.0, 1.0, shape=(num_states,), dtype=np.float32)
    raise ValueError(f'observation must be "index" or "one_hot", got {observation!r}')


def encode_states(state: NDArray[np.int64], num_states: int, observation: str) -> NDArray[Any]:
    """Fresh observations of the states, shape (N,) for an index, (N, S) for one-hot."""
    if observation == "index":
        return state.copy()
    encoded = np.zeros((len(state), num_states), dtype=np.float32)
    encoded[np.arange(len(state)), state] = 1.0
    return encoded
