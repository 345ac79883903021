"""Whether two results are the same, and what is done to a rollout on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from potentia.arrays import host_array, is_tensor
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Shaper
from potentia.trees import leaves, map_tree

Results = dict[str, np.ndarray[Any, Any]]
"""The terms that were added and the discount, by name."""


def terms(shaper: Shaper, rollout: Rollout) -> Results:
    """What a shaper makes of a rollout that begins with new episodes."""
    return results(shaper.shape(rollout, shaper.init(rollout.num_envs))[0])


def results(shaped: Rollout) -> Results:
    """Copies of the terms and the discount of a shaped rollout, on the host."""
    return {name: column.copy() for name, column in returned(shaped).items()}


def returned(shaped: Rollout) -> Results:
    """The terms and the discount of a shaped rollout in the memory in which they were returned, if that is a host's."""
    added = {name: term for name, term in shaped.terms.items() if name != "env"}
    return {name: host_array(column) for name, column in (added | {"discount": shaped.discount}).items()}


def part_of(found: Results, index: Any) -> Results:
    """The same of a part of the steps."""
    return {name: column[index] for name, column in found.items()}


def check_equal(want: Results, got: Results, message: str, *, exact: bool = False) -> None:
    """Raises ``AssertionError`` unless two results are the same, up to rounding or bit by bit."""
    for name, column in want.items():
        _check_array(column, got[name], f"{message} ({name!r}", exact)


def _check_array(want: np.ndarray[Any, Any], got: np.ndarray[Any, Any], message: str, exact: bool = False) -> None:
    assert want.shape == got.shape, f"{message} has shape {got.shape} instead of {want.shape})"
    same = want == got if exact else np.isclose(got, want, rtol=1e-5, atol=1e-6)  # float32 networks sum in any order
    missing = np.isnan(want) & np.isnan(got) if want.dtype.kind == got.dtype.kind == "f" else False
    different = np.argwhere(~(same | missing))
    if len(different):
        where = tuple(different[0].tolist())
        more = f" and at {len(different) - 1} more" if len(different) > 1 else ""
        raise AssertionError(
            f"{message} is {float(got[where]):.7g} instead of {float(want[where]):.7g} at {where}{more})"
        )


def check_carries(want: Carry, got: Carry, message: str) -> None:
    """Raises ``AssertionError`` unless two carries are the same, up to rounding."""
    for (path, one), (_, other) in zip(leaves(want), leaves(got), strict=True):
        if isinstance(one, list):
            assert one == other, f"{message} (carry{path})"
        else:
            _check_array(host_array(one), host_array(other), f"{message} (carry{path}")


def check_untouched(want: Rollout, got: Rollout, message: str) -> None:
    """Raises ``AssertionError`` unless a rollout still holds what its copy holds."""
    for field in fields(Rollout):
        pairs = zip(leaves(_plain(want, field.name)), leaves(_plain(got, field.name)), strict=True)
        for (path, one), (_, other) in pairs:
            np.testing.assert_array_equal(host_array(other), host_array(one), err_msg=f"{message}: {field.name}{path}")


def _plain(rollout: Rollout, name: str) -> Any:
    value = getattr(rollout, name)
    return dict(value) if isinstance(value, Mapping) else value


def as_tensors(rollout: Rollout, device: str = "cpu", dtype: torch.dtype | None = None) -> Rollout:
    """The same rollout in tensors of its own memory. Texts and objects, which have none, stay arrays."""

    def convert(array: np.ndarray[Any, Any]) -> Any:
        if array.dtype.kind in "OUS":
            return array
        return torch.tensor(array, device=device, dtype=dtype if array.dtype.kind == "f" else None)

    return rollout.map(convert)


def narrow(rollout: Rollout) -> Rollout:
    """The same rollout with floats of 32 bits."""
    return rollout.map(lambda array: array.astype(np.float32) if array.dtype.kind == "f" else array)


def overwrite(rollout: Rollout) -> None:
    """Writes nonsense into every array of a rollout, as whoever uses its memory again may do."""
    for field in fields(Rollout):
        for _, leaf in leaves(_plain(rollout, field.name)):
            if is_tensor(leaf):
                leaf.copy_(leaf.flip(0) if leaf.is_floating_point() else torch.zeros_like(leaf))
            else:
                leaf[...] = leaf[::-1].copy() if leaf.dtype.kind == "f" else np.zeros_like(leaf)


def soiled(rollout: Rollout, rng: np.random.Generator) -> Rollout:
    """The same rollout with nonsense behind the mask: NaN for floats, other entries and flags for the rest."""
    hidden = ~rollout.mask

    def spoil(array: Any) -> Any:
        if array.dtype.kind == "f":
            other = np.full_like(array, np.nan)
        elif array.dtype.kind == "b":
            other = rng.random(array.shape) < 0.5
        else:  # an index or a text that is nonsense altogether would be refused rather than read
            other = rng.permutation(array.reshape(-1, *array.shape[2:])).reshape(array.shape)
        return np.where(hidden.reshape(hidden.shape + (1,) * (array.ndim - 2)), other, array)

    columns = [field.name for field in fields(Rollout) if field.name != "mask"]
    return replace(rollout, **{name: map_tree(spoil, getattr(rollout, name)) for name in columns})


def padded(rollout: Rollout, rng: np.random.Generator) -> tuple[Rollout, Any]:
    """The same rollout with masked steps and environments between, and the index of what was there before."""
    steps = _spread(rollout.num_steps, rng)
    envs = _spread(rollout.num_envs, rng)
    wide = rollout.map(lambda array: array[np.ix_(steps, envs)])
    real = np.zeros((len(steps), len(envs)), bool)
    index = np.ix_(_first(steps), _first(envs))
    real[index] = True
    return soiled(replace(wide, mask=wide.mask & real), rng), index


def _spread(size: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """0 .. size - 1 in order, some of them more than once."""
    return np.repeat(np.arange(size), 1 + (rng.random(size) < 0.4))


def _first(indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.unique(indices, return_index=True)[1]


def sum_of_terms(shaper: Shaper, rollout: Rollout) -> np.ndarray[Any, Any]:
    """The sum of the terms ``(T, B)`` that a shaper adds to a rollout that begins with new episodes."""
    shaped, _ = shaper.shape(rollout, shaper.init(rollout.num_envs))
    return np.asarray(sum(shaped.terms[name] for name in shaper.term_names) + np.zeros(shaped.discount.shape))


def segments(rollout: Rollout, b: int) -> Iterator[tuple[int, int]]:
    """The unmasked stretches of a column, cut after each end: ``(start, stop)``."""
    start = None
    for t in range(rollout.num_steps):
        if start is None and rollout.mask[t, b]:
            start = t
        if start is not None and (rollout.done[t, b] or t + 1 == rollout.num_steps):
            yield start, t + 1
            start = None


def columns_of(shaper: Shaper) -> str:
    """What a shaper says that it reads, in words."""
    return ", ".join(sorted(shaper.contract.reads)) or "no column"
