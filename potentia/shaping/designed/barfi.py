"""A blend of the world's reward and a designer's that is learned so that its best policy earns most in truth."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.encoders import observation_tensors
from potentia.limits import check_at_least
from potentia.rollout import ENV, Rollout
from potentia.shaping._models.learned import own_modes, rows_of
from potentia.shaping._models.policy_rows import log_probs
from potentia.shaping.designed.barfi_discount import BARFIDiscount
from potentia.shaping.designed.numbers import Numbers
from potentia.shaping.designed.policy_field import PolicyField, Steps, neumann
from potentia.shaping.shaper import Carry, Contract, Shaper, weakest


class BARFI(Shaper):
    """``(phi1(s, a) + phi2(s) r + phi3(s) r_aux) - r``: how far to trust a designer's reward is learned.

    Gupta, Chandak, Jordan, Thomas and da Silva 2023, "Behavior alignment via reward function optimization" (NeurIPS).
    r is the world's own reward, and r_aux what ``auxiliary`` makes of it. The inner problem is the learner's: theta
    solves ``Delta(theta, phi) = mean of grad log pi(a_t | s_t) sum_j discount^(j - t) r_phi,j - decay theta = 0``. The
    outer one is this shaper's: phi climbs J(theta(phi)), the return of r alone, by the implicit gradient ``dJ/dphi =
    x^T dDelta/dphi``, where ``x = (-dDelta/dtheta)^-T dJ/dtheta``. The inverse is ``terms`` terms of a Neumann series,
    whose products are autograd's. The learner's updates on a rollout are the inner loop, and an outer step follows
    them. As usual, dJ/dtheta lacks the factor gamma^t of each step. Its returns are less V(s), which is learned beside.

    At first ``r_phi = r + trust r_aux``. Expectations are means over the steps of the rollout. Returns end with it, so
    it should be long beside 1 / (1 - gamma), or hold whole episodes. A cut counts as an end. `update` is given the
    policy after it learned from the rollout, which is near the one that acted. There an auxiliary shaper that remembers
    within an episode starts afresh. The authors' code is not public, and the default numbers are ours.

    Args:
        auxiliary: Gives r_aux: the sum of its terms.
        observation_space: The space of one observation. phi is a table if it and the actions are ``Discrete``, else
            networks.
        action_space: The space of one action.
        trust: phi3 at first.
        terms: Of the Neumann series.
        step: Its step size, eta.
        decay: lambda of theta.
        cost: lambda of phi: the price of the mean of ``phi1^2 + (phi2 - 1)^2 + phi3^2``. So where nothing speaks for
            the designer's reward, that of the world stands alone.
        learning_rate: Adam's step size for phi2 and phi3, and for V.
        phi1_rate: That for phi1, whose scale is the world's reward times (1 - gamma): more than that, paid at each
            step of a circle, is worth more than the goal.
        discount: If given, its gamma is learned too. It must come first in the chain:
            ``Chain(discount, BARFI(..., discount=discount))``. Else gamma stays the learner's.
        hidden: Width of the networks' layers.
        device: Where phi is.
        seed: Of the networks' weights.
        name: The term's name.

    Raises:
        ValueError: If ``auxiliary`` sets the discount, or there are no terms.

    >>> import numpy as np
    >>> from potentia.shaping import PotentialShaping
    >>> rollout = Rollout(
    ...     obs=np.array([[0]]), action=np.array([[1]]), next_obs=np.array([[1]]), terms={"env": np.array([[5.0]])},
    ...     discount=np.array([[0.5]]), terminated=np.zeros((1, 1), bool), truncated=np.zeros((1, 1), bool))
    >>> barfi = BARFI(PotentialShaping([1.0, 4.0]), spaces.Discrete(2), spaces.Discrete(2))
    >>> barfi.shape(rollout)[0].terms["BARFI"].item()  # nothing is learned yet: 0.5 * 4 - 1
    1.0
    """

    saved = ("auxiliary", "_blend", "_optimizer", "_values", "_critic")

    def __init__(
        self,
        auxiliary: Shaper,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *,
        trust: float = 1.0,
        terms: int = 5,
        step: float = 0.1,
        decay: float = 0.01,
        cost: float = 0.01,
        learning_rate: float = 0.1,
        phi1_rate: float = 3e-4,
        discount: BARFIDiscount | None = None,
        hidden: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, terms=terms)
        check_at_least(0, step=step, decay=decay, cost=cost, learning_rate=learning_rate, phi1_rate=phi1_rate)
        if auxiliary.contract.sets_discount:
            raise ValueError(f"{auxiliary.name} sets the discount, and BARFI blends rewards; put it first in a Chain")
        self.auxiliary, self.discount, self.device = auxiliary, discount, torch.device(device)
        self.terms, self.step, self.decay, self.cost = terms, step, decay, cost
        own = Contract(
            reads=frozenset({"obs", "action", "reward", "discount", "terminated", "truncated"}), scope="lifelong",
            needs_policy=True,
        )  # fmt: skip
        self.contract: Contract = dataclasses.replace(weakest([own, auxiliary.contract]), guarantee="unconstrained")
        self.update_size = auxiliary.update_size
        made: dict[str, Any] = {"hidden": hidden, "device": device, "seed": seed}
        self._blend = nn.ModuleDict(
            {
                "action": Numbers(observation_space, action_space, **made),
                "state": Numbers(observation_space, start=(1.0, trust), **made),
            }
        )
        self._values = Numbers(observation_space, **made)
        rates = {"action": phi1_rate, "state": learning_rate}
        self._optimizer = torch.optim.Adam(
            [{"params": self._blend[part].parameters(), "lr": rate} for part, rate in rates.items()], maximize=True
        )
        self._critic = torch.optim.Adam(self._values.parameters(), lr=learning_rate)

    def init(self, num_envs: int) -> Carry:
        """The auxiliary shaper's memory."""
        return self.auxiliary.init(num_envs)

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        env, given, carry = self._rewards(rollout, carry)
        blended = _blend(self._phi(rollout), env, given)
        return rollout.add(self.name, like_column(blended.to(env.dtype) - env, rollout.discount)), carry

    @own_modes(gradients=True)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """One step of phi up the implicit gradient, and of gamma if it is learned.

        Raises:
            ValueError: If there is no policy.
        """
        metrics = {f"auxiliary/{key}": value for key, value in self.auxiliary.update(rollout, policy=policy).items()}
        log_prob = log_probs(self, rollout, policy)
        if not len(log_prob):
            return metrics
        env, given, _ = self._rewards(rollout, self.auxiliary.init(rollout.num_envs))
        phi = self._phi(rollout)
        blended = _blend(phi, env, given)
        env = env.to(log_prob.device, log_prob.dtype)
        now = blended.detach().to(log_prob.device, log_prob.dtype)
        traces, slopes = self._traces(rollout, env, now, log_prob, policy)
        live = observation_tensors(rollout.mask, self.device).reshape(-1)
        away = (phi - phi.new_tensor([0.0, 1.0, 0.0])).square().sum(1)[live].mean()
        gain = (traces.to(blended.device, blended.dtype) * blended).sum() / len(log_prob) - self.cost * away
        self._optimizer.zero_grad()
        gain.backward()
        self._optimizer.step()
        if self.discount is not None:
            self.discount.climb(float((slopes * now).sum() / len(log_prob)))
        means = [numbers[live].mean() for numbers in phi.detach().T]
        return metrics | dict(zip(("phi1", "phi2", "phi3"), means, strict=True))

    def _traces(
        self, rollout: Rollout, env: Tensor, blended: Tensor, log_prob: Tensor, policy: Any
    ) -> tuple[Tensor, Tensor]:
        """What a reward at each step does to J by the policy it leads to, and how that changes with gamma."""
        learned = self.discount
        inner = Steps(rollout, None if learned is None else learned.gamma, log_prob)
        outer = Steps(rollout, None if learned is None else learned.outer, log_prob)
        field = PolicyField(log_prob, policy.parameters(), inner)
        moved = field.curvature(blended)
        up = field.pull(self._advantages(rollout, outer.returns(env)))

        def product(x: Any) -> list[Tensor]:
            return [part - self.decay * own for part, own in zip(moved(x), x, strict=True)]

        return inner.traces(inner.column(field.along(neumann(up, product, self.terms, self.step))))

    def _advantages(self, rollout: Rollout, returns: Tensor) -> Tensor:
        """``G_t - V(s_t)`` of the unmasked steps, ``(n,)``. V then takes a step towards G."""
        mask = observation_tensors(rollout.mask, self.device)
        known = self._values(rows_of(rollout.obs, self.device, mask))[:, 0][mask.reshape(-1)]
        missing = returns.to(known.device)[mask] - known
        self._critic.zero_grad()
        missing.square().mean().backward()
        self._critic.step()
        rows: Tensor = missing.detach().to(returns.device)
        return rows - rows.mean()

    def _rewards(self, rollout: Rollout, carry: Carry) -> tuple[Tensor, Tensor, Carry]:
        """R and r_aux as tensors ``(T, B)``, 0 where the mask is False, and the auxiliary's memory."""
        bare = dataclasses.replace(rollout, terms={ENV: rollout.terms[ENV]})
        shaped, carry = self.auxiliary.shape(bare, carry)
        mask = observation_tensors(rollout.mask, self.device)
        env, both = (torch.where(mask, observation_tensors(one.reward, self.device), 0) for one in (bare, shaped))
        return env, both - env, carry

    def _phi(self, rollout: Rollout) -> Tensor:
        """phi1, phi2 and phi3, ``(T * B, 3)``."""
        mask = observation_tensors(rollout.mask, self.device)
        obs, action = (rows_of(tree, self.device, mask) for tree in (rollout.obs, rollout.action))
        return torch.cat([self._blend["action"](obs, action), self._blend["state"](obs)], dim=1)


def _blend(phi: Tensor, env: Tensor, given: Tensor) -> Tensor:
    """``phi1 + phi2 r + phi3 r_aux``, ``(T, B)``."""
    one, two, three = phi.T.unflatten(1, env.shape)
    found: Tensor = one + two * env + three * given
    return found
