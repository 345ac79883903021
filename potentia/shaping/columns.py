"""How shapers read columns: those of info, tables of states, texts, and what users' functions return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from potentia.arrays import array_namespace, host_array
from potentia.rollout import Array, Rollout

if TYPE_CHECKING:
    import torch


def look_up(table: np.ndarray[Any, Any], axes: str, *indices: Array) -> Array:
    """``table[indices]`` for integer arrays of any namespace and device.

    Raises:
        TypeError: If an index is not an array of integers, as nothing else can read a table.
    """
    for index in indices:
        if isinstance(index, dict | tuple) or not array_namespace(index).isdtype(index.dtype, "integral"):
            got = "a tree" if isinstance(index, dict | tuple) else f"dtype {index.dtype}"
            raise TypeError(
                f"a table over {axes} is indexed by integers (a Discrete space), got {got}; give a function instead"
            )
    if all(isinstance(index, np.ndarray) for index in indices):
        return table[indices]
    xp = array_namespace(indices[0])
    # numpy may hold masked garbage out of range; a clamp keeps the gather defined, the mask drops its value.
    clamped = [xp.clip(index, 0, size - 1) for index, size in zip(indices, table.shape, strict=True)]
    return xp.asarray(table, device=indices[0].device)[tuple(clamped)]


def as_column(what: str, values: Any, rollout: Rollout) -> Array:
    """What a user's function returned, as a ``(T, B)`` column of the rollout's own kind of array.

    Raises:
        ValueError: If its shape is not ``(T, B)``.
    """
    example = rollout.discount
    if type(values) is type(example) and values.shape == example.shape:
        if values.dtype == example.dtype:
            return values
        if isinstance(values, np.ndarray):
            return values.astype(example.dtype)
    want = tuple(example.shape)
    if tuple(getattr(values, "shape", ())) != want:
        raise ValueError(
            f"{what} must have shape (T, B) = {want}, got {tuple(getattr(values, 'shape', ()))}: return one number for "
            "each step and environment"
        )
    xp = array_namespace(example)
    if type(values) is not type(example):
        values = xp.asarray(values, device=getattr(example, "device", None))
    return values if values.dtype == example.dtype else xp.astype(values, example.dtype)


def info_column(rollout: Rollout, column: str, reader: str) -> Array:
    """The info column of a rollout that a shaper named ``reader`` asks for.

    Raises:
        ValueError: If the rollout does not have it.
    """
    if column not in rollout.info:
        raise ValueError(
            f"{reader} reads the info column {column!r}, got the columns {sorted(rollout.info)}; collect with "
            "columns=shaper.contract.info_columns, from an environment that gives it"
        )
    return rollout.info[column]


def reward_before(rollout: Rollout, name: str, device: torch.device | str = "cpu") -> torch.Tensor:
    """The reward that the shaper of a term ``name`` was given, ``(T, B)`` float64, 0 where the mask is False.

    A rollout that was shaped already holds that term and those after it: they are left out.
    """
    import torch  # noqa: PLC0415 - who asks has imported it

    terms = list(rollout.terms)
    before = terms[: terms.index(name)] if name in terms else terms
    parts = [torch.as_tensor(rollout.terms[term]).detach().to(device, torch.float64) for term in before]
    return torch.where(torch.as_tensor(rollout.mask, device=device), torch.stack(parts).sum(0), 0)


def text_column(rollout: Rollout, column: str, reader: str) -> np.ndarray[Any, Any]:
    """An info column of texts, ``(T, B)`` or ``(T, B, ...)``, for a shaper named ``reader``.

    Raises:
        ValueError: If the rollout does not have it.
        TypeError: If an unmasked entry is not a string.
    """
    texts = np.asarray(info_column(rollout, column, reader))
    if texts.dtype.kind == "S":  # as HDF5 gives texts back
        return np.char.decode(texts, "utf-8")
    if texts.dtype.kind == "U":
        return texts
    if any(isinstance(value, bytes) for value in texts.ravel().tolist()):
        decoded = [value.decode() if isinstance(value, bytes) else value for value in texts.ravel().tolist()]
        texts = np.array(decoded, object).reshape(texts.shape)
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
