"""What rewards do to a policy, and what the policy's own gradient does when it moves: sums along episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from potentia.encoders import observation_tensors
from potentia.rollout import Rollout

Direction = Sequence[Tensor]
"""A tensor for each weight of a policy."""


class Steps:
    """Sums along the episodes of a rollout. Masked steps do not exist, and nothing flows past an end or a cut.

    Args:
        rollout: ``(T, B)``.
        gamma: A number instead of the rollout's discount.
        like: A tensor whose device and dtype all results have.

    Attributes:
        mask: ``(T, B)`` bool.
        onward: What the step after counts, ``(T, B)``.
    """

    def __init__(self, rollout: Rollout, gamma: float | None, like: Tensor) -> None:
        discount, done, mask = (
            observation_tensors(part, like.device) for part in (rollout.discount, rollout.done, rollout.mask)
        )
        self.mask: Tensor = mask
        self.going = (~done).to(like.dtype)
        self.onward = self.going * (discount.to(like.dtype) if gamma is None else gamma)

    def returns(self, reward: Tensor, onward: Tensor | None = None) -> Tensor:
        """``G_t = r_t + onward_t G_t+``, ``(T, B)``, and 0 beyond the rollout."""
        onward = self.onward if onward is None else onward
        after, found = torch.zeros_like(reward[0]), []
        for r, keep, live in zip(reward.flip(0), onward.flip(0), self.mask.flip(0), strict=True):
            after = torch.where(live, r + keep * after, after)
            found.append(after)
        return torch.stack(found[::-1])

    def tails(self, values: Tensor) -> Tensor:
        """``sum of values from t to the end of the episode``, without a discount."""
        return self.returns(values, self.going)

    def traces(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """``F_t = v_t + onward_t- F_t-`` and its slope by a gamma that all ``onward`` share, ``(T, B)`` each."""
        trace = slope = torch.zeros_like(values[0])
        found, slopes = [], []
        for v, keep, going, live in zip(values, self.onward, self.going, self.mask, strict=True):
            here = v + trace
            found.append(torch.where(live, here, 0))
            slopes.append(torch.where(live, slope, 0))
            trace, slope = torch.where(live, keep * here, trace), torch.where(live, going * here + keep * slope, slope)
        return torch.stack(found), torch.stack(slopes)

    def column(self, rows: Tensor) -> Tensor:
        """Rows of the unmasked steps ``(n,)`` as a column ``(T, B)``, 0 elsewhere."""
        return torch.zeros(self.mask.shape, dtype=rows.dtype, device=rows.device).masked_scatter(self.mask, rows)


class PolicyField:
    """``Delta = mean over steps of grad log pi(a_t | s_t) (G_t - mean G)``, and how it changes with the policy.

    Delta is an expectation under the policy. So each reward weighs as much as the probability of the steps up to it,
    divided by what that is now (which is 1), and the derivative sees that.

    Args:
        log_prob: ``log pi(a_t | s_t)`` of the unmasked steps, ``(n,)``, with a graph.
        weights: The policy's weights.
        steps: The sums along episodes.
    """

    def __init__(self, log_prob: Tensor, weights: Iterable[Tensor], steps: Steps) -> None:
        self.log_prob, self.steps = log_prob, steps
        self.weights = [weight for weight in weights if weight.requires_grad]

    def pull(self, rows: Tensor, *, graph: bool = False) -> list[Tensor]:
        """``mean of rows * grad log pi``, for rows ``(n,)``."""
        return self.gradient((rows * self.log_prob).mean(), graph=graph)

    def centred(self, column: Tensor) -> Tensor:
        """Rows ``(n,)`` of a column less their mean."""
        rows = column[self.steps.mask]
        return rows - rows.mean()

    def along(self, direction: Direction) -> Tensor:
        """``direction . grad log pi(a_t | s_t)``, ``(n,)``, less its mean."""
        unit = torch.ones_like(self.log_prob, requires_grad=True)
        slopes = torch.autograd.grad(self._dot(self.pull(unit, graph=True), direction), unit, retain_graph=True)[0]
        slopes = slopes * len(slopes)
        return (slopes - slopes.mean()).detach()

    def curvature(self, reward: Tensor) -> Callable[[Direction], list[Tensor]]:
        """The map ``x -> (d Delta / d theta)^T x`` for a reward ``(T, B)``, without a matrix."""
        steps, count = self.steps, len(self.log_prob)
        returns = steps.returns(reward)[steps.mask]
        baseline = returns.mean()
        weighed = (returns - baseline).detach().requires_grad_()
        pulled = self.pull(weighed, graph=True)

        def product(direction: Direction) -> list[Tensor]:
            own = torch.autograd.grad(
                self._dot(pulled, direction), [weighed, *self.weights], retain_graph=True, allow_unused=True
            )
            slopes = torch.zeros_like(weighed) if own[0] is None else own[0] * count
            column = steps.column(slopes - slopes.mean())
            later = steps.tails(reward * steps.traces(column)[0] - baseline * column)[steps.mask]
            moved = self.pull(later)
            return [other if part is None else part + other for part, other in zip(own[1:], moved, strict=True)]

        return product

    def gradient(self, total: Tensor, *, graph: bool = False) -> list[Tensor]:
        """``d total / d theta``, 0 where it does not depend on a weight."""
        found: tuple[Any, ...] = torch.autograd.grad(
            total, self.weights, retain_graph=True, create_graph=graph, allow_unused=True
        )
        return [torch.zeros_like(w) if part is None else part for part, w in zip(found, self.weights, strict=True)]

    def _dot(self, one: Direction, other: Direction) -> Tensor:
        return torch.stack([(a * b).sum() for a, b in zip(one, other, strict=True)]).sum()


def neumann(value: Direction, product: Callable[[Direction], Direction], terms: int, step: float) -> list[Tensor]:
    """``(-H^T)^-1 v``, nearly: ``x <- x + step (v + H^T x)``, so many times from 0.

    It converges where H is negative definite and ``step`` is less than 2 over its largest eigenvalue's size.

    >>> found = neumann([torch.tensor([3.0])], lambda x: [-2.0 * x[0]], terms=40, step=0.25)
    >>> round(found[0].item(), 6)  # 3 / 2
    1.5
    """
    x = [torch.zeros_like(part) for part in value]
    for _ in range(terms):
        x = [one + step * (v + h) for one, v, h in zip(x, value, product(x), strict=True)]
    return x
