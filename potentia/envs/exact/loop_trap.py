"""A ring beside the way out: where a bonus for every visit makes an agent circle for ever."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["critical_bonus", "loop_trap"]


def loop_trap(loop: int = 6, corridor: int = 8, time_limit: int | None = None) -> TransitionModel:
    """A one-way ring of L cells. At its checkpoint begins a one-way corridor of C steps to the goal.

    It is the trap that Randlov and Alstrom (1998, ICML) rode into with their bicycle: a bonus for each visit
    of the checkpoint (the event "passed_checkpoint") pays for circling. See `critical_bonus`. Action 0 goes
    on around the ring, action 1 leaves it at the checkpoint and walks down the corridor. Where an action has
    no meaning one stays. Only reaching the goal pays 1.

    Args:
        loop: L, at least 2.
        corridor: C, at least 1.
        time_limit: Steps an episode. The default is 8 (L + C).

    Returns:
        The model. The start is the checkpoint, state 0.

    Raises:
        ValueError: If the ring or the corridor is too short.
    """
    if loop < 2 or corridor < 1:
        raise ValueError(f"loop must be at least 2 and corridor at least 1, got {loop} and {corridor}")
    states = loop + corridor
    goal = states - 1
    transition = np.zeros((states, 2, states))
    for cell in range(loop):
        transition[cell, 0, (cell + 1) % loop] = 1.0
        transition[cell, 1, loop if cell == 0 else cell] = 1.0
    for cell in range(loop, states):
        transition[cell, 0, cell] = 1.0
        transition[cell, 1, min(cell + 1, goal)] = 1.0
    reward = np.zeros((states, 2, states))
    reward[:goal, :, goal] = 1.0
    index = np.arange(states)
    ring = [f"You are {i} steps past the checkpoint on a ring of {loop} cells." for i in range(1, loop)]
    hall = [f"You walk in the corridor, {corridor - i} steps from the goal." for i in range(1, corridor)]
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=index == goal,
        start=np.eye(states)[0],
        success=index == goal,
        names=(
            "You are at the checkpoint of the ring, where the corridor begins.",
            *ring,
            *hall,
            "You reached the goal.",
        ),
        events={"passed_checkpoint": index == 0, "reached_goal": index == goal},
        time_limit=8 * (loop + corridor) if time_limit is None else time_limit,
    )


def critical_bonus(discount: float, loop: int = 6, corridor: int = 8) -> float:
    """b* = discount**(C - L) * (1 - discount**L): above it, circling for ever is optimal.

    With a bonus b for each arrival at the checkpoint, circling is worth ``b * discount**(L-1) / (1 -
    discount**L)`` and leaving at once ``discount**(C-1)``. The bonus b* makes them equal.

    Args:
        discount: In (0, 1).
        loop: L of `loop_trap`.
        corridor: C of `loop_trap`.

    Returns:
        b*.
    """
    return float(discount ** (corridor - loop) * (1.0 - discount**loop))
