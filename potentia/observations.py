"""Observations as trees of arrays with one row an environment, whatever their space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.trees import Tree

_ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def of_arrays(space: spaces.Space[Any]) -> bool:
    """Whether all parts of a space hold arrays, so that observations are trees of arrays as they come."""
    if isinstance(space, spaces.Dict):
        return all(map(of_arrays, space.values()))
    if isinstance(space, spaces.Tuple):
        return all(map(of_arrays, space.spaces))
    return isinstance(space, _ARRAYS)


def rows_of_batch(space: spaces.Space[Any], batch: Any) -> Tree:
    """A vector environment's observations as a tree of arrays ``(N, ...)``.

    Gymnasium batches ``Text``, ``Sequence``, ``Graph`` and ``OneOf`` as tuples of N. Here they are arrays of objects.

    Args:
        space: The space of one observation.
        batch: What the vector environment returned.
    """
    if isinstance(space, spaces.Dict):
        return {key: rows_of_batch(part, batch[key]) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(rows_of_batch(part, rows) for part, rows in zip(space.spaces, batch, strict=True))
    return batch if isinstance(space, _ARRAYS) or isinstance(batch, np.ndarray) else _objects(batch)


def row_of_one(space: spaces.Space[Any], observation: Any) -> Tree:
    """One observation as a tree of arrays ``(1, ...)``."""
    if isinstance(observation, np.ndarray) and observation.dtype != object:
        return observation[None]
    if isinstance(space, spaces.Dict):
        return {key: row_of_one(part, observation[key]) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(row_of_one(part, one) for part, one in zip(space.spaces, observation, strict=True))
    if isinstance(space, _ARRAYS):
        return np.asarray(observation)[None]
    return _objects([observation])


def _objects(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    rows = list(values)
    array = np.empty(len(rows), object)
    for index, row in enumerate(rows):
        array[index] = row
    return array
