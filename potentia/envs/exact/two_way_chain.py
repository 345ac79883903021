"""A corridor that is entered in the middle: the goal at one end, a small reward on the way to the other."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel
from potentia.limits import check_at_least

__all__ = ["two_way_chain"]


def two_way_chain(
    right: int = 20,
    left: int = 40,
    distractor: float = 0.01,
    distractor_after: int = 15,
    random_move: float = 0.05,
    time_limit: int | None = None,
) -> TransitionModel:
    """A chain with a goal ``right`` steps to the right, which pays 1 for each "right", and a distractor to the left.

    Devidze, Kamalaruban and Singla 2022, "Exploration-guided reward shaping for reinforcement learning under sparse
    rewards" (NeurIPS), by its authors' code. The chain goes on ``left`` steps to the left, and one step further the
    episode ends without pay. "Left" in the cell ``distractor_after`` steps to the left of the start pays the
    distractor. "Right" in the goal leads back to the goal. Action 0 moves left, action 1 right, and with some
    probability the action is drawn uniformly instead.

    Args:
        right: The number of steps from the start to the goal.
        left: The number of steps from the start to the other end.
        distractor: What is paid on the way there.
        distractor_after: Where it is paid.
        random_move: The probability that the action is drawn uniformly.
        time_limit: Steps an episode. The default is 40.

    Returns:
        The model: ``left + right + 1`` cells and the state beyond the left end.

    Raises:
        ValueError: If ``right`` is below 1, or the distractor is beyond the end.
    """
    check_at_least(1, right=right)
    if not 0 <= distractor_after <= left:
        raise ValueError(f"distractor_after must lie in 0..left={left}, got {distractor_after}")
    cells = left + right + 1
    goal, outside = cells - 1, cells
    index = np.arange(cells)
    meant = np.zeros((cells + 1, 2), np.int64)
    meant[:cells, 0] = np.where(index == 0, outside, index - 1)
    meant[:cells, 1] = np.minimum(index + 1, goal)
    intended = np.eye(cells + 1)[meant]
    paid = np.zeros((cells + 1, 2))
    paid[goal, 1] = 1.0
    paid[left - distractor_after, 0] += distractor
    states = np.arange(cells + 1)
    return TransitionModel(
        transition=(1.0 - random_move) * intended + random_move * intended.mean(axis=1, keepdims=True),
        reward=paid,
        terminal=states == outside,
        start=np.eye(cells + 1)[left],
        success=states == goal,
        names=(*(f"You stand {i - left} steps to the right of the start." for i in index), "You are outside."),
        events={"reached_goal": states == goal, "reached_distractor": states == left - distractor_after},
        time_limit=40 if time_limit is None else time_limit,
    )
