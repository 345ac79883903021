"""The transition tensors of a small enumerable world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

__all__ = ["BoolArray", "FloatArray", "TransitionModel"]


@dataclass(frozen=True, eq=False)
class TransitionModel:
    """A Markov decision process as tensors: P(s' | s, a), r(s, a, s'), where it starts and where it ends.

    The tensors are the world, not a description of it: the environments sample from them, and the solvers of
    `potentia.envs.exact.solve` compute with them. They take ``8 * S**2 * A`` bytes.

    Attributes:
        transition: P(s' | s, a), shape (S, A, S). Rows of terminal states are never used.
        reward: Shape (S, A, S), or (S, A) when it does not depend on the successor.
        terminal: Shape (S,): arriving here ends the episode.
        start: Distribution of the first state, shape (S,).
        success: Shape (S,): states that count as the task done. None of them: all False.
        names: One short English description a state, the caption.
        events: Named sets of states, each (S,): the event happens when the state moves into the set.
        columns: Named numbers of the states, each (S,), that ``info`` tells when asked.
        time_limit: Number of steps after which an episode is truncated. None stands for never.
    """

    transition: FloatArray
    reward: FloatArray
    terminal: BoolArray
    start: FloatArray
    success: BoolArray
    names: tuple[str, ...]
    events: Mapping[str, BoolArray] = field(default_factory=dict)
    columns: Mapping[str, FloatArray] = field(default_factory=dict)
    time_limit: int | None = None

    def __post_init__(self) -> None:
        """Check shapes and that every distribution sums to one.

        Raises:
            ValueError: A tensor has the wrong shape, or rows that are not distributions.
        """
        if self.transition.ndim != 3 or self.transition.shape[0] != self.transition.shape[2]:
            raise ValueError(f"transition must have shape (S, A, S), got {self.transition.shape}")
        states, actions = self.transition.shape[:2]
        if self.reward.shape not in {(states, actions, states), (states, actions)}:
            raise ValueError(
                f"reward must have shape {(states, actions, states)} or {(states, actions)}, got {self.reward.shape}"
            )
        vectors = {"terminal": self.terminal, "start": self.start, "success": self.success}
        for label, vector in {**vectors, **self.events, **self.columns}.items():
            if vector.shape != (states,):
                raise ValueError(f"{label} must have shape {(states,)}, got {vector.shape}")
        if len(self.names) != states:
            raise ValueError(f"names must describe {states} states, got {len(self.names)}")
        live = self.transition[~self.terminal]
        for label, rows in {"transition": live, "start": self.start}.items():
            if (rows < 0).any() or not np.allclose(rows.sum(axis=-1), 1.0, rtol=0, atol=1e-12):
                raise ValueError(f"{label} must hold distributions: non-negative, summing to 1")
        if self.time_limit is not None and self.time_limit < 1:
            raise ValueError(f"time_limit must be at least 1 or None, got {self.time_limit}")

    @property
    def num_states(self) -> int:
        """Number of states S."""
        return int(self.transition.shape[0])

    @property
    def num_actions(self) -> int:
        """Number of actions A."""
        return int(self.transition.shape[1])

    def expected_reward(self) -> FloatArray:
        """r(s, a) = sum over s' of P(s' | s, a) r(s, a, s'), shape (S, A)."""
        if self.reward.ndim == 2:
            return self.reward.astype(np.float64)
        expected: FloatArray = np.einsum("sat,sat->sa", self.transition, self.reward)
        return expected

    def reward_after(self) -> FloatArray:
        """The reward as r(s, a, s'), shape (S, A, S), a read-only view where it does not depend on s'."""
        reward = self.reward if self.reward.ndim == 3 else self.reward[:, :, None]
        return np.broadcast_to(reward, self.transition.shape)

    def continuing(self) -> FloatArray:
        """P(s' | s, a) with the columns of terminal states set to 0, shape (S, A, S): what bootstraps."""
        live = (~self.terminal).astype(np.float64)
        return self.transition * live[None, None, :] * live[:, None, None]
