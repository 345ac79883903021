"""Exact values of problems that are given as lists of transitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SWEEPS = 100_000
_CLOSE = 1e-13


@dataclass(frozen=True, eq=False)
class Problem:
    """N transitions between M nodes, ordered by node and action.

    Attributes:
        node: Where each begins, ``(N,)``.
        action: Its action, ``(N,)``.
        after: Where it leads, ``(N,)``.
        probability: ``(N,)``.
        num_nodes: M.
        num_actions: A.
    """

    node: Ints
    action: Ints
    after: Ints
    probability: Floats
    num_nodes: int
    num_actions: int

    @property
    def live(self) -> Bools:
        """Whether anything can be done in a node, ``(M,)``."""
        found = np.zeros(self.num_nodes, np.bool_)
        found[self.node] = True
        return found

    def action_values(
        self, reward: Floats, discount: Floats, allowed: Bools | None = None, *, worst: bool = False
    ) -> Floats:
        """Q* ``(M, A)`` of a reward and a discount for each transition, by value iteration. It is 0 where all is over.

        Args:
            reward: ``(N,)``.
            discount: ``(N,)``: what the value of ``after`` is multiplied by.
            allowed: The actions that may be taken, ``(M, A)``.
            worst: Whether the least value is sought and not the greatest.

        Raises:
            ValueError: If the values do not settle, as they need not where the discount is 1.
        """
        shape, places = (self.num_nodes, self.num_actions), self.node * self.num_actions + self.action
        sign = -1.0 if worst else 1.0
        expected = np.bincount(places, sign * self.probability * reward, self.num_nodes * self.num_actions)
        weight, live = self.probability * discount, self.live
        closed = np.zeros(shape) if allowed is None else np.where(allowed, 0.0, -np.inf)
        scale = max(float(np.abs(expected).max(initial=0.0)), 1e-300)
        values = np.zeros(self.num_nodes)
        for _ in range(_SWEEPS):
            q = (expected + np.bincount(places, weight * values[self.after], len(expected))).reshape(shape)
            best = np.where(live, (q + closed).max(axis=1), 0.0)
            change = float(np.abs(best - values).max(initial=0.0))
            values = best
            if change <= _CLOSE * max(scale, float(np.abs(values).max(initial=0.0))):
                return np.asarray(sign * q, np.float64)
        raise ValueError("the values do not settle; use a gamma below 1")


def best_actions(q: Floats, live: Bools, tolerance: float) -> Bools:
    """The actions within ``tolerance`` of the best, relative to the largest |Q|, ``(M, A)``. None where all is over."""
    slack = tolerance * max(1e-300, float(np.abs(q).max(initial=0.0)))
    return np.asarray((q >= q.max(axis=1, keepdims=True) - slack) & live[:, None])
