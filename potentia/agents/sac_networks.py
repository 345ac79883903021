"""What SAC's networks are: a tanh Gaussian policy, twin values of actions in one batch, and a temperature."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.encoders import Encoder, fresh_networks, initialize, observation_tensors
from potentia.trees import Tree

_LOG_STD = -5.0, 2.0
_INSIDE = 1 - 1e-6


class TanhGaussian(nn.Module):
    """``action = center + reach * tanh(mean + std * noise)``: the policy, with mean and std of each observation.

    Haarnoja et al. 2018, "Soft actor-critic algorithms and applications", arXiv 1812.05905, appendix C.

    Args:
        observation_space: The space of one observation.
        action_space: A ``Box`` of floating-point numbers with finite bounds, each below its upper one.
        widths: Widths of the fully connected layers.
        activation: ``"relu"`` or ``"tanh"``.
        seed: Seeds the initial weights.

    Raises:
        TypeError: If actions are of another space.
    """

    center: Tensor
    reach: Tensor

    def __init__(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], *, widths: tuple[int, ...],
        activation: Any, seed: int,
    ) -> None:  # fmt: skip
        super().__init__()
        low, high = _bounds(action_space)
        self.shape = low.shape
        self.encoder = Encoder(observation_space, widths=widths, activation=activation, seed=seed)
        with fresh_networks():
            self.head = nn.Linear(self.encoder.output_dim, 2 * low.size)
        initialize(self.head, torch.Generator().manual_seed(seed + 1), gain=0.01)
        center, reach = (high + low).reshape(-1) / 2, (high - low).reshape(-1) / 2
        self.register_buffer("center", torch.as_tensor(center, dtype=torch.float32), persistent=False)
        self.register_buffer("reach", torch.as_tensor(reach, dtype=torch.float32), persistent=False)

    @property
    def size(self) -> int:
        """A, the number of numbers in an action."""
        return int(self.center.shape[0])

    def forward(self, obs: Tree) -> tuple[Tensor, Tensor]:
        """Mean and log std before the tanh, ``(N, A)`` each, of a tree of tensors ``(N, ...)``."""
        mean, log_std = self.head(self.encoder(obs)).chunk(2, -1)
        low, high = _LOG_STD
        return mean, low + 0.5 * (high - low) * (log_std.tanh() + 1)

    def sample(self, obs: Tree, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Actions in [-1, 1], ``(N, A)``, and their log density there, ``(N,)``, both with gradients."""
        mean, log_std = self(obs)
        noise = torch.empty_like(mean).normal_(generator=generator)
        raw = mean + log_std.exp() * noise
        return raw.tanh(), (_normal(noise, log_std) - _log_slope(raw)).sum(-1)

    def log_prob(self, obs: Tree, action: Any) -> Tensor:
        """``log pi(action | obs)``, ``(N,)``, with gradients: a density in the space of the environment's actions."""
        mean, log_std = self(observation_tensors(obs, self.center.device))
        scaled = self.scaled(observation_tensors(action, self.center.device))
        raw = scaled.clamp(-_INSIDE, _INSIDE).atanh()
        density = _normal((raw - mean) / log_std.exp(), log_std) - _log_slope(raw) - self.reach.log()
        return density.sum(-1)

    def scaled(self, action: Tensor) -> Tensor:
        """The environment's actions ``(N, ...)`` in [-1, 1], ``(N, A)``."""
        return (action.reshape(action.shape[0], -1).float() - self.center) / self.reach

    def unscaled(self, action: Tensor) -> Tensor:
        """Actions ``(N, A)`` in [-1, 1] as the environment takes them, ``(N, ...)``."""
        return (self.center + self.reach * action).reshape(-1, *self.shape)


class TwinCritics(nn.Module):
    """Two values of an observation and an action, ``(2, N)``, each by layers of its own, computed in one batch.

    The layers that read pictures and grids, if there are any, are the twins' together.

    Args:
        observation_space: The space of one observation.
        actions: A, the number of numbers in an action.
        widths: Widths of the fully connected layers.
        activation: ``"relu"`` or ``"tanh"``.
        seed: Seeds the initial weights.
    """

    def __init__(
        self, observation_space: spaces.Space[Any], actions: int, *, widths: tuple[int, ...], activation: Any, seed: int
    ) -> None:
        super().__init__()
        self.stem = Encoder(observation_space, widths=(), activation=activation, seed=seed)
        self.activation = torch.relu if activation == "relu" else torch.tanh
        generator = torch.Generator().manual_seed(seed + 1)
        sizes = [self.stem.output_dim + actions, *widths, 1]
        with fresh_networks():
            pairs = list(pairwise(sizes))
            self.weights = nn.ParameterList(torch.empty(2, before, after) for before, after in pairs)
            self.biases = nn.ParameterList(torch.zeros(2, 1, after) for _, after in pairs)
        for weight in self.weights:
            bound = weight.shape[1] ** -0.5  # as nn.Linear
            nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(self, obs: Tree, action: Tensor) -> Tensor:
        """``(2, N)``, of a tree of tensors ``(N, ...)`` and actions in [-1, 1], ``(N, A)``."""
        hidden = torch.cat([self.stem(obs), action], -1).expand(2, -1, -1)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < last:
                hidden = self.activation(hidden)
        return hidden.squeeze(-1)


class Temperature(nn.Module):
    """The weight of the policy's entropy, ``exp(log)``.

    Args:
        start: Its value at the start.
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(float(start)).log())

    def forward(self) -> Tensor:
        """Its value now."""
        return self.log.exp()


def _bounds(space: spaces.Space[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        if np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all():
            return low, high
    raise TypeError(
        "SAC needs actions in a Box of floating-point numbers with finite bounds, each below its upper one, "
        f"got {space}; bound them with gymnasium.wrappers.RescaleAction, or use potentia.agents.PPO"
    )


def _normal(noise: Tensor, log_std: Tensor) -> Tensor:
    """The log density of ``mean + std * noise``."""
    return -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi)


def _log_slope(raw: Tensor) -> Tensor:
    """``log(1 - tanh(raw)^2)``, exact where the tanh is 1 to all digits."""
    return 2 * (math.log(2) - raw - nn.functional.softplus(-2 * raw))
