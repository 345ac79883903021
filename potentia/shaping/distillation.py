"""Novelty as the error of predicting a fixed random function: the model behind RND and NovelD."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from potentia import arrays
from potentia.encoders import Encoder, Kind, observation_tensors
from potentia.rollout import Array
from potentia.shaping.running import RunningMoments
from potentia.trees import Tree, leaves, map_tree


class Distillation:
    """``|predictor(x) - target(x)|^2``, the mean over outputs: x are normalised features of an observation.

    Burda, Edwards, Storkey and Klimov 2018, arXiv 1810.12894. The features are those of a frozen random
    `potentia.encoders.Encoder`: the numbers themselves for vectors, random convolutions for images and grids of
    symbols. They are normalised by running moments and clipped to [-5, 5]. Nothing here waits for the device.

    Args:
        observation_space: The space of observations.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the hidden layers.
        layers: How many hidden layers the predictor has; the target has one.
        output_dim: Outputs of target and predictor.
        learning_rate: Adam's step size.
        batch_size: Rows in a minibatch.
        proportion: The share of rows that `learn` trains on.
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.

    Raises:
        ValueError: If ``proportion`` is not in (0, 1].
    """

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
        self.batch_size, self.proportion, self.device = batch_size, proportion, torch.device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = (
                Encoder(observation_space, widths=(), kinds=kinds, seed=seed).to(self.device).requires_grad_(False)
            )
            width = self.encoder.output_dim
            self.target = _mlp(width, hidden, output_dim, depth=1).to(self.device).requires_grad_(False)
            self.predictor = _mlp(width, hidden, output_dim, depth=layers).to(self.device)
        self.optimizer = torch.optim.Adam(self.predictor.parameters(), lr=learning_rate, fused=_fused(self.device))
        self.features = RunningMoments((width,), self.device)
        self._generator = torch.Generator(self.device).manual_seed(seed)

    def encode(self, obs: Tree, mask: Tensor | None = None) -> Tensor:
        """Features ``(T * B, width)`` of a tree of observations ``(T, B, ...)``; finite where ``mask`` is False."""
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
        """One pass over a share of the rows of x ``(N, width)``, not counting masked ones; returns the mean loss."""
        order = torch.randperm(len(x), generator=self._generator, device=self.device)
        order = order[: max(1, round(self.proportion * len(x)))]
        weights, total = mask.float(), torch.zeros((), device=self.device)
        for part in torch.split(order, self.batch_size):
            share = weights.index_select(0, part)
            loss = (self.errors(x.index_select(0, part)) * (share / share.sum().clamp(min=1))).sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * (len(part) / len(order))
        return total

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser, moments and generator."""
        return {part: getattr(self, part).state_dict() for part in _PARTS} | {"generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        for part in _PARTS:
            getattr(self, part).load_state_dict(copy.deepcopy(state[part]))  # torch would share an optimiser's tensors
        self._generator.set_state(state["generator"].cpu())


_PARTS = ("encoder", "target", "predictor", "optimizer", "features")


def rows_of(tree: Tree, device: torch.device, mask: Tensor | None = None) -> Tree:
    """A tree of ``(T, B, ...)`` as tensors ``(T * B, ...)`` on ``device``; numbers are 0 where ``mask`` is False."""
    lead = next(leaf for _, leaf in leaves(tree)).shape[:2]
    flat = map_tree(lambda leaf: leaf.reshape((lead[0] * lead[1], *leaf.shape[2:])), tree)
    rows = observation_tensors(flat, device)
    if mask is None or (arrays.on_cpu(device) and bool(mask.all())):
        return rows
    return map_tree(lambda leaf: torch.where(mask.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0), rows)


def like_column(values: Tensor, example: Array) -> Array:
    """``T * B`` values as a column ``(T, B)`` of the same kind and device as another."""
    values = values.reshape(tuple(example.shape))
    return values.cpu().numpy() if isinstance(example, np.ndarray) else values.to(example.device)


def _mlp(inputs: int, hidden: int, outputs: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


def _fused(device: torch.device) -> bool:
    return device.type in ("cpu", "cuda")
