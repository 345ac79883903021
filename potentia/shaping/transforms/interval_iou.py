"""How well an interval that was named matches the true one."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper


class IntervalIoU(Shaper):
    """``|a & b| / |a | b|``: the intersection over the union of two intervals of the line.

    It rewards temporal grounding (Temporal-R1: half of it, and half for the format, which `Gated` or a `Chain` adds).
    An interval that is empty, turned round or not finite earns 0.

    Args:
        column: The info column of the intervals that were named, ``(T, B, 2)``: begin and end.
        target: The info column of the true ones, likewise.
        weight: What a perfect match earns.
        name: The term's name.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=no, truncated=no,
    ...     info={"next_interval": np.array([[[0.0, 4.0], [5, 1]]]), "target": np.array([[[2.0, 6.0], [1, 5]]])})
    >>> IntervalIoU().shape(rollout)[0].terms["IntervalIoU"][0].round(3).tolist()  # 2 of 6, and one turned round
    [0.333, 0.0]
    """

    def __init__(
        self, column: str = "next_interval", target: str = "target", weight: float = 1.0, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.column, self.target, self.weight = column, target, float(weight)
        self.contract: Contract = Contract(reads=frozenset({f"info:{column}", f"info:{target}"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        named, true = (self._interval(rollout, column) for column in (self.column, self.target))
        with np.errstate(invalid="ignore"):  # behind the mask there may be anything
            inside = np.minimum(named[..., 1], true[..., 1]) - np.maximum(named[..., 0], true[..., 0])
            union = np.maximum(named[..., 1], true[..., 1]) - np.minimum(named[..., 0], true[..., 0])
            sound = (named[..., 1] > named[..., 0]) & (true[..., 1] > true[..., 0]) & np.isfinite(union) & (inside > 0)
        share = np.where(sound, inside / np.where(sound, union, 1.0), 0.0)
        return rollout.add(self.name, like_column(self.weight * share, rollout.discount)), carry

    def _interval(self, rollout: Rollout, column: str) -> np.ndarray[Any, Any]:
        found = np.asarray(host_array(info_column(rollout, column, self.name)), np.float64)
        if found.shape[2:] != (2,):
            raise ValueError(
                f"{self.name} reads intervals in the info column {column!r}, which must have shape (T, B, 2): begin "
                f"and end of each, got {found.shape}"
            )
        return found
