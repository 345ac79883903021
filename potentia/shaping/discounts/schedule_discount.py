"""A schedule of the discount factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from potentia.arrays import array_namespace
from potentia.rollout import Rollout, check_discount
from potentia.shaping.shaper import Carry, Contract, Shaper, check_keys


class ScheduleDiscount(Shaper):
    """``discount = schedule(steps seen)`` wherever the learner uses the next value; 0 elsewhere, as before.

    A short horizon first and a longer one later makes early learning stable (Francois-Lavet, Fonteneau and Ernst 2015,
    arXiv 1512.02011). Every shaper after it in a chain, and the learner, reads the new discount.

    Args:
        schedule: A discount in [0, 1], or a function from the number of unmasked transitions seen by `update` to one.
        name: Its name; it adds no term.

    Raises:
        ValueError: If the discount leaves [0, 1].
    """

    contract = Contract(reads=frozenset({"discount", "terminated"}), scope="lifelong", sets_discount=True)

    def __init__(self, schedule: float | Callable[[int], float], name: str | None = None) -> None:
        super().__init__(name)
        self.schedule = schedule
        self.steps = 0
        check_discount(self.discount)

    @property
    def discount(self) -> float:
        """The discount now."""
        return check_discount(self.schedule(self.steps) if callable(self.schedule) else self.schedule)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Sets the discount column; a 0 stays 0, because there the learner uses no next value."""
        old = rollout.discount
        xp = array_namespace(old)
        return rollout.with_discount(xp.where(old == 0, old, xp.full_like(old, self.discount))), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Advances the schedule by the unmasked transitions."""
        del policy
        self.steps += int(rollout.mask.sum())
        return {"discount": self.discount}

    def state_dict(self) -> dict[str, Any]:
        """The steps seen."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores the steps seen."""
        check_keys(self, state, ("steps",))
        self.steps = int(state["steps"])
