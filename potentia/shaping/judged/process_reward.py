"""The form that rewards for single steps share: a sum of named parts, each with a known maximum."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from types import MappingProxyType
from typing import Any

from potentia.arrays import host_array
from potentia.rollout import Array, Rollout
from potentia.shaping.shaper import Carry, Shaper


class ProcessReward(Shaper):
    """``sum of parts``: one term, whose parts can be looked at one by one.

    A part that is never paid, or always, teaches nothing and is easily overlooked in a sum. So the parts are logged
    apart, and `potentia.testing.check_process_reward` tries whether each can be earned.

    Attributes:
        maxima: For each part, the most that a step can earn by it. ``math.inf``, or no entry, if there is no bound.
    """

    maxima: Mapping[str, float] = MappingProxyType({})

    def parts(self, rollout: Rollout) -> dict[str, Array]:
        """The parts by name, each ``(T, B)``."""
        raise NotImplementedError(f"{type(self).__name__} must implement parts(rollout)")

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, reduce(add, self.parts(rollout).values())), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Learns nothing. Returns the mean of each part over the unmasked steps."""
        del policy
        mask = host_array(rollout.mask)
        if not mask.any():
            return {}
        return {name: float(host_array(part)[mask].mean()) for name, part in self.parts(rollout).items()}
