"""Behaviour that must be rare or common: indicator costs, weighted by multipliers that learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from potentia.arrays import host_array, like_column
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.learned import own_modes
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper


@dataclass(frozen=True)
class Limit:
    """A bound on how often something happens, as a share of the steps on which it can.

    Attributes:
        rate: The bound, in [0, 1].
        at_least: Whether it is a lower bound. An upper one is the default.
        keeps_task: Whether its multiplier, if it is larger, takes the place of the task's weight. That is for "success
            at least so often", which keeps the task alive while other bounds are violated.
    """

    rate: float
    at_least: bool = False
    keeps_task: bool = False


class IndicatorCost(Shaper):
    """``w r + sum_k sign_k lambda_k c_k - r``: the task's reward r and indicators c_k, with multipliers that learn.

    Roy et al. 2022, "Direct behavior specification via constrained reinforcement learning", arXiv 2112.12228. The
    multipliers are normalised: lambda = softmax(z), whose first entry is the task's weight w. So no bound can drive the
    reward's scale away. Each z_k learns by Adam on ``sum_k sign_k lambda_k (J_k - rate_k)``, J_k being the share of the
    latest steps with c_k = 1. It grows while its bound is violated. sign is -1 for upper bounds and +1 for lower ones.
    A NaN says that c_k does not apply: it earns 0 and does not count. The paper's learner has a critic for each cost.
    Here they are one reward, with the multipliers of now.

    Args:
        limits: The bounds, each by the name of its info column of 0, 1 (or truth values) and NaN. A number alone is an
            upper bound.
        learning_rate: Adam's.
        window: How many of the latest steps J_k is the mean of.
        every: How many calls of `update` go before each step of the multipliers.
        name: The term's name.

    Attributes:
        multipliers: lambda by name, with the task's weight as ``"task"``.

    Raises:
        ValueError: If there is no bound, or a rate lies outside [0, 1].

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros + 1.0}, discount=zeros, terminated=no,
    ...     truncated=no, info={"next_lava": np.array([[1.0, 0.0]])})
    >>> shaper = IndicatorCost({"next_lava": 0.1}, learning_rate=1.0)
    >>> shaper.shape(rollout)[0].reward[0].tolist()  # half of the reward, and less half of the indicator
    [0.0, 0.5]
    >>> sorted(shaper.update(rollout))  # half of the steps were in lava: its multiplier grows
    ['next_lava/multiplier', 'next_lava/rate', 'task/multiplier']
    >>> shaper.multipliers["next_lava"] > 0.5
    True
    """

    saved = ("_z", "_optimiser", "_calls", "_seen")

    def __init__(
        self,
        limits: Mapping[str, float | Limit],
        *,
        learning_rate: float = 0.03,
        window: int = 2000,
        every: int = 1,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, window=window, every=every)
        if not limits:
            raise ValueError("wanted bounds by the names of info columns, {column: rate}, got none")
        self.limits = {key: one if isinstance(one, Limit) else Limit(float(one)) for key, one in limits.items()}
        if wrong := {key: one.rate for key, one in self.limits.items() if not 0 <= one.rate <= 1}:
            raise ValueError(f"a rate is a share of the steps, in [0, 1], got {wrong}")
        self.learning_rate, self.window, self.every = learning_rate, window, every
        self._signs = np.array([1.0 if one.at_least else -1.0 for one in self.limits.values()])
        self._z = nn.ParameterList([torch.zeros(1 + len(self.limits), dtype=torch.float64)])
        self._optimiser = torch.optim.Adam(self._z.parameters(), learning_rate, eps=1e-5)
        self._calls, self._seen = 0, np.zeros((0, len(self.limits)))
        self.contract: Contract = Contract(
            reads=frozenset({"reward"} | {f"info:{key}" for key in self.limits}), scope="lifelong", rescales=True
        )

    @property
    def multipliers(self) -> dict[str, float]:
        """The weight of the task and of each indicator, which sum to 1."""
        weights = torch.softmax(self._z[0].detach(), 0).tolist()
        return dict(zip(("task", *self.limits), weights, strict=True))

    @property
    def _task_weight(self) -> float:
        found = self.multipliers
        return max([found["task"], *(found[key] for key, one in self.limits.items() if one.keeps_task)])

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        found = self.multipliers
        term = (self._task_weight - 1.0) * np.asarray(host_array(rollout.reward), np.float64)
        for key, sign, costs in zip(self.limits, self._signs, self._costs(rollout), strict=True):
            term = term + sign * found[key] * np.nan_to_num(costs)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def _costs(self, rollout: Rollout) -> list[np.ndarray[Any, Any]]:
        return [np.asarray(host_array(info_column(rollout, key, self.name)), np.float64) for key in self.limits]

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Measures how often each indicator held lately, and moves the multipliers."""
        del policy
        mask = host_array(rollout.mask)
        seen = np.stack([costs[mask] for costs in self._costs(rollout)], axis=1)
        if not len(seen):
            return {}
        self._seen = np.concatenate([self._seen, seen])[-self.window :]
        self._calls += 1
        known = ~np.isnan(self._seen)
        rates = np.where(known, self._seen, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        if self._calls % self.every == 0:
            self._move(np.where(known.any(0), rates, [one.rate for one in self.limits.values()]))
        found = self.multipliers
        metrics = {f"{key}/rate": float(rate) for key, rate in zip(self.limits, rates, strict=True)}
        return metrics | {f"{key}/multiplier": value for key, value in found.items()}

    def _move(self, rates: np.ndarray[Any, Any]) -> None:
        excess = self._signs * (rates - [one.rate for one in self.limits.values()])
        with own_modes(gradients=True):
            loss = (torch.softmax(self._z[0], 0)[1:] * torch.from_numpy(excess)).sum()
            self._optimiser.zero_grad()
            loss.backward()
            self._optimiser.step()
