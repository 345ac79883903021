"""Embeddings that keep what an agent can influence: from two in a row, the action between them can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.encoders import Encoder, Kind, fresh_networks
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.learned import Learned, own_modes, rows_at_once, rows_of
from potentia.trees import Tree, map_tree


class InverseDynamics(Learned):
    """``f(obs)``, trained so that ``g(f(obs), f(next_obs))`` predicts the action.

    Pathak, Agrawal, Efros and Darrell 2017, arXiv 1705.05363, section 2.2. The loss is the cross-entropy of discrete
    actions, the squared error of continuous ones.

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

    saved = ("embedding", "head", *Learned.saved)

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
        device = torch.device(device)
        check_at_least(1, hidden=hidden, output_dim=output_dim)
        self.output_dim = output_dim
        self._action_space, self._parts = action_space, _parts(action_space)
        with fresh_networks(seed):
            encoder = Encoder(observation_space, widths=(hidden,), kinds=kinds, seed=seed)
            self.embedding = nn.Sequential(encoder, nn.Linear(hidden, output_dim)).to(device)
            self.head = nn.Sequential(
                nn.Linear(2 * output_dim, hidden), nn.ReLU(), nn.Linear(hidden, sum(self._parts))
            ).to(device)  # fmt: skip
        self._rows_at_once = rows_at_once(hidden, device)
        parameters = [*self.embedding.parameters(), *self.head.parameters()]
        super().__init__(parameters, learning_rate, batch_size, device, seed)

    def embed(self, obs: Tree, mask: Tensor) -> Tensor:
        """Embeddings ``(T, B, d)`` of observations ``(T, B, ...)``. Those of masked steps are finite."""
        with own_modes(gradients=False):
            rows, at_once = rows_of(obs, self.device, mask.ravel()), self._rows_at_once
            starts = range(0, max(1, mask.numel()), at_once)
            parts = [self.embedding(map_tree(lambda leaf, at=at: leaf[at : at + at_once], rows)) for at in starts]
            flat: Tensor = parts[0] if len(parts) == 1 else torch.cat(parts)
            return flat.reshape(*mask.shape, self.output_dim)

    def learn(self, rollout: Rollout) -> Tensor:
        """One pass over the unmasked transitions of a rollout. Returns the mean loss."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        obs, after, actions = (
            rows_of(tree, self.device, mask) for tree in (rollout.obs, rollout.next_obs, rollout.action)
        )

        def losses(rows: Tensor) -> Tensor:
            # Both at once, so that the weights' gradients are computed, and added, once.
            pairs = map_tree(lambda *two: torch.cat([leaf.index_select(0, rows) for leaf in two]), obs, after)
            before_and_after = self.embedding(pairs).unflatten(0, (2, len(rows))).transpose(0, 1).flatten(1)
            return self._losses(self.head(before_and_after), actions[rows])

        with own_modes(gradients=True):
            return self._train(losses, mask)

    def _losses(self, predicted: Tensor, action: Tensor) -> Tensor:
        """The loss of each row."""
        if isinstance(self._action_space, spaces.Box):
            return (predicted - action.reshape(predicted.shape).float()).square().mean(1)
        start = torch.as_tensor(self._action_space.start, device=self.device)  # type: ignore[attr-defined]
        # Masked actions are 0, which may be before the start.
        taken = (action.reshape(len(action), start.numel()) - start.reshape(1, -1)).long().clamp(min=0)
        pieces = predicted.split(self._parts, 1)
        losses = [nn.functional.cross_entropy(piece, taken[:, i], reduction="none") for i, piece in enumerate(pieces)]
        return torch.stack(losses).sum(0)


def _parts(space: gym.Space[Any]) -> list[int]:
    """How many numbers g returns for each part of an action."""
    if isinstance(space, spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, spaces.MultiDiscrete):
        return [int(n) for n in space.nvec.ravel()]
    if isinstance(space, spaces.Box):
        return [int(np.prod(space.shape))]
    raise TypeError(f"the action space must be Discrete, MultiDiscrete or Box, got {space}")
