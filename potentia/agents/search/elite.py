"""What a search gives an evaluation to play: the policies that it knows."""

from __future__ import annotations

import torch
from torch import Tensor

from potentia.trees import Tree, leaves


class Elite:
    """An actor that knows some policies, each action one of them at random.

    Args:
        genomes: ``(m, P)``.
        seed: Seeds the draws.
    """

    def __init__(self, genomes: Tensor, seed: int = 0) -> None:
        self.genomes = genomes
        self.generator = torch.Generator().manual_seed(seed)

    def init(self, num_envs: int) -> Tree:
        """It has no memory."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Genomes ``(N, P)``."""
        (_, leaf), *_ = leaves(obs)
        index = torch.randint(len(self.genomes), (leaf.shape[0],), generator=self.generator)
        return self.genomes[index.to(self.genomes.device)], carry
