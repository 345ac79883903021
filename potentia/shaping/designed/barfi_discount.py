"""The discount that BARFI learns together with its blend of rewards."""

from __future__ import annotations

import torch
from torch import nn

from potentia.gamma import check_gamma
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.shaper import Carry, Contract, Shaper


class BARFIDiscount(Shaper):
    """``discount = sigmoid(phi)``: a gamma that `BARFI` learns with its blend of rewards.

    It climbs ``J(theta(phi)) - cost gamma``, by the same implicit gradient, and so prefers short horizons where they
    lose nothing (Gupta et al. 2023). It does not learn by itself: give it to the `BARFI` that comes after it.

    Args:
        start: Gamma at first.
        outer: The gamma of the true return, by which J is judged. It stays.
        cost: lambda of gamma.
        learning_rate: Adam's step size for phi.
        name: Its name. It adds no term.

    Raises:
        ValueError: If ``start`` is not between 0 and 1, or ``outer`` is no gamma.

    >>> from gymnasium.spaces import Discrete
    >>> from potentia.shaping import BARFI, Chain, PotentialShaping
    >>> discount = BARFIDiscount(0.9)
    >>> both = Chain(discount, BARFI(PotentialShaping([0.0, 1.0]), Discrete(2), Discrete(2), discount=discount))
    >>> round(discount.gamma, 6)
    0.9
    """

    saved = ("_phi", "_optimizer")
    contract = Contract(reads=frozenset({"discount", "terminated"}), scope="lifelong", sets_discount=True)

    def __init__(
        self,
        start: float = 0.95,
        outer: float = 0.99,
        *,
        cost: float = 0.0,
        learning_rate: float = 0.05,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_gamma(outer)
        check_at_least(0, cost=cost, learning_rate=learning_rate)
        if not 0 < start < 1:
            raise ValueError(f"start must lie between 0 and 1, got {start}")
        self.outer, self.cost = outer, cost
        logit = torch.logit(torch.tensor(start, dtype=torch.float64))
        self._phi = nn.ParameterDict({"gamma": nn.Parameter(logit)})
        self._optimizer = torch.optim.Adam(self._phi.parameters(), lr=learning_rate, maximize=True)

    @property
    def gamma(self) -> float:
        """Gamma now."""
        return float(torch.sigmoid(self._phi["gamma"].detach()))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    def climb(self, slope: float) -> None:
        """One step up ``J - cost gamma``, where dJ / dgamma is ``slope``."""
        gamma = self.gamma
        self._phi["gamma"].grad = torch.tensor((slope - self.cost) * gamma * (1 - gamma), dtype=torch.float64)
        self._optimizer.step()
