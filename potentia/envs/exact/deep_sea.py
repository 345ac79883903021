"""Deep sea: the treasure that dithering finds once in 2^N episodes."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["deep_sea"]


def deep_sea(size: int = 10, mapping_seed: int | None = 42, move_cost: float = 0.01) -> TransitionModel:
    """A grid of N x N cells through which one dives row by row. Only N times "right" finds the treasure.

    Osband et al. 2019, arXiv 1908.03568 (bsuite). Each step goes one row down and one column left or right.
    Each move to the right costs 0.01 / N. Moving right in the last column of the last row pays 1. Which of
    the two actions means "right" is drawn once for each cell. The optimal return is 1 - 0.01 = 0.99. A
    uniformly random policy finds the treasure with probability 2^-N.

    Args:
        size: N. The model has N^2 + 2 states.
        mapping_seed: Seeds the meaning of the actions. With None, action 1 is "right" everywhere.
        move_cost: Cost of N moves to the right.

    Returns:
        The model, with a time limit of N steps.

    Raises:
        ValueError: If the size is below 2.
    """
    if size < 2:
        raise ValueError(f"size must be at least 2, got {size}")
    cells = size * size
    nothing, treasure = cells, cells + 1
    states = cells + 2
    rights = np.ones((size, size), dtype=np.int64)
    if mapping_seed is not None:
        rights = np.random.default_rng(mapping_seed).integers(0, 2, size=(size, size))
    transition = np.zeros((states, 2, states))
    reward = np.zeros((states, 2))
    for row in range(size):
        for column in range(size):
            cell, right = row * size + column, int(rights[row, column])
            left_to, right_to = nothing, nothing
            if row + 1 < size:
                left_to = (row + 1) * size + max(column - 1, 0)
                right_to = (row + 1) * size + min(column + 1, size - 1)
            elif column == size - 1:
                right_to = treasure
            transition[cell, right, right_to] = transition[cell, 1 - right, left_to] = 1.0
            reward[cell, right] = -move_cost / size + (1.0 if right_to == treasure else 0.0)
    names = [f"You dive at row {c // size}, column {c % size} of {size}." for c in range(cells)]
    found = np.arange(states) == treasure
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=np.arange(states) >= nothing,
        start=np.eye(states)[0],
        success=found,
        names=(*names, "You lie on the empty sea floor.", "You have found the treasure."),
        events={"found_treasure": found},
        time_limit=size,
    )
