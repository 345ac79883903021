"""Numbers of states, or of states and actions, that are learned: a table where both are counted, else a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.encoders import Encoder, fresh_networks
from potentia.trees import Tree


class Numbers(nn.Module):
    """``numbers(obs)`` or ``numbers(obs, action)``, ``(N, K)``, which are ``start`` everywhere at first.

    Args:
        observation_space: The space of one observation.
        action_space: The space of one action. None for numbers of states alone.
        start: The K numbers at first.
        hidden: Width of the network's two layers, which a table has not got.
        device: Where it is.
        seed: Of the network's weights.

    >>> numbers = Numbers(spaces.Discrete(5), start=(1.0, 0.5))
    >>> numbers(torch.tensor([4])).tolist(), numbers.table.shape
    ([[1.0, 0.5]], torch.Size([5, 2]))
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any] | None = None,
        *,
        start: Sequence[float] = (0.0,),
        hidden: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        super().__init__()
        parts = [observation_space] if action_space is None else [observation_space, action_space]
        counted = [part for part in parts if isinstance(part, spaces.Discrete)]
        self._first, self._actions = [int(part.start) for part in counted], int(counted[-1].n) if counted else 0
        self.table: nn.Parameter | None = None
        with fresh_networks():
            first = torch.tensor(start, dtype=torch.float32)
            if len(counted) == len(parts):
                count = int(counted[0].n) * (self._actions if len(parts) == 2 else 1)
                self.table = nn.Parameter(first.repeat(count, 1))
            else:
                self.encoder = Encoder(spaces.Tuple(parts), widths=(hidden, hidden), activation="tanh", seed=seed)
                self.head = nn.Linear(hidden, len(first))
                nn.init.zeros_(self.head.weight)
                with torch.no_grad():
                    self.head.bias.copy_(first)
        self.to(device)

    def forward(self, obs: Tree, action: Tree | None = None) -> Tensor:
        """The numbers of trees of tensors ``(N, ...)``."""
        trees = (obs,) if action is None else (obs, action)
        if self.table is None:
            found: Tensor = self.head(self.encoder(trees))
            return found
        places = [tree.long() - first for tree, first in zip(trees, self._first, strict=True)]
        return self.table[places[0] if action is None else places[0] * self._actions + places[1]]
