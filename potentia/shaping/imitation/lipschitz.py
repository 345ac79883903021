"""How fast learned functions change: the penalty on a reward's gradient, Jacobians of dynamics, and what they bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor


def gradient_norms(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``|grad f(x)|`` of each row of x ``(N, d)``, ``(N,)``: f gives a number a row. It can be trained through.

    >>> gradient_norms(lambda x: x @ torch.tensor([3.0, 4.0]), torch.zeros(2, 2)).tolist()
    [5.0, 5.0]
    """
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
    # The root of 0 has no derivative.
    norms: Tensor = (gradient.square().sum(1) + 1e-12).sqrt()
    return norms


def gradient_penalty(function: Callable[[Tensor], Tensor], x: Tensor, lipschitz: float) -> Tensor:
    """``max(0, |grad f(x)| - k)^2`` of each row of x ``(N, d)``, ``(N,)``: one-sided, so that a flat f costs nothing.

    Gulrajani et al. 2017, arXiv 1704.00028, section 4, in the one-sided form of Blonde et al. 2020, arXiv 2006.16785.

    Args:
        function: f, a number a row.
        x: Where the gradient is taken.
        lipschitz: k, the norm that is free.

    >>> gradient_penalty(lambda x: x @ torch.tensor([3.0, 4.0]), torch.zeros(2, 2), lipschitz=1.0).tolist()
    [16.0, 16.0]
    """
    return (gradient_norms(function, x) - lipschitz).clamp(min=0).square()


def jacobian_norms(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The Frobenius norm of the Jacobian of f at each row of x ``(N, d)``, ``(N,)``: f gives a vector a row."""

    def of_one(row: Tensor) -> Tensor:
        return function(row[None])[0]

    jacobians = torch.func.vmap(torch.func.jacrev(of_one))(x)
    norms: Tensor = jacobians.square().sum((1, 2)).sqrt()
    return norms


def value_gradient_bound(reward: float, dynamics: float, policy: float, gamma: float, kappa: float = 1.0) -> float:
    """``kappa delta / (1 - gamma A sqrt(1 + B^2))``: no gradient of Q by state and action is longer.

    It is of deterministic dynamics and policies: ``grad Q = grad r + gamma J' grad Q`` where J, the Jacobian of the
    next state and action, is at most ``A sqrt(1 + B^2)`` long. Where gamma times that is 1 or more there is no bound,
    and it is infinite. Multiplying the reward by kappa multiplies the bound by kappa.

    Blonde et al. 2020, arXiv 2006.16785, give ``kappa delta / sqrt(1 - gamma^2 A^2 max(1, B^2))``, as if the gradients
    of the rewards to come were orthogonal. They need not be: where s' = 0.9 s and r = s, with gamma = 0.9, it says 1.7,
    and the gradient is 5.3.

    Args:
        reward: delta, the greatest norm of the reward's gradient.
        dynamics: A, the greatest norm of the Jacobian of the next state by state and action.
        policy: B, the greatest norm of the Jacobian of the action by the state.
        gamma: The discount factor.
        kappa: What the reward is multiplied by (PURPLE).

    >>> round(value_gradient_bound(1.0, dynamics=0.9, policy=0.0, gamma=0.9), 6)  # 1 / (1 - 0.81), and no less is true
    5.263158
    >>> value_gradient_bound(1.0, dynamics=2.0, policy=0.5, gamma=0.8)
    inf
    """
    room = 1 - gamma * dynamics * math.sqrt(1 + policy**2)
    return kappa * reward / room if room > 0 else math.inf
