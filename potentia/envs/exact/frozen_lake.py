"""FrozenLake with its tensors: Gymnasium's map, slippery or not."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["frozen_lake"]

_MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # left, down, right, up: Gymnasium's order
_KIND = {"S": "the start", "F": "frozen", "H": "a hole", "G": "the goal"}


def frozen_lake(map_name: str = "8x8", slippery: bool = True, time_limit: int = 200) -> TransitionModel:
    """Gymnasium's FrozenLake: 1 for reaching the goal, holes end the episode, ice may turn a move aside.

    On slippery ice a move goes in the wanted direction or to either side of it, with probability 1/3 each.
    The transition probabilities are those of ``FrozenLake8x8-v1``. Not slippery and with a limit of 14 steps,
    the length of the shortest way, it is the test of RLlib's count-based curiosity example.

    Args:
        map_name: "4x4" or "8x8".
        slippery: Whether a move may slip.
        time_limit: Steps an episode.

    Returns:
        The model.

    Raises:
        ValueError: If the map is unknown.
    """
    from gymnasium.envs.toy_text.frozen_lake import MAPS  # noqa: PLC0415 - it is needed only here

    if map_name not in MAPS:
        raise ValueError(f"map_name must be one of {sorted(MAPS)}, got {map_name!r}")
    cells = np.array([list(row) for row in MAPS[map_name]])
    height, width = cells.shape
    kind = cells.ravel()
    transition = np.zeros((kind.size, 4, kind.size))
    for state in range(kind.size):
        row, column = divmod(state, width)
        for action in range(4):
            for direction in ((action - 1) % 4, action, (action + 1) % 4) if slippery else (action,):
                down, right = _MOVES[direction]
                new_row, new_column = (
                    min(max(row + down, 0), height - 1),
                    min(max(column + right, 0), width - 1),
                )
                transition[state, action, new_row * width + new_column] += 1 / 3 if slippery else 1.0
    goal, hole = kind == "G", kind == "H"
    reward = np.zeros((kind.size, 4, kind.size))
    reward[:, :, goal] = 1.0
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=goal | hole,
        start=(kind == "S") / (kind == "S").sum(),
        success=goal,
        names=tuple(f"You stand at row {s // width}, column {s % width}: {_KIND[k]}." for s, k in enumerate(kind)),
        events={"reached_goal": goal, "fell_into_hole": hole},
        time_limit=time_limit,
    )
