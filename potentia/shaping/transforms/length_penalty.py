"""A price for long answers."""

from __future__ import annotations

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.columns import info_column, text_column
from potentia.shaping.shaper import Carry, Contract, Shaper


class LengthPenalty(Shaper):
    """``-rate * max(length - free, 0)``: what a text, or whatever has a length, costs beyond what is free.

    Reward models like long answers, and policies find that out. The constants are those of Fu et al. 2025, arXiv
    2502.18770: 0.01 a token beyond 300. Put it before `PAR`, as there.

    Args:
        column: The info column that describes the step: texts, whose words are counted, or numbers.
        free: The length that costs nothing.
        rate: The price of one more.
        name: The term's name.

    Raises:
        ValueError: If ``free`` or ``rate`` is negative.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=no, truncated=no,
    ...     info={"next_response": np.array([["one two three", "one"]])})
    >>> LengthPenalty(free=1, rate=0.5).shape(rollout)[0].terms["LengthPenalty"][0].tolist()
    [-1.0, 0.0]
    """

    def __init__(
        self, column: str = "next_response", free: float = 300, rate: float = 0.01, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        if free < 0 or rate < 0:
            raise ValueError(f"free and rate must be at least 0, got {free} and {rate}")
        self.column, self.free, self.rate = column, free, rate
        self.contract: Contract = Contract(reads=frozenset({f"info:{column}"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        column = host_array(info_column(rollout, self.column, self.name))
        if column.dtype.kind in "OUS":
            texts = text_column(rollout, self.column, self.name)
            mask = host_array(rollout.mask)
            length = np.zeros(texts.shape)
            length[mask] = [len(text.split()) for text in texts[mask].tolist()]
        else:
            length = column
        price = self.rate * np.minimum(self.free - length, 0.0)
        return rollout.add(self.name, like_column(price, rollout.discount)), carry
