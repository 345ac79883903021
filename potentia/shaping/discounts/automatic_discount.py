"""Automatic discount scheduling: the horizon grows with what the agent follows of demonstrations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from potentia.arrays import host_array
from potentia.demonstrations import Demonstrations, as_demonstrations
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.costs import DemonstrationCosts, Metric
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.discounts.progress import match_curves
from potentia.shaping.shaper import Carry, Contract, Shaper

_START = 0.2
"""The share of the demonstrations' steps with which the authors begin."""


class AutomaticDiscount(Shaper):
    """``discount = alpha ** (1 / k)``, where k rises once the agent follows the demonstrations' first k steps.

    Liu et al. 2023, "Imitation learning from observation with automatic discount scheduling" (ADS), arXiv 2310.07433.
    Where late rewards of imitation keep an agent from learning the early part, the horizon is short at first. An
    episode follows k steps of a demonstration as far as ``match(k)``, the longest increasing subsequence of its steps'
    nearest steps there (`potentia.shaping.discounts.progress.match_curves`). A demonstration follows another so far,
    too: ``ref(k)`` is the median over their ordered pairs, or k if there is but one. At an evaluation, at most ``most``
    times, k rises by 1 if ``quantile`` of the matches is at least ``floor(lambda_ * ref(k))``. It never falls, and ends
    at the steps of the longest demonstration.

    The authors evaluate in episodes apart. Here the episodes are the last ones of training that `update` saw. An
    evaluation comes as soon as ``every`` transitions were seen since the last one.

    Put it first in the chain, and what pays for following after it:
    ``Chain(AutomaticDiscount(demonstrations), OptimalTransport(demonstrations))``. A replay must discount old
    transitions by the new gamma, as `potentia.agents.SAC` does.

    Args:
        demonstrations: Whole episodes, or the path of a file of them (`potentia.demonstrations`).
        metric: ``"cosine"`` or ``"euclidean"``: how ``next_obs`` are compared with those of demonstrations.
        encoder: From observations ``(N, ...)`` to features ``(N, d)``, None for their own numbers.
        standardize: Whether features are measured in their standard deviations over the demonstrations.
        alpha: What a reward k steps away counts.
        lambda_: How much of what demonstrations match of each other must be matched.
        quantile: Which of the episodes must: 0.9 is the 90th percentile over episodes and demonstrations.
        start: k at first. None is a fifth of the demonstrations' steps, rounded down, and at least 1.
        most: The most by which k rises at an evaluation.
        every: Transitions between evaluations.
        episodes: How many of the last episodes are looked at, at least: those of whole updates.
        device: Where costs are computed. Matches are computed on the host.
        name: Its name. It adds no term.

    Raises:
        TypeError: If there are no demonstrations.
        ValueError: If a number is out of its range, or the demonstrations are not whole episodes.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> place, last = np.arange(4.0)[:, None, None], np.array([[False], [False], [False], [True]])
    >>> walk = Rollout(
    ...     obs=place, action=last, next_obs=place + 1, terms={"env": np.zeros((4, 1))},
    ...     discount=np.where(last, 0.0, 0.9), terminated=last, truncated=np.zeros((4, 1), bool))
    >>> shaper = AutomaticDiscount(walk, "euclidean", start=1, most=2, every=4)
    >>> shaper.shape(walk)[0].discount[:, 0].tolist()  # alpha ** (1 / 1)
    [0.2, 0.2, 0.2, 0.0]
    >>> shaper.update(walk)["k"], round(shaper.gamma, 4)  # it does what was shown, and .2 ** (1 / 3) = .5848
    (3.0, 0.5848)
    """

    saved = ("k", "_batches", "_seen")
    contract = Contract(
        reads=frozenset({"next_obs", "discount", "terminated", "truncated"}),
        scope="lifelong",
        needs_episodes=True,
        sets_discount=True,
    )

    def __init__(
        self,
        demonstrations: Demonstrations,
        metric: Metric = "cosine",
        encoder: Callable[[Any], Any] | None = None,
        *,
        standardize: bool = False,
        alpha: float = 0.2,
        lambda_: float = 0.9,
        quantile: float = 0.9,
        start: int | None = None,
        most: int = 5,
        every: int = 10_000,
        episodes: int = 10,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        for setting, value in (("alpha", alpha), ("lambda_", lambda_), ("quantile", quantile)):
            if not 0 < value <= 1:
                raise ValueError(f"{setting} must lie in (0, 1], got {value}")
        check_at_least(1, most=most, every=every, episodes=episodes, start=start)
        shown = as_demonstrations(demonstrations)
        self.model = DemonstrationCosts(shown, metric, encoder, standardize=standardize, device=device)
        self.lengths = host_array(self.model.mask.sum(1))
        self.horizon = int(self.lengths.max())
        self.alpha, self.lambda_, self.quantile = alpha, lambda_, quantile
        self.most, self.every, self.episodes = most, every, episodes
        self.k = min(max(int(_START * self.horizon), 1) if start is None else start, self.horizon)
        self.reference = self._reference()
        self._batches: list[np.ndarray[Any, Any]] = []  # of the last updates, match(k) ``(episodes, shown, horizon)``
        self._seen = 0

    @property
    def gamma(self) -> float:
        """``alpha ** (1 / k)`` now."""
        return float(self.alpha ** (1 / self.k))

    def _reference(self) -> np.ndarray[Any, Any]:
        """``ref(k)`` for k = 1 .. horizon."""
        count = len(self.lengths)
        if count == 1:
            return np.arange(1.0, self.horizon + 1)
        first, second = np.nonzero(~np.eye(count, dtype=bool))
        costs = host_array(self.model.among())[first, second]
        curves = match_curves(costs, self.lengths[first], self.lengths[second], self.horizon)
        return np.asarray(np.median(curves, 0))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        del policy
        episodes = Episodes.of(rollout, self.model.device)
        self._seen += int(episodes.mask.sum())
        self._remember(rollout, episodes)
        if self._seen >= self.every and self._batches:
            self._seen = 0
            self._evaluate()
        matched = self._matched() if self._batches else 0.0
        return {"gamma": self.gamma, "k": float(self.k), "match": matched, "ref": float(self.reference[self.k - 1])}

    def _remember(self, rollout: Rollout, episodes: Episodes) -> None:
        """The matches of the episodes that ended, for every k, beside those of the last ones."""
        ended = host_array(episodes.ended).nonzero()[0]
        if not len(ended):
            return
        costs = host_array(self.model.costs(rollout, episodes))[ended]
        count, shown = costs.shape[:2]
        lengths = np.repeat(host_array(episodes.mask.sum(1))[ended], shown)
        flat = costs.reshape(count * shown, *costs.shape[2:])
        curves = match_curves(flat, lengths, np.tile(self.lengths, count), self.horizon)
        self._batches.append(curves.reshape(count, shown, -1))
        while sum(map(len, self._batches[1:])) >= self.episodes:
            self._batches.pop(0)

    def _matched(self) -> float:
        matched = [batch[..., self.k - 1].ravel() for batch in self._batches]
        return float(np.quantile(np.concatenate(matched), self.quantile))

    def _evaluate(self) -> None:
        for _ in range(self.most):
            if self.k == self.horizon or self._matched() < math.floor(self.lambda_ * self.reference[self.k - 1]):
                return
            self.k += 1
