"""Embeddings that keep what an agent can influence: from two in a row, the action between them can be told."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.encoders import Encoder, Kind, observation_tensors
from potentia.rollout import Rollout
from potentia.shaping.distillation import rows_of
from potentia.trees import Tree


class InverseDynamics:
    """``f(obs)``, trained so that ``g(f(obs), f(next_obs))`` predicts the action.

    Pathak, Agrawal, Efros and Darrell 2017, arXiv 1705.05363, section 2.2. The loss is the cross-entropy of discrete
    actions, the squared error of continuous ones. Nothing here waits for the device.

    Args:
        observation_space: The space of observations.
        action_space: ``Discrete``, ``MultiDiscrete`` or ``Box``.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the hidden layers, one in f after its `potentia.encoders.Encoder`'s stems and one in g.
        output_dim: d, the numbers of an embedding.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.

    Raises:
        TypeError: If the action space is of another kind.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        *,
        kinds: Kind | Mapping[str, Kind] | None,
        hidden: int,
        output_dim: int,
        learning_rate: float,
        batch_size: int,
        device: torch.device | str,
        seed: int,
    ) -> None:
        self.output_dim, self.batch_size, self.device = output_dim, batch_size, torch.device(device)
        self._action_space, self._parts = action_space, _parts(action_space)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = Encoder(observation_space, widths=(hidden,), kinds=kinds, seed=seed)
            self.embedding = nn.Sequential(encoder, nn.Linear(hidden, output_dim)).to(self.device)
            self.head = nn.Sequential(
                nn.Linear(2 * output_dim, hidden), nn.ReLU(), nn.Linear(hidden, sum(self._parts))
            ).to(self.device)  # fmt: skip
        parameters = [*self.embedding.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.Adam(
            parameters, lr=learning_rate, fused=self.device.type in ("cpu", "cuda")
        )  # fmt: skip
        self._generator = torch.Generator(self.device).manual_seed(seed)

    def embed(self, obs: Tree, mask: Tensor) -> Tensor:
        """Embeddings ``(T, B, d)`` of observations ``(T, B, ...)``; those of masked steps are finite."""
        with torch.no_grad():
            flat: Tensor = self.embedding(rows_of(obs, self.device, mask.ravel()))
        return flat.reshape(*mask.shape, self.output_dim)

    def learn(self, rollout: Rollout) -> Tensor:
        """One pass over the unmasked transitions of a rollout; returns the mean loss."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        obs, after = (rows_of(tree, self.device, mask) for tree in (rollout.obs, rollout.next_obs))
        actions, weights = observation_tensors(rollout.action, self.device).flatten(0, 1), mask.float()
        order = torch.randperm(len(mask), generator=self._generator, device=self.device)
        total = torch.zeros((), device=self.device)
        for part in torch.split(order, self.batch_size):
            share = weights[part] / weights[part].sum().clamp(min=1)
            pair = torch.cat([self.embedding(_some(obs, part)), self.embedding(_some(after, part))], 1)
            loss = (self._losses(self.head(pair), actions[part]) * share).sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * (len(part) / len(order))
        return total

    def _losses(self, predicted: Tensor, action: Tensor) -> Tensor:
        """The loss of each row."""
        if isinstance(self._action_space, spaces.Box):
            return (predicted - action.flatten(1).float()).square().mean(1)
        start = torch.as_tensor(self._action_space.start, device=self.device)  # type: ignore[attr-defined]
        chosen = (action.reshape(len(action), -1) - start.reshape(1, -1)).long()
        pieces = predicted.split(self._parts, 1)
        losses = [nn.functional.cross_entropy(piece, chosen[:, i], reduction="none") for i, piece in enumerate(pieces)]
        return torch.stack(losses).sum(0)

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser and generator."""
        return {part: getattr(self, part).state_dict() for part in _SAVED} | {
            "generator": self._generator.get_state()
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        for part in _SAVED:
            getattr(self, part).load_state_dict(copy.deepcopy(state[part]))  # torch would share an optimiser's tensors
        self._generator.set_state(state["generator"].cpu())


_SAVED = ("embedding", "head", "optimizer")


def _parts(space: gym.Space[Any]) -> list[int]:
    """How many numbers g returns for each part of an action."""
    if isinstance(space, spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, spaces.MultiDiscrete):
        return [int(n) for n in space.nvec.ravel()]
    if isinstance(space, spaces.Box):
        return [int(np.prod(space.shape))]
    raise TypeError(f"the action space must be Discrete, MultiDiscrete or Box, got {space}")


def _some(tree: Tree, rows: Tensor) -> Tree:
    if isinstance(tree, dict):
        return {key: _some(value, rows) for key, value in tree.items()}
    return tuple(_some(value, rows) for value in tree) if isinstance(tree, tuple) else tree.index_select(0, rows)
