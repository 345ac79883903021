"""Where a potential comes from: a function of observations, a table of states, an info column, or its own class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.objects import Recorded
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column, look_up
from potentia.state import Stateful
from potentia.trees import Tree

Table = Sequence[float] | np.ndarray[Any, Any]
"""One number a state."""


class Potential(Recorded, Stateful):
    """The values ``(T, B)`` of the states in a rollout, of which a shaper takes the differences.

    Attributes:
        reads: The columns that describe ``obs``: ``"obs"``, or ``"info:<name>"``. Their twins ``next_<name>``, which
            describe ``next_obs``, are read likewise.
        measures: Such columns that its metrics alone read, where they are there.
        changes: Whether `update` changes the values of states. Then differences use the value that a state had when
            it was entered.
    """

    reads: frozenset[str] = frozenset({"obs"})
    measures: frozenset[str] = frozenset()
    changes: bool = False

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        """The values ``(T, B)`` of ``obs`` (prefix ``""``) or ``next_obs`` (prefix ``"next_"``).

        Args:
            rollout: Experience ``(T, B)``.
            prefix: Which of the two.
            reader: The name of the shaper that asks, for messages.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement values(rollout, prefix, reader)")

    @property
    def learns(self) -> bool:
        """Whether `update` does anything."""
        return type(self).update is not Potential.update

    def update(self, rollout: Rollout) -> dict[str, Any]:
        """Learns from a rollout. Returns metrics by name."""
        del rollout
        return {}


class FunctionPotential(Potential):
    """``function(obs)``: a function from observations ``(T, B, ...)`` to potentials ``(T, B)``."""

    def __init__(self, function: Callable[[Tree], Array]) -> None:
        self.function = function

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        del reader
        return as_column("potential", self.function(getattr(rollout, f"{prefix}obs")), rollout)


class TablePotential(Potential):
    """``table[obs]``: one number a state, for observations that are integers.

    Raises:
        TypeError: If the table is not ``(states,)``.
        ValueError: If a number in it is not finite.
    """

    def __init__(self, table: Any) -> None:
        try:
            self.table = np.asarray(table, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                "potential must be a function of observations, a table with one number per state, the name of an info "
                f"column, or a Potential, got {type(table).__name__}"
            ) from error
        if not np.isfinite(self.table).all():
            raise ValueError(f"a potential table must be finite, got {self.table[~np.isfinite(self.table)][0]} in it")
        if self.table.ndim != 1:
            raise TypeError(f"a potential table must have shape (states,), got {self.table.shape}")

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        del reader
        return as_column("potential", look_up(self.table, "states", getattr(rollout, f"{prefix}obs")), rollout)


class ColumnPotential(Potential):
    """``info[column]``: what the world itself says, such as its oracle ``"potential"``."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.reads = frozenset({f"info:{column}"})

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        return as_column("potential", info_column(rollout, f"{prefix}{self.column}", reader), rollout)


def potential_of(source: Potential | Callable[[Tree], Array] | str | Any) -> Potential:
    """A `Potential`: the source itself, or what a function, a table or the name of an info column stands for.

    Raises:
        TypeError: If it is none of these.
    """
    if isinstance(source, Potential):
        return source
    if isinstance(source, str):
        return ColumnPotential(source)
    return FunctionPotential(source) if callable(source) else TablePotential(source)


def both_columns(reads: frozenset[str]) -> frozenset[str]:
    """Columns that describe ``obs``, and their twins that describe ``next_obs``."""
    twins = {
        f"info:next_{name.removeprefix('info:')}" if name.startswith("info:") else f"next_{name}" for name in reads
    }
    return reads | twins
