"""Individuals as rows of named columns: populations, archives, queues of genomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

Rows = dict[str, Tensor]
"""Columns of individuals, each ``(n, ...)``; ``{}`` is no individuals.

Those that were evaluated have ``genome (n, P)``; ``reward (n,)``, what the search sees; ``return (n,)``, the true one;
``descriptor (n, d)`` and ``area (n,)``, the world's own, for measures; ``behaviour (n, f)``, the search's descriptor.
"""


def size(rows: Rows) -> int:
    """How many there are."""
    return len(next(iter(rows.values()))) if rows else 0


def take(rows: Rows, index: Any) -> Rows:
    """Some of them, by indices, a mask or a slice."""
    return {name: column[index] for name, column in rows.items()}


def join(*parts: Rows) -> Rows:
    """All of them, in order."""
    some = [part for part in parts if part]
    return {name: torch.cat([part[name] for part in some]) for name in some[0]} if some else {}


class Table:
    """Rows in buffers that double when they are full, so that n additions cost O(n).

    >>> table = Table()
    >>> table.add({"reward": torch.tensor([1.0, 2.0, 3.0])})
    >>> table.pop(2)["reward"], table["reward"]
    (tensor([1., 2.]), tensor([3.]))

    Args:
        device: Where they are.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._buffers: Rows = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Tensor:
        return self._buffers[name][: self._count]

    @property
    def rows(self) -> Rows:
        """All rows, as views: they change with the table."""
        return take(self._buffers, slice(self._count)) if self._count else {}

    def add(self, rows: Rows) -> None:
        """Puts rows at the end. All additions must have the same columns."""
        more = size(rows)
        if not more:
            return
        if not self._count:
            self._buffers = {name: column.to(self.device).clone() for name, column in rows.items()}
        else:
            self._reserve(self._count + more)
            for name, buffer in self._buffers.items():
                buffer[self._count : self._count + more] = rows[name]
        self._count += more

    def replace(self, rows: Rows) -> None:
        """Has these rows and no others."""
        self._count = 0
        self.add(rows)

    def update(self, columns: Rows) -> None:
        """Gives all rows new values in some columns."""
        for name, column in columns.items():
            self._buffers[name][: self._count] = column

    def pop(self, count: int) -> Rows:
        """Takes the first ones out."""
        first, rest = ({n: column.clone() for n, column in part.items()} for part in self._split(count))
        self.replace(rest)
        return first

    def state_dict(self) -> dict[str, Any]:
        """Copies of its columns."""
        return {name: column.clone() for name, column in self.rows.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.replace(dict(state))

    def _split(self, count: int) -> tuple[Rows, Rows]:
        return take(self.rows, slice(count)), take(self.rows, slice(count, None)) if self._count > count else {}

    def _reserve(self, count: int) -> None:
        capacity = len(next(iter(self._buffers.values())))
        if count > capacity:
            room = max(count, 2 * capacity)
            for name, buffer in self._buffers.items():
                grown = buffer.new_empty((room, *buffer.shape[1:]))
                grown[: self._count] = buffer[: self._count]
                self._buffers[name] = grown
