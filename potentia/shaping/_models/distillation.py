"""Novelty as the error of predicting a fixed random function: the model behind RND and NovelD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from potentia.encoders import Encoder, Kind
from potentia.shaping._models.learned import Learned, rows_of
from potentia.shaping._models.running import RunningMoments
from potentia.trees import Tree


class Distillation(Learned):
    """``|predictor(x) - target(x)|^2``, the mean over outputs: x are normalised features of an observation.

    Burda, Edwards, Storkey and Klimov 2018, arXiv 1810.12894. The features are those of a frozen random
    `potentia.encoders.Encoder`: the numbers themselves for vectors, random convolutions for images and grids of
    symbols. They are normalised by running moments and clipped to [-5, 5].

    Args:
        observation_space: The space of observations.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the hidden layers.
        layers: How many hidden layers the predictor has. The target has one.
        output_dim: Outputs of target and predictor.
        learning_rate: Adam's step size.
        batch_size: Rows in a minibatch.
        proportion: The share of rows that `learn` trains on.
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.

    Raises:
        ValueError: If ``proportion`` is not in (0, 1].
    """

    saved = ("encoder", "target", "predictor", "features", *Learned.saved)

    def __init__(
        self,
        observation_space: gym.Space[Any],
        *,
        kinds: Kind | Mapping[str, Kind] | None,
        hidden: int,
        layers: int,
        output_dim: int,
        learning_rate: float,
        batch_size: int,
        proportion: float,
        device: torch.device | str,
        seed: int,
    ) -> None:
        if not 0 < proportion <= 1:
            raise ValueError(f"proportion must lie in (0, 1], got {proportion}")
        device = torch.device(device)
        self.proportion = proportion
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = (
                Encoder(observation_space, widths=(), kinds=kinds, seed=seed).to(device).requires_grad_(False)
            )
            width = self.encoder.output_dim
            self.target = _mlp(width, hidden, output_dim, depth=1).to(device).requires_grad_(False)
            self.predictor = _mlp(width, hidden, output_dim, depth=layers).to(device)
        self.features = RunningMoments((width,), device)
        super().__init__(self.predictor.parameters(), learning_rate, batch_size, device, seed)

    def encode(self, obs: Tree, mask: Tensor | None = None) -> Tensor:
        """Features ``(T * B, width)`` of a tree of observations ``(T, B, ...)``, finite where ``mask`` is False."""
        with torch.no_grad():
            encoded: Tensor = self.encoder(rows_of(obs, self.device, mask))
        return encoded

    def normalised(self, encoded: Tensor) -> Tensor:
        """What the networks see of features ``(N, width)``."""
        mean, scale = self.features.mean.float(), (self.features.var + 1e-8).rsqrt().float()
        return ((encoded - mean) * scale).clamp_(-5, 5)

    def errors(self, x: Tensor) -> Tensor:
        """The error of each row of x ``(N, width)``: ``(N,)``."""
        difference: Tensor = self.predictor(x) - self.target(x)
        return difference.square().mean(-1)

    def learn(self, x: Tensor, mask: Tensor) -> Tensor:
        """One pass over a share of the rows of x ``(N, width)``, not counting masked ones. Returns the mean loss."""
        return self._train(lambda rows: self.errors(x.index_select(0, rows)), mask, self.proportion)


def _mlp(inputs: int, hidden: int, outputs: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))
