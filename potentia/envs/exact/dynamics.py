"""Sampling from a `TransitionModel`, for a batch of environments at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.exact.model import BoolArray, FloatArray, TransitionModel
from potentia.envs.exact.solve import shortest_distance
from potentia.envs.exact.streams import UniformStreams

__all__ = ["EVENTS", "TabularDynamics", "info_tables", "offered_by", "start_tables", "successor_tables"]

IntArray = NDArray[np.int64]

EVENTS = "subgoals"
_OFFERED = ("caption", "state_hash", "distance", "potential", EVENTS, "success")
"""What the info of an enumerable world can have: tables over the states, and what happened in the step."""


def offered_by(model: TransitionModel) -> tuple[str, ...]:
    """The keys that the info of a world over this model can have."""
    return (*_OFFERED, *model.columns)


class TabularDynamics:
    """The states of N environments over one model, and their random streams."""

    def __init__(self, model: TransitionModel, size: int) -> None:
        self.model = model
        self.streams = UniformStreams(size)
        self.state: IntArray = np.zeros(size, dtype=np.int64)
        self.elapsed: IntArray = np.zeros(size, dtype=np.int64)
        self._limit = np.iinfo(np.int64).max if model.time_limit is None else model.time_limit
        self._successor, self._cumulative, self._reward = successor_tables(model)
        self._starts, self._start_cumulative = start_tables(model)
        self.describe(())

    def describe(self, keys: tuple[str, ...]) -> None:
        """Decides which keys `info` has."""
        self._tables = info_tables(self.model, keys)
        self._events = dict(self.model.events)
        self._with_events = EVENTS in keys

    def restart(self, where: BoolArray) -> None:
        """Put the environments of ``where``, shape (N,), into start states."""
        if len(self._starts) == 1:
            self.state[where] = self._starts[0]
        else:
            start_indices = np.searchsorted(self._start_cumulative, self.streams.draw(where), side="right")
            self.state[where] = self._starts[start_indices[where]]
        self.elapsed[where] = 0

    def advance(self, action: IntArray, where: BoolArray) -> tuple[IntArray, FloatArray, BoolArray, BoolArray]:
        """Step the environments of ``where``. The others stay, with reward 0 and no end.

        Returns:
            The states before the step, and reward, terminated and truncated. Each has shape (N,).
        """
        before = self.state.copy()
        if self._successor.shape[2] == 1:
            branch = np.zeros(len(before), dtype=np.int64)
        else:
            drawn = self.streams.draw(where)
            branch = (drawn[:, None] >= self._cumulative[before, action]).sum(axis=1)
        after = self._successor[before, action, branch]
        reward = np.where(where, self._reward[before, action, branch], 0.0)
        self.state = np.where(where, after, before)
        self.elapsed += where
        terminated = where & self.model.terminal[after]
        truncated = where & ~terminated & (self.elapsed >= self._limit)
        return before, reward, terminated, truncated

    def info(self, before: IntArray | None = None, fresh: BoolArray | None = None) -> dict[str, Any]:
        """The info of every environment's present state, each value of shape (N,).

        Args:
            before: The states that the step left, for the subgoal events. It is None right after a reset.
            fresh: Shape (N,): environments that were reset in this step, whose events are all False.
        """
        info: dict[str, Any] = {key: table[self.state] for key, table in self._tables.items()}
        if self._with_events:
            happened = np.zeros(len(self.state), dtype=np.bool_)
            counts = happened if before is None else ~happened if fresh is None else ~fresh
            left = self.state if before is None else before
            info[EVENTS] = {name: inside[self.state] & ~inside[left] & counts for name, inside in self._events.items()}
        return info


def successor_tables(model: TransitionModel) -> tuple[IntArray, FloatArray, FloatArray]:
    """Successors, cumulative probabilities and rewards, each (S, A, K), K being the largest branching."""
    support = model.transition > 0
    support[model.terminal] = False
    width = max(1, int(support.sum(axis=2).max()))
    order = np.argsort(~support, axis=2, kind="stable")[:, :, :width]
    probability = np.take_along_axis(model.transition * support, order, axis=2)
    cumulative = np.cumsum(probability, axis=2)
    # From the last successor on nothing exceeds, whatever rounding did to the sum.
    last = np.maximum(support.sum(axis=2), 1)[:, :, None] - 1
    cumulative = np.where(np.arange(width) >= last, np.inf, cumulative)
    reward = np.take_along_axis(model.reward_after(), order, axis=2)
    return order.astype(np.int64), cumulative, np.ascontiguousarray(reward, dtype=np.float64)


def start_tables(model: TransitionModel) -> tuple[IntArray, FloatArray]:
    """The possible first states and the cumulative probabilities of all but the last of them."""
    starts = np.flatnonzero(model.start > 0)
    return starts.astype(np.int64), np.cumsum(model.start[starts])[:-1]


def info_tables(model: TransitionModel, keys: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """One value a state for each key that depends on the state alone. Only what is asked for is computed."""

    def captions() -> NDArray[Any]:
        names = np.empty(model.num_states, dtype=object)
        names[:] = model.names
        return names

    @lru_cache
    def distance() -> NDArray[Any]:
        return shortest_distance(model)

    def potential() -> NDArray[Any]:
        # Written so that the potential of a success state is 0.0 and not -0.0.
        return np.where(distance() < 0, -1.0, 0.0 - distance() / max(1.0, float(distance().max())))

    makers: dict[str, Callable[[], NDArray[Any]]] = {
        "caption": captions,
        "state_hash": lambda: np.arange(model.num_states, dtype=np.int64),
        "distance": distance,
        "potential": potential,
        "success": model.success.copy,
        **{key: column.copy for key, column in model.columns.items()},
    }
    return {key: makers[key]() for key in keys if key in makers}
