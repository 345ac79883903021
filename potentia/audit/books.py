"""The books of running episodes: what each term has paid so far, and what a potential owes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Step:
    """One step of B environments, each array ``(B,)``.

    Attributes:
        terms: Every named term.
        reward: What the learner was given.
        discount: What it multiplies the next value by.
        mask: False where the step does not count.
        done: Whether the episode ended.
        potentials: For each term of a potential, its values before and after.
    """

    terms: Mapping[str, Numbers]
    reward: Numbers
    discount: Numbers
    mask: Numbers
    done: Numbers
    potentials: Mapping[str, tuple[Numbers, Numbers]]

    def off(self) -> float:
        """The greatest difference of a reward and the sum of its terms, relative to the greatest of them, or to 1."""
        paid = np.array([np.where(self.mask, term, 0.0) for term in self.terms.values()])
        given = np.where(self.mask, self.reward, 0.0)
        size = np.maximum(1.0, np.abs(paid).max(axis=0))
        return float((np.abs(given - paid.sum(axis=0)) / size).max())


@dataclass(frozen=True)
class Ended:
    """An episode that has ended.

    Attributes:
        terms: The sum of each term.
        shaped: The sum of what the learner was given.
        residual: How far its potentials' terms are from telescoping, relative to the greatest number in the sum, or to
            1. None if there are none.
    """

    terms: dict[str, float]
    shaped: float
    residual: float | None


class Books:
    """Adds up the episodes of ``num_envs`` environments."""

    def __init__(self, num_envs: int) -> None:
        self._terms: dict[str, Numbers] = {}
        self._shaped, self._product = np.zeros(num_envs), np.ones(num_envs)
        self._started = np.zeros(num_envs, bool)
        self._paid: dict[str, Numbers] = {}  # sum of D_t F_t
        self._first: dict[str, Numbers] = {}
        self._size: dict[str, Numbers] = {}

    def add(self, step: Step) -> Iterator[Ended]:
        """Adds a step. Yields the episodes that end in it."""
        mask, zero = step.mask, np.zeros(len(step.mask))
        self._shaped += np.where(mask, step.reward, 0.0)
        for name, term in step.terms.items():
            self._terms.setdefault(name, zero.copy())[:] += np.where(mask, term, 0.0)
        for name, (before, after) in step.potentials.items():
            first, size, paid = (part.setdefault(name, zero.copy()) for part in (self._first, self._size, self._paid))
            first[:] = np.where(mask & ~self._started, before, first)
            greatest = np.maximum(np.abs(before), np.where(step.discount == 0, 0.0, np.abs(after)))
            size[:] = np.where(mask, np.maximum(size, greatest), size)
            paid += np.where(mask, self._product * step.terms[name], 0.0)
        self._product = np.where(mask, self._product * step.discount, self._product)
        self._started = self._started | mask
        ends = np.flatnonzero(step.done & mask)
        for index in ends:
            yield self._close(int(index), step)

    def _close(self, index: int, step: Step) -> Ended:
        residuals = [self._residual(name, index, float(after[index])) for name, (_, after) in step.potentials.items()]
        sums = {name: float(sums[index]) for name, sums in self._terms.items()}
        ended = Ended(sums, float(self._shaped[index]), max(residuals, default=None))
        for part in (*self._terms.values(), *self._paid.values(), *self._size.values(), self._shaped):
            part[index] = 0.0
        self._product[index], self._started[index] = 1.0, False
        return ended

    def _residual(self, name: str, index: int, last: float) -> float:
        ahead = self._product[index] * last if self._product[index] else 0.0  # an end may have any potential, even NaN
        owed = ahead - self._first[name][index]
        return float(abs(self._paid[name][index] - owed) / max(1.0, self._size[name][index]))
