"""The nearest earlier embeddings of an episode: compiled for a CPU, in PyTorch elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from potentia import arrays
from potentia.compiling import compiled

_BLOCK = 1 << 22


def nearest(embeddings: Tensor, episodes: Tensor, now: Tensor, memory: int, k: int) -> Tensor:
    """The k least squared distances from the last T of each environment's L embeddings to those before it.

    Args:
        embeddings: ``(B, L, d)`` float32, L = ``memory`` + T, in the order of time.
        episodes: ``(B, L)`` int64: the episode of each, -1 for none.
        now: ``(B, T)`` int64: the episode of each of the last T.
        memory: How far back it looks, in steps.
        k: How many are wanted.

    Returns:
        ``(B, T, k)`` float32, not in order, infinite where there are fewer.
    """
    if arrays.on_cpu(embeddings):
        vectors, known, running = (part.contiguous().numpy() for part in (embeddings, episodes, now))
        return torch.from_numpy(_nearest(vectors, known, running, memory, k))
    return nearest_by_products(embeddings, episodes, now, memory, k)


def nearest_of(points: Tensor, among: Tensor, k: int) -> Tensor:
    """The k least squared distances from each of n points ``(n, d)`` to A others ``(A, d)``, float32.

    Returns:
        ``(n, k)``, from the least on, infinite where there are fewer.
    """
    size, steps = len(among), len(points)
    # As one environment whose points come last. Each looks back to all others, behind places that hold nothing.
    memory = steps + size
    embeddings = torch.cat([points, among, points])[None]
    episodes = torch.full((1, memory + steps), -1, device=points.device)
    episodes[:, steps:memory] = 0
    now = torch.zeros((1, steps), dtype=torch.int64, device=points.device)
    return nearest(embeddings, episodes, now, memory, k)[0].sort(dim=1).values


def nearest_by_products(embeddings: Tensor, episodes: Tensor, now: Tensor, memory: int, k: int) -> Tensor:
    """The same by matrix products: |x|^2 - 2xy + |y|^2. Less than its rounding, 1e-5 |x|^2, is 0."""
    (envs, length), steps, device = episodes.shape, now.shape[1], embeddings.device
    norms = embeddings.square().sum(-1)
    age = torch.arange(steps, device=device)[:, None] + memory - torch.arange(length, device=device)
    recent = (age > 0) & (age <= memory)
    found = []
    for rows in torch.arange(envs, device=device).split(max(1, _BLOCK // (steps * length))):
        part, own = embeddings[rows], norms[rows, memory:, None]
        squares = torch.baddbmm(norms[rows, None, :], part[:, memory:], part.mT, alpha=-2) + own
        squares = torch.where(squares > 1e-5 * own, squares, 0)
        allowed = recent & (episodes[rows, None, :] == now[rows, :, None])
        found.append(squares.masked_fill_(~allowed, torch.inf).topk(k, dim=-1, largest=False).values)
    return torch.cat(found)


@compiled("the nearest embeddings", work=None, fastmath={"reassoc", "contract", "nsz"})
def _nearest(
    embeddings: np.ndarray[Any, Any], episodes: np.ndarray[Any, Any], now: np.ndarray[Any, Any], memory: int, k: int
) -> np.ndarray[Any, Any]:
    envs, steps = now.shape
    found = np.full((envs, steps, k), np.float32(np.inf))
    for b in range(envs):
        for t in range(steps):
            own, best = embeddings[b, memory + t], found[b, t]
            worst, bound = 0, np.float32(np.inf)
            for j in range(t, t + memory):
                if episodes[b, j] == now[b, t]:
                    other, square = embeddings[b, j], np.float32(0)
                    for i in range(own.shape[0]):
                        square += (own[i] - other[i]) * (own[i] - other[i])
                    if square < bound:
                        best[worst] = square
                        worst = best.argmax()
                        bound = best[worst]
    return found
