"""Columns of text: what an agent answered, what a page says, what the reference solution does next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.rollout import Rollout
from potentia.shaping.potential import info_column


def text_column(rollout: Rollout, column: str, reader: str) -> np.ndarray[Any, Any]:
    """An info column of texts, ``(T, B)`` or ``(T, B, ...)``, for a shaper named ``reader``.

    Raises:
        ValueError: If the rollout does not have it.
        TypeError: If an unmasked entry is not a string.
    """
    texts = np.asarray(info_column(rollout, column, reader))
    if texts.dtype.kind == "U":
        return texts
    for value in texts[host_array(rollout.mask)].ravel().tolist():
        if not isinstance(value, str):
            raise TypeError(
                f"{reader} reads texts in the info column {column!r}, got {type(value).__name__}: {value!r}; the "
                "environment must put a str there at each reset and step, '' where there is nothing to say"
            )
    return texts


def each_step(rollout: Rollout, judge: Callable[[int, int], Sequence[float]], size: int) -> np.ndarray[Any, Any]:
    """The ``size`` numbers that ``judge(t, b)`` gives each unmasked step, 0 elsewhere, ``(T, B, size)``."""
    numbers = np.zeros((*rollout.discount.shape, size))
    for t, b in np.argwhere(host_array(rollout.mask)).tolist():
        numbers[t, b] = judge(t, b)
    return numbers
