"""From features to actions: one head for each kind of action space, with sampling, log-probability and entropy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_masks import choice_counts
from potentia.trees import Tree

_NO_BOUND = 2.0**31
_MOST_CHOICES = 4096


class ActionHead(nn.Module):
    """A distribution over actions with parameters ``(N, P)``: a linear map of features, unless a subclass says else.

    Actions are tensors ``(N, ...)``, or trees of them.
    """

    linear: nn.Linear

    def forward(self, features: Any) -> Tensor:
        """The distribution's parameters, ``(N, P)``."""
        parameters: Tensor = self.linear(features)
        return parameters

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tree:
        """Actions ``(N, ...)``: drawn with the generator, or the most probable ones if it is None."""
        raise NotImplementedError

    def log_prob_and_entropy(self, parameters: Tensor, action: Any) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` and the distribution's entropy, ``(N,)`` each."""
        raise NotImplementedError


class CategoricalHead(ActionHead):
    """Independent categorical choices: ``Discrete`` (one) and ``MultiDiscrete`` (several).

    Args:
        width: F. It is None if a subclass makes the logits, in ``forward``.
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


class BernoulliHead(ActionHead):
    """Independent bits, for ``MultiBinary``: each is 1 with probability ``sigmoid(logit)``.

    Args:
        width: F.
        shape: The shape of one action.
    """

    def __init__(self, width: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.linear = nn.Linear(width, math.prod(shape))

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """1 where the logit is above the noise of a logistic distribution, or above 0."""
        if generator is not None:
            uniform = torch.rand(parameters.shape, generator=generator, device=parameters.device)
            parameters = parameters - torch.logit(uniform)
        return (parameters > 0).to(torch.int8).reshape(-1, *self.shape)

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over the bits."""
        bits = action.reshape(action.shape[0], -1).to(parameters.dtype)
        one, zero = nn.functional.logsigmoid(parameters), nn.functional.logsigmoid(-parameters)
        log_prob = bits * one + (1 - bits) * zero
        entropy = -(one.exp() * one + zero.exp() * zero)
        return log_prob.sum(-1), entropy.sum(-1)


class GaussianHead(ActionHead):
    """``action = center + reach * (mean + std * noise)`` for ``Box``.

    Finite bounds give the center and, as half their distance, the reach. Without them, or where they are further apart
    than 2^31, which says that they are none, these are 0 and 1. Where they are equal the action is that number: it has
    no density, so it adds nothing to ``log_prob`` or the entropy.
    """

    center: Tensor
    reach: Tensor
    free: Tensor

    def __init__(self, width: int, space: spaces.Box) -> None:
        super().__init__()
        low, high = space.low.reshape(-1).astype(np.float64), space.high.reshape(-1).astype(np.float64)
        bounded = np.isfinite(low) & np.isfinite(high)
        bounded &= np.subtract(high, low, where=bounded, out=np.zeros_like(low)) < _NO_BOUND
        low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        free = high > low
        self.shape = space.shape
        self.linear = nn.Linear(width, low.size)
        self.log_std = nn.Parameter(torch.zeros(low.size))
        reach = np.where(free, (high - low) / 2, 1.0)
        self.register_buffer("center", torch.as_tensor((high + low) / 2, dtype=torch.float32), persistent=False)
        self.register_buffer("reach", torch.as_tensor(reach, dtype=torch.float32), persistent=False)
        self.register_buffer("free", torch.as_tensor(free), persistent=False)
        self._all_free = bool(free.all())

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """The mean, with noise if there is a generator. The draw is not clipped."""
        if generator is not None:
            noise = torch.empty_like(parameters).normal_(generator=generator)
            parameters = parameters + self.log_std.exp() * noise
        if not self._all_free:
            parameters = torch.where(self.free, parameters, 0.0)
        return (self.center + self.reach * parameters).reshape(-1, *self.shape)

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """Densities in the space of the environment's actions."""
        deviation = (action.reshape(action.shape[0], -1) - self.center) / self.reach - parameters
        log_scale = self.log_std + self.reach.log()
        log_prob = -0.5 * (deviation / self.log_std.exp()) ** 2 - log_scale - 0.5 * math.log(2 * math.pi)
        entropy = log_scale + 0.5 * math.log(2 * math.pi * math.e)
        if not self._all_free:
            log_prob, entropy = torch.where(self.free, log_prob, 0.0), torch.where(self.free, entropy, 0.0)
        return log_prob.sum(-1), entropy.sum().expand(action.shape[0])


class TreeHead(ActionHead):
    """Independent actions of several spaces, for ``Dict`` and ``Tuple``: their parameters stand side by side.

    Args:
        width: F.
        space: The space of one action. Its parts may be trees again.
    """

    def __init__(self, width: int, space: spaces.Dict | spaces.Tuple) -> None:
        super().__init__()
        parts: Any = space.spaces
        self.keys = tuple(parts) if isinstance(space, spaces.Dict) else None
        found = parts.values() if isinstance(space, spaces.Dict) else parts
        self.heads = nn.ModuleList(action_head(part, width) for part in found)
        with torch.no_grad():
            sizes = [head(torch.zeros(1, width)).shape[1] for head in self.heads]
        self._sizes = sizes

    def forward(self, features: Any) -> Tensor:
        """The parameters of all, ``(N, P)``."""
        return torch.cat([head(features) for head in self.heads], -1)

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tree:
        """A dictionary or tuple of actions ``(N, ...)``."""
        pairs = zip(self._heads(), parameters.split(self._sizes, -1), strict=True)
        actions = [head.sample(part, generator) for head, part in pairs]
        return tuple(actions) if self.keys is None else dict(zip(self.keys, actions, strict=True))

    def log_prob_and_entropy(self, parameters: Tensor, action: Tree) -> tuple[Tensor, Tensor]:
        """Sums over the parts."""
        actions = action if self.keys is None else [action[key] for key in self.keys]
        found = [
            head.log_prob_and_entropy(part, one)
            for head, part, one in zip(self._heads(), parameters.split(self._sizes, -1), actions, strict=True)
        ]
        log_prob, entropy = found[0]
        for more, less in found[1:]:
            log_prob, entropy = log_prob + more, entropy + less
        return log_prob, entropy

    def _heads(self) -> list[Any]:
        return list(self.heads)


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
    if isinstance(space, spaces.MultiBinary):
        return BernoulliHead(width, space.shape)
    if isinstance(space, spaces.Dict | spaces.Tuple) and space.spaces:
        return TreeHead(width, space)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return GaussianHead(width, space)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.integer):
        low, high = space.low.reshape(-1).astype(object), space.high.reshape(-1).astype(object)
        counts = [int(count) for count in high - low + 1]  # Python's integers: they don't overflow
        if sum(counts) <= _MOST_CHOICES:
            return CategoricalHead(width, counts, low.tolist(), space.shape)
    raise TypeError(
        "the action space must be Discrete, MultiDiscrete, MultiBinary, a Box of floating-point numbers, one of "
        f"integers with at most {_MOST_CHOICES} values in all, or a Dict or Tuple of such, got {space}; change it with "
        "an action wrapper"
    )
