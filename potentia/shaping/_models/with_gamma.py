"""One gamma for all steps, as a discount column."""

from __future__ import annotations

from potentia.arrays import array_namespace
from potentia.rollout import Rollout


def with_gamma(rollout: Rollout, gamma: float) -> Rollout:
    """The rollout with ``discount = gamma`` wherever it was not 0: 0 says that the learner uses no next value.

    Raises:
        ValueError: If a shaping term exists already.
    """
    old = rollout.discount
    xp = array_namespace(old)
    return rollout.with_discount(xp.where(old == 0, old, xp.full_like(old, gamma)))
