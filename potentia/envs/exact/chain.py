"""A corridor with a distant reward, and a small one beside the start."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["chain"]


def chain(length: int = 20, distraction: float = 0.01, time_limit: int | None = None) -> TransitionModel:
    """A chain of N states: 1 at the far end, a small reward d one step behind the start.

    States 0..N-1, start in state 1. Action 0 moves left, action 1 right. Both ends are terminal. Reaching
    state N-1 pays 1, reaching state 0 pays d. In closed form, for 1 <= s <= N-2, ``V*(s) =
    max(discount**(N-2-s), d * discount**(s-1))``: from the start it is right to walk to the far end if and
    only if ``discount**(N-3) >= d``. A uniformly random walk from the start reaches the far end with
    probability 1 / (N-1).

    Args:
        length: N, at least 3.
        distraction: d.
        time_limit: Steps an episode. The default is 2 N.

    Returns:
        The model.

    Raises:
        ValueError: If the chain is too short.
    """
    if length < 3:
        raise ValueError(f"length must be at least 3 (two ends and a start between them), got {length}")
    transition = np.zeros((length, 2, length))
    reward = np.zeros((length, 2, length))
    for state in range(length):
        transition[state, 0, max(state - 1, 0)] = 1.0
        transition[state, 1, min(state + 1, length - 1)] = 1.0
    reward[:-1, :, -1] = 1.0
    reward[1:, :, 0] = distraction
    index = np.arange(length)
    goal, near = index == length - 1, index == 0
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=goal | near,
        start=np.eye(length)[1],
        success=goal,
        names=tuple(f"You stand at cell {i} of a corridor of {length} cells." for i in index),
        events={"reached_goal": goal, "took_distraction": near},
        time_limit=2 * length if time_limit is None else time_limit,
    )
