"""Four rooms and a goal that pays for one action, as reward design is tried on."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel
from potentia.limits import check_at_least

__all__ = ["room"]

_MOVES = ((0, 1), (-1, 0), (0, -1), (1, 0))  # up, left, down, right, as (x, y)
_UP, _LEFT, _DOWN, _RIGHT = range(4)


def room(
    size: int = 7,
    reward: float = 10.0,
    random_move: float = 0.1,
    distractor: float = 0.0,
    ends: bool = True,
    time_limit: int | None = None,
) -> TransitionModel:
    """Four rooms of n x n cells in all, with thin walls between them. "Right" in the last corner pays.

    Devidze, Radanovic, Kamalaruban and Singla 2021, "Explicable reward design for reinforcement learning agents"
    (NeurIPS), by the code of its authors' later papers. Cell (0, 0) is bottom left, and the start is (1, 1). The walls
    are in the middle, each with two gates, so that all n^2 cells can be stood on. An action is replaced by a random one
    with some probability. In the goal, cell (n - 1, n - 1), and in cell (0, 0) nothing is left to chance. Two actions
    of cell (0, 0), left and down, lead out of the rooms and end the episode without pay.

    The exploring paper of Devidze, Kamalaruban and Singla 2022 (NeurIPS) has ``reward=1, random_move=0.05, ends=False,
    time_limit=30`` and a distractor of 0.01. Its goal pays as often as "right" is taken in it.

    Args:
        size: n, odd and at least 5.
        reward: What "right" in the goal pays.
        random_move: The probability that the action is drawn uniformly instead.
        distractor: What "up" in cell (1, 0), below the start, pays.
        ends: Whether "right" in the goal ends the episode. Else it leads back to the goal.
        time_limit: Steps an episode. The default is 50.

    Returns:
        The model: the cells row by row from the bottom, the state outside, and, if it ends, the state of success.

    Raises:
        ValueError: If the size is even or below 5.
    """
    check_at_least(5, size=size)
    if size % 2 == 0:
        raise ValueError(f"size must be odd, so that there is a middle, got {size}")
    cells = size * size
    goal, outside, count = cells - 1, cells, cells + 1 + ends
    meant = np.zeros((count, 4), np.int64)
    for cell in range(cells):
        meant[cell] = [_beyond(size, cell % size, cell // size, *move) for move in _MOVES]
    meant[0, [_LEFT, _DOWN]] = outside
    meant[goal, _RIGHT] = count - 1 if ends else goal
    intended = np.eye(count)[meant]
    transition = (1.0 - random_move) * intended + random_move * intended.mean(axis=1, keepdims=True)
    transition[[0, goal]] = intended[[0, goal]]
    paid = np.zeros((count, 4))
    paid[goal, _RIGHT] = reward
    paid[1, _UP] += distractor
    states = np.arange(count)
    names = [f"You stand at ({c % size}, {c // size}) of {size} x {size} cells." for c in range(cells)]
    return TransitionModel(
        transition=transition,
        reward=paid,
        terminal=states >= cells,
        start=np.eye(count)[size + 1],
        success=states == (count - 1 if ends else goal),
        names=(*names, "You are outside of the rooms.", "You have taken the prize.")[:count],
        events={"reached_goal": states == goal},
        time_limit=50 if time_limit is None else time_limit,
    )


def _beyond(size: int, x: int, y: int, right: int, up: int) -> int:
    """The cell that a move leads to. It is the same one if a wall is there."""
    to = (x + right, y + up)
    along, across, crossed = (y, x, to[0]) if right else (x, y, to[1])
    wall = size // 2  # walls stand before the middle column and the middle row
    gates = {-(-size // 3) - 2, -(-2 * (size + 2) // 3) - 1}
    walled = {across, crossed} == {wall - 1, wall} and along not in gates
    inside = 0 <= to[0] < size and 0 <= to[1] < size
    return (to[1] * size + to[0]) if inside and not walled else y * size + x
