"""A policy for many small steps with weights that stay the same: as few calls of PyTorch as there can be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from potentia.agents.grid.towers import Towers, matrix_of, tanh_


class Acting:
    """What the first of a network's `Towers` says, by matrices that are made ready once for each rollout.

    It has no modules, keeps no graph and writes activations in place: with few worlds a step costs what its calls cost.

    Args:
        network: The network. Its later weights are not seen.

    Attributes:
        outputs: P.
    """

    def __init__(self, network: Towers) -> None:
        self._inputs = network.inputs
        self._dtype = torch.bfloat16 if network.in_bfloat16 else torch.float32
        tower: Any = network.towers[0]
        layers = [layer for layer in tower if isinstance(layer, nn.Linear)]
        *self._hidden, self._last = [
            (layer.bias.detach().to(self._dtype), matrix_of(layer).detach().to(self._dtype).T) for layer in layers
        ]
        self.outputs = len(self._last[0])
        self._activate = torch.relu_ if network.activation == "relu" else tanh_

    def __call__(self, seen: Tensor) -> Tensor:
        """The tower's outputs ``(n, P)`` of what `Towers.read` returned: logits first, then values if it has any."""
        x = self._inputs(seen).to(self._dtype)
        for bias, weight in self._hidden:
            x = self._activate(torch.addmm(bias, x, weight))
        bias, weight = self._last
        return torch.addmm(bias, x, weight)
