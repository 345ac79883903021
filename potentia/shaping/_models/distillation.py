"""Novelty as the error of predicting a fixed random function: the model behind RND and NovelD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor, nn

from potentia.encoders import Encoder, Kind, fresh_networks
from potentia.limits import check_at_least
from potentia.shaping._models.learned import Learned, own_modes, rows_at_once, rows_of
from potentia.shaping._models.running import RunningMoments
from potentia.trees import Tree, leaves, map_tree


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
        ValueError: If ``proportion`` is not in (0, 1], or a size is less than 1.
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
        check_at_least(1, hidden=hidden, layers=layers, output_dim=output_dim)
        if not 0 < proportion <= 1:
            raise ValueError(f"proportion must lie in (0, 1], got {proportion}")
        device = torch.device(device)
        self.proportion = proportion
        with fresh_networks(seed):
            self.encoder = (
                Encoder(observation_space, widths=(), kinds=kinds, seed=seed).to(device).requires_grad_(False)
            )
            width = self.encoder.output_dim
            self.target = _mlp(width, hidden, output_dim, depth=1).to(device).requires_grad_(False)
            self.predictor = _mlp(width, hidden, output_dim, depth=layers).to(device)
        self.features = RunningMoments((width,), device)
        self._rows_at_once = rows_at_once(max(width, hidden), device)
        super().__init__(self.predictor.parameters(), learning_rate, batch_size, device, seed)

    @own_modes(gradients=False)
    def encode(self, obs: Tree, mask: Tensor | None = None) -> Tensor:
        """Features ``(T * B, width)`` of a tree of observations ``(T, B, ...)``, finite where ``mask`` is False."""
        encoded: Tensor = self.encoder(rows_of(obs, self.device, mask))
        return encoded

    def normalised(self, encoded: Tensor) -> Tensor:
        """What the networks see of features ``(N, width)``."""
        scale = (self.features.var + 1e-8).rsqrt()
        shift = -self.features.mean * scale
        return torch.addcmul(shift.float(), encoded, scale.float()).clamp_(-5, 5)

    @own_modes(gradients=False)
    def novelty(self, obs: Tree) -> Tensor:
        """The error of each observation of a tree ``(T, B, ...)``: ``(T * B,)``."""
        rows = rows_of(obs, self.device)
        count = len(next(leaf for _, leaf in leaves(rows)))
        parts = []
        for start in range(0, count, self._rows_at_once):
            x = self.normalised(self.encoder(map_tree(lambda leaf, at=start: leaf[at : at + self._rows_at_once], rows)))
            parts.append(_error(self.predictor(x), self.target(x)))
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float32, device=self.device)

    @own_modes(gradients=False)
    def targets(self, x: Tensor) -> Tensor:
        """What the predictor is to predict for x ``(N, width)``: ``(N, output_dim)``."""
        return torch.cat([self.target(part) for part in x.split(self._rows_at_once)])

    @own_modes(gradients=False)
    def errors(self, x: Tensor, targets: Tensor) -> Tensor:
        """The error of each row of x ``(N, width)``, ``(N,)``."""
        parts = zip(x.split(self._rows_at_once), targets.split(self._rows_at_once), strict=True)
        return torch.cat([_error(self.predictor(some), wanted) for some, wanted in parts])

    def learn(self, x: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """One pass over a share of the rows of x ``(N, width)``, not counting masked ones. Returns the mean loss."""

        def losses(rows: Tensor) -> Tensor:
            return _error(self.predictor(x.index_select(0, rows)), targets.index_select(0, rows))

        with own_modes(gradients=True):
            return self._train(losses, mask, self.proportion)


def _error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """The mean squared difference of each row."""
    return (predicted - wanted).square().mean(-1)


def _mlp(inputs: int, hidden: int, outputs: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))
