"""Shapers of imitation that are broken in one place: each must be caught, by the law that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from potentia.arrays import array_namespace
from potentia.rollout import Rollout
from potentia.shaping import Carry, HopPotential, OptimalTransport, SelfImitation, Shaper
from tests.shaping.law_table import GOAL, SHOWN, hops
from tests.testing.honest import assert_caught, name_of


class KeepsProgressAtTheEnd(HopPotential):
    """The progress of a last state is paid though nothing follows, as in the paper."""

    def __init__(self) -> None:
        super().__init__(hops, GOAL)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        xp = array_namespace(rollout.discount)
        kept = xp.where(rollout.terminated, 0.9, rollout.discount)
        lasting = replace(rollout, discount=kept, terminated=rollout.terminated & False, truncated=rollout.done)
        shaped, carry = super().shape(lasting, carry)
        return rollout.add(self.name, shaped.terms[self.name]), carry


class KeepsTheWayWhereCut(HopPotential):
    """Where an episode is cut its progress is the fused one, which depends on the whole way."""

    def __init__(self) -> None:
        super().__init__(hops, GOAL)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        carry, term = (
            carry or self.init(rollout.num_envs),
            array_namespace(rollout.discount).zeros_like(rollout.discount),
        )
        for t in range(rollout.num_steps):
            step = rollout[t : t + 1]
            going = replace(step, terminated=step.done & False, truncated=step.done & False)
            term[t] = super().shape(going, carry)[0].terms[self.name][0]
            _, carry = super().shape(step, carry)
        return rollout.add(self.name, term), carry


class ReadsMaskedSteps(OptimalTransport):
    """Masked steps are moved as well, and take their share of the demonstration."""

    def __init__(self) -> None:
        super().__init__(SHOWN)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        seen = replace(rollout, mask=rollout.mask | True)
        shaped, carry = super().shape(seen, carry)
        return rollout.add(self.name, shaped.terms[self.name]), carry


class ImitatesMaskedSteps(SelfImitation):
    """What stands behind the mask is kept too."""

    def __init__(self) -> None:
        super().__init__(episodes=2, least=-99.0)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        return super().update(replace(rollout, mask=rollout.mask | True), policy=policy)


BROKEN: list[tuple[Callable[[], Shaper], str]] = [
    (KeepsProgressAtTheEnd, "telescoping"),
    (KeepsTheWayWhereCut, "settling"),
    (ReadsMaskedSteps, "mask"),
    (ImitatesMaskedSteps, "mask"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN, ids=name_of)
def test_a_broken_imitation_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    assert_caught(make, law)
