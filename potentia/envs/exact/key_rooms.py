"""Two rooms, a key and a locked door: the smallest world with a subgoal that must come first."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["key_rooms"]

_MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up


def key_rooms(size: int = 4, time_limit: int | None = None) -> TransitionModel:
    """Two rooms of n x n cells: the key lies in a corner of the first, the goal in the second behind a door.

    The start is the top left cell of the first room, the key its bottom left cell, taken by stepping on it.
    The door stands in the wall between the rooms in row n // 2 and lets only those pass who hold the key. The
    goal is the top right cell of the second room and pays 1. The shortest way takes (n - 1) + (n - 1 - n //
    2) + 2 n + n // 2 = 4 n - 2 steps.

    Args:
        size: n, at least 2.
        time_limit: Steps an episode. The default is 20 n.

    Returns:
        The model, with 2 (2 n^2 + 1) states: every cell, without and with the key.

    Raises:
        ValueError: If the size is below 2.
    """
    if size < 2:
        raise ValueError(f"size must be at least 2, got {size}")
    door = (size // 2, size)
    rooms = [(row, column) for row in range(size) for column in range(2 * size + 1) if column != size]
    cells = sorted([*rooms, door])
    index = {cell: i for i, cell in enumerate(cells)}
    count = len(cells)
    key, goal = index[size - 1, 0], index[0, 2 * size]
    transition = np.zeros((2 * count, 4, 2 * count))
    for (row, column), cell in index.items():
        for holding in (0, 1):
            for action, (down, right) in enumerate(_MOVES):
                target = (row + down, column + right)
                after = index.get(target, cell) if holding or target != door else cell
                transition[cell + count * holding, action, after + count * (holding or after == key)] = 1.0
    states = np.arange(2 * count)
    success = states % count == goal
    reward = np.zeros(transition.shape)
    reward[:, :, success] = 1.0
    hand = ("Your hands are empty.", "You hold the key.")
    names = [f"You stand at row {r}, column {c}. {hand[h]}" for h in (0, 1) for r, c in cells]
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=success,
        start=np.eye(2 * count)[index[0, 0]],
        success=success,
        names=tuple(names),
        events={
            "picked_up_key": states >= count,
            "passed_door": states % count == index[door],
            "reached_goal": success,
        },
        time_limit=20 * size if time_limit is None else time_limit,
    )
