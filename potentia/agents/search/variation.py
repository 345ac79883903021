"""Where genomes come from: drawn at first, and mutated from others."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor

from potentia.state import Stateful


class Variation(Stateful):
    """Founders are drawn from N(0, 1). A mutation adds ``N(0, sigma)`` to each gene. Both are clipped to the bounds.

    Args:
        space: The space of one genome: ``Box`` ``(P,)``.
        limit: Genes stay within ``[-limit, limit]``, and within the space.
        device: Where genomes are.
        seed: Seeds all draws.

    Raises:
        TypeError: If the space is no ``Box`` of one axis.
    """

    saved = ("generator",)

    def __init__(self, space: spaces.Space[Any], limit: float, device: torch.device | str, seed: int) -> None:
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise TypeError(
                f"a search's actions are genomes: wanted a Box of shape (P,), got {space}; use one of the worlds whose "
                "id ends in Policies-v0, or potentia.wrappers.PolicyAsAction"
            )
        self.size, self.device = space.shape[0], torch.device(device)
        self.generator = torch.Generator().manual_seed(seed)
        low, high = (torch.as_tensor(bound, dtype=torch.float32, device=device) for bound in (space.low, space.high))
        self.low, self.high = low.clamp(min=-limit), high.clamp(max=limit)

    def founders(self, count: int) -> Tensor:
        """Genomes ``(count, P)`` that descend from none."""
        return self.bounded(self._normal(count))

    def mutated(self, genomes: Tensor, sigma: float, probability: float = 1.0) -> Tensor:
        """Children ``(n, P)`` of genomes ``(n, P)``. Each is mutated with a probability, and else a copy."""
        noise = sigma * self._normal(len(genomes))
        if probability < 1:
            noise *= (torch.rand(len(genomes), 1, generator=self.generator) < probability).to(self.device)
        return self.bounded(genomes + noise)

    def choice(self, count: int, size: int) -> Tensor:
        """``size`` different ones of ``count`` indices, or all there are, at random."""
        return torch.randperm(count, generator=self.generator)[:size].to(self.device)

    def one_of(self, count: int) -> int:
        """One of ``count`` indices."""
        return int(torch.randint(count, (), generator=self.generator))

    def _normal(self, count: int) -> Tensor:
        return torch.randn(count, self.size, generator=self.generator).to(self.device)

    def bounded(self, genomes: Tensor) -> Tensor:
        """Genomes ``(n, P)`` with each gene within its bounds."""
        return torch.minimum(torch.maximum(genomes.to(self.device), self.low), self.high)
