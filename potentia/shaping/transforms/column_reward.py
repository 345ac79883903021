"""What the world says in its info, as a reward."""

from __future__ import annotations

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper


class ColumnReward(Shaper):
    """``info[column]``: a number of the world's info, paid at each step.

    Such as a dense reward that a world offers beside its sparse one. Behind `HideReward` it takes the reward's place.

    Args:
        column: The name of the info column. ``next_x`` is what ``x`` was after the step.
        name: The term's name.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=no, truncated=no,
    ...     info={"next_dense": np.array([[0.25, -1.0]])})
    >>> ColumnReward("next_dense").shape(rollout)[0].terms["ColumnReward"][0].tolist()
    [0.25, -1.0]
    """

    def __init__(self, column: str, *, name: str | None = None) -> None:
        super().__init__(name)
        self.column = column
        self.contract: Contract = Contract(reads=frozenset({f"info:{column}"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        column = np.asarray(host_array(info_column(rollout, self.column, self.name)), np.float64)
        if column.shape != tuple(rollout.discount.shape):
            raise ValueError(
                f"{self.name} pays the info column {self.column!r}, which must be a number for each step, shape "
                f"(T, B) = {tuple(rollout.discount.shape)}, got {column.shape}"
            )
        return rollout.add(self.name, like_column(column, rollout.discount)), carry
