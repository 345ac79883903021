"""From features to actions: one head for each kind of action space, with sampling, log-probability and entropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_masks import choice_counts


class ActionHead(nn.Module):
    """A distribution over actions with parameters ``(N, P)``: a linear map of features, unless a subclass says else."""

    linear: nn.Linear

    def forward(self, features: Any) -> Tensor:
        """The distribution's parameters, ``(N, P)``."""
        parameters: Tensor = self.linear(features)
        return parameters

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """Actions ``(N, ...)``: drawn with the generator, or the most probable ones if it is None."""
        raise NotImplementedError

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` and the distribution's entropy, ``(N,)`` each."""
        raise NotImplementedError


class CategoricalHead(ActionHead):
    """Independent categorical choices: ``Discrete`` (one) and ``MultiDiscrete`` (several).

    Args:
        width: F; None if a subclass makes the logits, in ``forward``.
        counts: The number of actions of each choice.
        starts: The first action of each choice.
        shape: The shape of one action.
    """

    starts: Tensor

    def __init__(self, width: int | None, counts: list[int], starts: list[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        self.counts, self.shape = counts, shape
        if width is not None:
            self.linear = nn.Linear(width, sum(counts))
        self.register_buffer("starts", torch.tensor(starts), persistent=False)
        self._from_zero = not any(starts)

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """Gumbel's trick: the largest of ``logit - log(exponential noise)`` is a draw from the softmax."""
        if generator is not None:
            noise = torch.empty_like(parameters).exponential_(generator=generator)
            parameters = parameters - noise.log_()
        if len(self.counts) == 1:
            index = parameters.argmax(-1, keepdim=True)
        else:
            index = torch.stack([part.argmax(-1) for part in parameters.split(self.counts, -1)], -1)
        index = index if self._from_zero else index + self.starts
        return index.reshape(-1, *self.shape)

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over the choices."""
        index = action.reshape(action.shape[0], len(self.counts)).long() - self.starts
        log_prob, entropy = torch.zeros(()), torch.zeros(())
        for column, part in enumerate(parameters.split(self.counts, -1)):
            log_probs = part.log_softmax(-1)
            chosen = log_probs.gather(-1, index[:, column : column + 1]).squeeze(-1)
            surprise = -(log_probs.exp() * log_probs).sum(-1)
            log_prob, entropy = (chosen, surprise) if column == 0 else (log_prob + chosen, entropy + surprise)
        return log_prob, entropy


class GaussianHead(ActionHead):
    """``action = center + reach * (mean + std * noise)`` for ``Box``.

    Finite bounds give the center and, as half their distance, the reach; without them these are 0 and 1.
    """

    center: Tensor
    reach: Tensor

    def __init__(self, width: int, space: spaces.Box) -> None:
        super().__init__()
        low, high = space.low.reshape(-1).astype(np.float64), space.high.reshape(-1).astype(np.float64)
        bounded = np.isfinite(low) & np.isfinite(high)
        low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        self.shape = space.shape
        self.linear = nn.Linear(width, low.size)
        self.log_std = nn.Parameter(torch.zeros(low.size))
        self.register_buffer("center", torch.as_tensor((high + low) / 2, dtype=torch.float32), persistent=False)
        self.register_buffer("reach", torch.as_tensor((high - low) / 2, dtype=torch.float32), persistent=False)

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """The mean, with noise if there is a generator; not clipped."""
        if generator is not None:
            noise = torch.empty_like(parameters).normal_(generator=generator)
            parameters = parameters + self.log_std.exp() * noise
        return (self.center + self.reach * parameters).reshape(-1, *self.shape)

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Densities in the space of the environment's actions."""
        deviation = (action.reshape(action.shape[0], -1) - self.center) / self.reach - parameters
        log_scale = self.log_std + self.reach.log()
        log_prob = -0.5 * (deviation / self.log_std.exp()) ** 2 - log_scale - 0.5 * math.log(2 * math.pi)
        entropy = (log_scale + 0.5 * math.log(2 * math.pi * math.e)).sum()
        return log_prob.sum(-1), entropy.expand(action.shape[0])


def action_head(space: spaces.Space[Any], width: int) -> ActionHead:
    """The head for an action space.

    Raises:
        TypeError: If there is none.
    """
    if isinstance(space, spaces.Discrete):
        return CategoricalHead(width, choice_counts(space), [int(space.start)], ())
    if isinstance(space, spaces.MultiDiscrete):
        starts = np.asarray(space.start).reshape(-1).tolist()
        return CategoricalHead(width, choice_counts(space), starts, space.shape)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return GaussianHead(width, space)
    raise TypeError(
        f"the action space must be Discrete, MultiDiscrete or a Box of floating-point numbers, got {space}; "
        "change it with an action wrapper"
    )
