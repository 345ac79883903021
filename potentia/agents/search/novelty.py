"""How new a behaviour is."""

from __future__ import annotations

import torch
from torch import Tensor

from potentia.neighbours import nearest


def novelty(behaviour: Tensor, reference: Tensor, k: int, *, beside_itself: bool = False) -> Tensor:
    """``(1 / k) * sum of the distances to the k nearest of the reference``.

    Lehman and Stanley 2011, "Abandoning Objectives", equation 1. Where there are fewer than k, the mean is that of all
    there are, and 0 where there are none.

    >>> line = torch.tensor([[0.0], [1.0], [3.0]])
    >>> novelty(line, line, 2, beside_itself=True)
    tensor([2.0000, 1.5000, 2.5000])

    Args:
        behaviour: ``(n, f)``.
        reference: ``(m, f)``.
        k: How many neighbours.
        beside_itself: Whether each behaviour is one of the reference, and so no neighbour of itself.

    Returns:
        ``(n,)``.
    """
    have = min(k, len(reference) - beside_itself)
    if have < 1:
        return torch.zeros(len(behaviour), device=behaviour.device)
    return nearest(behaviour, reference, have, beside_itself=beside_itself).mean(1)
