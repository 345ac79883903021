"""A gamma that is learned by the gradient of what the policy's update made of the return."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from potentia.encoders import observation_tensors
from potentia.gamma import check_gamma
from potentia.rollout import Rollout
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.policy_rows import log_probs
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.shaper import Carry, Contract, Shaper


def returns_and_slopes(reward: Tensor, gamma: float, ends: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """``G_t = r_t + gamma G_t+`` and ``dG_t / dgamma = G_t+ + gamma dG_t+ / dgamma``, each ``(T, B)``.

    ``t+`` is the next unmasked step of the episode. Both are 0 beyond its end and the rollout's.

    Args:
        reward: ``(T, B)``.
        gamma: The discount factor.
        ends: ``(T, B)`` bool: the episode ends here.
        mask: ``(T, B)`` bool.

    >>> no, yes = torch.zeros(3, 1, dtype=torch.bool), torch.ones(3, 1, dtype=torch.bool)
    >>> returns, slopes = returns_and_slopes(torch.tensor([[1.0], [2.0], [4.0]]), 0.5, no, yes)
    >>> returns[:, 0].tolist(), slopes[:, 0].tolist()  # d(1 + 2 g + 4 g^2) = 2 + 8 g
    ([3.0, 4.0, 4.0], [6.0, 4.0, 0.0])
    """
    after = slope = torch.zeros_like(reward[0])
    found = []
    for t in range(len(reward) - 1, -1, -1):
        going = (~ends[t]).to(reward.dtype)
        here, rise = reward[t] + gamma * going * after, going * (after + gamma * slope)
        after, slope = torch.where(mask[t], here, after), torch.where(mask[t], rise, slope)
        found.append((after, slope))
    returns, slopes = zip(*reversed(found), strict=True)
    return torch.stack(returns), torch.stack(slopes)


class MetaGradientDiscount(Shaper):
    """``gamma += d J'(theta + f(gamma)) / dgamma``: gamma follows what it does to the policy's update.

    Xu et al. 2018, "Meta-gradient reinforcement learning", arXiv 1805.09801, with their
    trace: ``z <- trace * z + df / dgamma``, and ``dJ' / dgamma = (dJ' / dtheta) z``. The authors differentiate the
    learner's own update. A shaper does not know it, so f is the plain policy gradient,
    ``sum_t (G_t(gamma) - mean) grad log pi(a_t | s_t)``, of the rollout before, and J' the same of this rollout with
    ``outer``, a gamma that stays. Returns are those of the rollout alone, without values, so it should hold whole
    episodes. A cut counts as an end.

    `update` is given the policy after it learned from the rollout, which is near the one that acted.

    Args:
        start: Gamma at first.
        outer: The gamma by which an update is judged. It stays.
        low: The least gamma.
        high: The greatest.
        learning_rate: Adam's step size for the logit of gamma's place between low and high.
        trace: How much of earlier updates counts, in [0, 1]. 0 looks at the last one alone.
        name: Its name. It adds no term.

    Raises:
        ValueError: If a gamma leaves [0, 1], or start does not lie between low and high.

    >>> import numpy as np
    >>> from potentia.rollout import Rollout
    >>> zeros, ends = np.zeros((2, 1)), np.array([[False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=np.array([[0.99], [0.0]]),
    ...     terminated=ends, truncated=zeros > 0)
    >>> MetaGradientDiscount(0.9).shape(rollout)[0].discount[:, 0].round(6).tolist()  # as it is before it learns
    [0.9, 0.0]
    """

    saved = ("_logit", "_optimizer", "_trace")
    contract = Contract(
        reads=frozenset({"obs", "action", "reward", "discount", "terminated", "truncated"}), scope="lifelong",
        needs_episodes=True, needs_policy=True, sets_discount=True,
    )  # fmt: skip

    def __init__(
        self,
        start: float = 0.95,
        outer: float = 0.99,
        *,
        low: float = 0.0,
        high: float = 1.0,
        learning_rate: float = 0.02,
        trace: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_gamma(low), check_gamma(high), check_gamma(outer)
        if not low < start < high:
            raise ValueError(f"start must lie between low and high, {low} and {high}, got {start}")
        if not 0 <= trace <= 1:
            raise ValueError(f"trace must lie in [0, 1], got {trace}")
        self.outer, self.low, self.high, self.decay = outer, low, high, trace
        place = torch.tensor((start - low) / (high - low), dtype=torch.float64)
        self._logit = nn.ParameterDict({"logit": nn.Parameter(torch.logit(place))})
        self._optimizer = torch.optim.Adam(self._logit.parameters(), lr=learning_rate, maximize=True)
        self._trace: list[Tensor] | None = None

    @property
    def gamma(self) -> float:
        """Gamma now."""
        return self.low + (self.high - self.low) * float(torch.sigmoid(self._logit["logit"].detach()))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    @own_modes(gradients=True)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Moves gamma by what the update before it did, and remembers what gamma did to this one.

        Raises:
            ValueError: If there is no policy.
        """
        log_prob = log_probs(self, rollout, policy)
        if not len(log_prob):
            return {}
        judged, _ = self._advantages(rollout, self.outer, log_prob)
        _, slopes = self._advantages(rollout, self.gamma, log_prob)
        weights = [weight for weight in policy.parameters() if weight.requires_grad]
        slope = 0.0
        if self._trace is not None:
            pull = _gradient((judged * log_prob).sum(), weights, keep=True)
            slope = float(sum((one * other).sum() for one, other in zip(pull, self._trace, strict=True)))
            self._step(slope)
        new = _gradient((slopes * log_prob).sum(), weights)
        old = self._trace or [torch.zeros_like(part) for part in new]
        self._trace = [self.decay * before + part for before, part in zip(old, new, strict=True)]
        return {"gamma": self.gamma, "slope": slope}

    def _advantages(self, rollout: Rollout, gamma: float, like: Tensor) -> tuple[Tensor, Tensor]:
        """Returns of the unmasked steps less their mean, ``(n,)``, and how both change with gamma."""
        reward, done, mask = (
            observation_tensors(part, like.device) for part in (rollout.reward, rollout.done, rollout.mask)
        )
        returns, slopes = (part[mask] for part in returns_and_slopes(reward.to(like.dtype), gamma, done, mask))
        return returns - returns.mean(), slopes - slopes.mean()

    def _step(self, slope: float) -> None:
        """Adam's step uphill, on the logit."""
        logit = self._logit["logit"]
        place = torch.sigmoid(logit.detach())
        logit.grad = slope * (self.high - self.low) * place * (1 - place)
        self._optimizer.step()


def _gradient(total: Tensor, weights: list[Any], *, keep: bool = False) -> list[Tensor]:
    found: Iterable[Tensor | None] = torch.autograd.grad(total, weights, retain_graph=keep, allow_unused=True)
    return [torch.zeros_like(weight) if part is None else part for part, weight in zip(found, weights, strict=True)]
