"""The books of running episodes: what each term has paid so far, and what a potential owes."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The episodes that ended in a step, each array ``(E,)``.

    Attributes:
        terms: The sum of each term.
        shaped: The sum of what the learner was given.
        residuals: For each term of a potential, how far it is from telescoping, relative to the greatest potential in
            the episode, or to 1.
    """

    terms: dict[str, Numbers]
    shaped: Numbers
    residuals: dict[str, Numbers]


class Books:
    """Adds up the episodes of ``num_envs`` environments."""

    def __init__(self, num_envs: int) -> None:
        self._terms: dict[str, Numbers] = {}
        self._shaped, self._product = np.zeros(num_envs), np.ones(num_envs)
        self._started = np.zeros(num_envs, bool)
        self._paid: dict[str, Numbers] = {}  # sum of D_t F_t
        self._first: dict[str, Numbers] = {}
        self._size: dict[str, Numbers] = {}

    def add(self, step: Step) -> Ended | None:
        """Adds a step. Returns the episodes that end in it, None if none does."""
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
        ends = step.done & mask
        return self._close(ends, step) if ends.any() else None

    def _close(self, ends: Numbers, step: Step) -> Ended:
        residuals = {name: self._residual(name, after)[ends] for name, (_, after) in step.potentials.items()}
        ended = Ended({name: sums[ends] for name, sums in self._terms.items()}, self._shaped[ends], residuals)
        for part in (*self._terms.values(), *self._paid.values(), *self._size.values(), self._shaped):
            part[ends] = 0.0
        self._product[ends], self._started[ends] = 1.0, False
        return ended

    def _residual(self, name: str, last: Numbers) -> Numbers:
        going_on = self._product != 0  # an end may have any potential, even NaN
        ahead = self._product * np.where(going_on, last, 0.0)
        residual: Numbers = np.abs(self._paid[name] - ahead + self._first[name]) / np.maximum(1.0, self._size[name])
        return residual
