"""A schedule of the discount factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from potentia.gamma import check_gamma
from potentia.rollout import Rollout
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.shaper import Carry, Contract, Shaper


class ScheduleDiscount(Shaper):
    """``discount = schedule(steps seen)`` wherever the learner uses the next value, and 0 elsewhere, as before.

    A short horizon first and a longer one later makes early learning stable (Francois-Lavet, Fonteneau and Ernst 2015,
    arXiv 1512.02011). Their rule, that ``1 - gamma`` shrinks to .98 of itself each epoch, is ``Exponential(start, 1.0,
    half_life)`` with a half-life of 34 epochs. `potentia.shaping.schedules.Horizon` schedules how many steps count.
    Every shaper after it in a chain, and the learner, reads the new discount.

    Args:
        schedule: A gamma in [0, 1], or a function from the number of unmasked transitions seen by `update` to one.
        name: Its name. It adds no term.

    Raises:
        ValueError: If gamma leaves [0, 1].

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.shaping.schedules import Linear
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)), terms={"env": np.zeros((2, 1))},
    ...     discount=np.array([[0.99], [0.0]]), terminated=np.array([[False], [True]]),
    ...     truncated=np.zeros((2, 1), bool))
    >>> shaper = ScheduleDiscount(Linear(0.5, 1.0, steps=4))
    >>> shaper.update(rollout)  # two of four steps
    {'gamma': 0.75}
    >>> shaper.shape(rollout)[0].discount[:, 0].tolist()
    [0.75, 0.0]
    """

    saved = ("steps",)
    contract = Contract(reads=frozenset({"discount", "terminated"}), scope="lifelong", sets_discount=True)

    def __init__(self, schedule: float | Callable[[int], float], name: str | None = None) -> None:
        super().__init__(name)
        self.schedule = schedule
        self.steps = 0
        check_gamma(self.gamma)

    @property
    def gamma(self) -> float:
        """Gamma now."""
        return check_gamma(self.schedule(self.steps) if callable(self.schedule) else self.schedule)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        del policy
        self.steps += int(rollout.mask.sum())
        return {"gamma": self.gamma}
