"""A reward of the learner's own that is learned by what it makes of the learner's next update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor

from potentia.arrays import like_column
from potentia.encoders import observation_tensors
from potentia.limits import check_at_least
from potentia.rollout import ENV, Rollout
from potentia.shaping._models.learned import own_modes, rows_of
from potentia.shaping._models.policy_rows import log_probs, require_policy
from potentia.shaping.designed.numbers import Numbers
from potentia.shaping.designed.policy_field import PolicyField, Steps
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import map_tree


class LIRPG(Shaper):
    """``(extrinsic - 1) r + intrinsic tanh(eta(s, a))``: eta climbs what the policy's next step makes of the return.

    Zheng, Oh and Singh 2018, "On learning intrinsic rewards for policy gradient methods", arXiv 1804.06459. r is the
    world's own reward. A policy step on one rollout, ``theta' = theta + alpha mean of grad log pi(a_t | s_t) A_t`` with
    A the returns of the mixed reward less their mean, is judged by the next rollout: ``dJ/deta = (dJ/dtheta') .
    dtheta'/deta``, where J is the clipped surrogate of r's returns (the ratio is of pi_theta' to the policy that
    acted). The authors judge by the rollout of the step itself, which is biased, and differentiate the learner's
    RMSProp or Adam. A shaper does not know those, so the step is plain gradient ascent.

    `update` is given the policy after it learned from a rollout, which is the one that acts in the next. So the first
    rollout tells it nothing. Returns end with the rollout, without values, and a cut counts as an end.

    Args:
        observation_space: The space of one observation. eta is a table if it and the actions are ``Discrete``, else a
            network.
        action_space: The space of one action.
        intrinsic: The weight of the learned reward. The authors' A2C on Atari has 0.01, and their PPO 1.
        extrinsic: The weight of r for the learner: 1, or 0 as the authors' PPO with delayed rewards.
        alpha: The policy step's size.
        learning_rate: Adam's step size for eta.
        clip_range: Where the surrogate's gradient stops.
        hidden: Width of the network's layers.
        device: Where eta is.
        seed: Of the network's weights.
        name: The term's name.

    Raises:
        ValueError: If a size is negative.

    >>> import numpy as np
    >>> rollout = Rollout(
    ...     obs=np.array([[0]]), action=np.array([[1]]), next_obs=np.array([[1]]), terms={"env": np.array([[5.0]])},
    ...     discount=np.array([[0.5]]), terminated=np.zeros((1, 1), bool), truncated=np.zeros((1, 1), bool))
    >>> LIRPG(spaces.Discrete(2), spaces.Discrete(2), extrinsic=0.0).shape(rollout)[0].terms["LIRPG"].item()
    -5.0
    """

    saved = ("_eta", "_optimizer", "_acting", "_last")
    contract = Contract(
        reads=frozenset({"obs", "action", "reward", "discount", "terminated", "truncated"}), scope="lifelong",
        needs_policy=True,
    )  # fmt: skip

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *,
        intrinsic: float = 0.01,
        extrinsic: float = 1.0,
        alpha: float = 0.1,
        learning_rate: float = 0.01,
        clip_range: float = 0.2,
        hidden: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(0, intrinsic=intrinsic, extrinsic=extrinsic, alpha=alpha, learning_rate=learning_rate)
        check_at_least(0, clip_range=clip_range)
        self.intrinsic, self.extrinsic, self.alpha, self.clip_range = intrinsic, extrinsic, alpha, clip_range
        self.device = torch.device(device)
        self._eta = Numbers(observation_space, action_space, hidden=hidden, device=device, seed=seed)
        self._optimizer = torch.optim.Adam(self._eta.parameters(), lr=learning_rate, maximize=True)
        self._acting: list[Tensor] | None = None
        self._last: dict[str, Any] | None = None

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        env = observation_tensors(rollout.terms[ENV], self.device)
        term = (self.extrinsic - 1) * env + self.intrinsic * self._learned(rollout).to(env.dtype)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    @own_modes(gradients=True)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Judges the policy step on the rollout before by this one, moves eta, and remembers this one.

        Raises:
            ValueError: If there is no policy.
        """
        require_policy(self, policy)
        if not bool(rollout.mask.any()):
            return {}
        metrics: dict[str, Any] = {}
        if self._acting is not None:
            if self._last is not None:
                metrics = self._climb(_rollout(self._last), self._last["weights"], rollout, policy)
            self._last = _kept(rollout, self._acting)
        self._acting = [weight.detach().clone() for weight in policy.parameters()]
        return metrics

    def _climb(self, before: Rollout, weights: list[Tensor], rollout: Rollout, policy: Any) -> dict[str, Any]:
        """Adam's step of eta."""
        learned = self._learned(before)
        with _weights(policy, weights):
            field = self._field(before, policy)
            mixed = self.extrinsic * self._true(before, field) + self.intrinsic * learned.detach().to(field.log_prob)
            step = field.pull(field.centred(field.steps.returns(mixed)))
        moves = iter(step)
        moved = [
            old + self.alpha * next(moves) if weight.requires_grad else old
            for old, weight in zip(weights, policy.parameters(), strict=True)
        ]
        gain, up = self._judged(rollout, moved, policy)
        with _weights(policy, weights):
            field = self._field(before, policy)
            traces, _ = field.steps.traces(field.steps.column(field.along(up)))
        share = self.alpha * self.intrinsic / len(field.log_prob)
        self._optimizer.zero_grad()
        (share * (traces.to(learned) * learned).sum()).backward()
        self._optimizer.step()
        return {"gain": gain, "learned": learned.detach().mean()}

    def _judged(self, rollout: Rollout, weights: list[Tensor], policy: Any) -> tuple[Tensor, list[Tensor]]:
        """The clipped surrogate of r at some weights, and its gradient."""
        with torch.no_grad(), _weights(policy, self._acting or weights):
            old = log_probs(self, rollout, policy)
        with _weights(policy, weights):
            field = self._field(rollout, policy)
            advantage = field.centred(field.steps.returns(self._true(rollout, field)))
            ratio = (field.log_prob - old).exp()
            clipped = ratio.clamp(1 - self.clip_range, 1 + self.clip_range)
            gain = torch.minimum(ratio * advantage, clipped * advantage).mean()
            return gain.detach(), field.gradient(gain)

    def _field(self, rollout: Rollout, policy: Any) -> PolicyField:
        log_prob = log_probs(self, rollout, policy)
        return PolicyField(log_prob, policy.parameters(), Steps(rollout, None, log_prob))

    def _true(self, rollout: Rollout, field: PolicyField) -> Tensor:
        """r, ``(T, B)``, 0 where the mask is False."""
        env = observation_tensors(rollout.terms[ENV], field.log_prob.device)
        return torch.where(field.steps.mask, env, 0).to(field.log_prob.dtype)

    def _learned(self, rollout: Rollout) -> Tensor:
        """``tanh(eta(s, a))``, ``(T, B)``."""
        mask = observation_tensors(rollout.mask, self.device)
        obs, action = (rows_of(tree, self.device, mask) for tree in (rollout.obs, rollout.action))
        return torch.tanh(self._eta(obs, action))[:, 0].reshape(mask.shape)


@contextmanager
def _weights(policy: Any, values: Sequence[Tensor]) -> Iterator[None]:
    """The policy with other weights. What is differentiated must be so inside."""
    weights = list(policy.parameters())
    own = [weight.data for weight in weights]
    try:
        for weight, value in zip(weights, values, strict=True):
            weight.data = value.to(weight.device)
        yield
    finally:
        for weight, value in zip(weights, own, strict=True):
            weight.data = value


def _kept(rollout: Rollout, weights: list[Tensor]) -> dict[str, Any]:
    """What is needed of a rollout later, as plain data, with the weights that acted."""
    columns = {
        name: map_tree(lambda leaf: leaf.clone(), observation_tensors(getattr(rollout, name)))
        for name in ("obs", "action", "discount", "terminated", "truncated", "mask")
    }
    return {**columns, "env": observation_tensors(rollout.terms[ENV]).clone(), "weights": weights}


def _rollout(kept: dict[str, Any]) -> Rollout:
    columns = {name: value for name, value in kept.items() if name not in ("env", "weights")}
    return Rollout(**columns, next_obs=kept["obs"], terms={ENV: kept["env"]})
