"""Exact nearest neighbours: by a tree or a compiled loop where points have few numbers, else by matrix products."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from potentia.arrays import on_cpu
from potentia.compiling import compiled

FEW_DIMENSIONS = 3
"""Up to so many numbers a tree beats matrix products (`benchmarks/nearest_neighbours.py`)."""
_BLOCK, _FEWEST_ROWS = 1 << 18, 16
_TREE_PAYS = 1 << 20


def nearest(queries: Tensor, points: Tensor, k: int, *, beside_itself: bool = False) -> Tensor:
    """The distances ``|x - y|`` from each query x to the k nearest points y, in order, exact to rounding.

    >>> points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    >>> nearest(points[:1], points, 2)
    tensor([[0., 5.]])
    >>> nearest(points[:1], points, 2, beside_itself=True)
    tensor([[ 5., 10.]])

    Args:
        queries: ``(n, d)``.
        points: ``(m, d)``, on the same device.
        k: How many are wanted.
        beside_itself: Whether each query is one of the points, which is no neighbour of itself. Others at the same
            place are.

    Returns:
        ``(n, k)`` float32, infinite where there are fewer points.
    """
    wanted = k + beside_itself
    found = queries.new_full((len(queries), wanted), torch.inf, dtype=torch.float32)
    have = min(wanted, len(points))
    if have and len(queries):
        find = _in_few_dimensions if on_cpu(queries) and queries.shape[1] <= FEW_DIMENSIONS else _by_products
        found[:, :have] = find(queries.float().contiguous(), points.float().contiguous(), have)
    return found[:, 1:] if beside_itself else found


def _in_few_dimensions(queries: Tensor, points: Tensor, k: int) -> Tensor:
    tree = _tree() if len(queries) * len(points) > _TREE_PAYS else None
    if tree is None:
        return torch.from_numpy(_by_loop(queries.numpy(), points.numpy(), k)).float()
    distances, _ = tree(points.numpy(), balanced_tree=False, compact_nodes=False).query(
        queries.numpy(), k=range(1, k + 1)
    )
    return torch.from_numpy(distances).float()


@lru_cache(maxsize=1)
def _tree() -> Any:
    """SciPy's tree, if SciPy is there: it has no rival in two dimensions, and nothing depends on it."""
    if importlib.util.find_spec("scipy") is None:
        return None
    from scipy.spatial import cKDTree  # noqa: PLC0415 - SciPy is no requirement

    return cKDTree


def _by_products(queries: Tensor, points: Tensor, k: int) -> Tensor:
    """|x|^2 - 2xy + |y|^2 finds which are nearest; how far they are is computed anew from their differences.

    The products round, so one more is taken than is wanted, in which the order of near-equal ones does not matter.
    """
    more = min(k + 1, len(points))
    centre = points.mean(0)  # the products round the less the nearer the points are to 0
    near, far = queries - centre, points - centre
    norms, found = far.square().sum(1), []
    for rows in near.split(max(_FEWEST_ROWS, _BLOCK // len(points))):
        scores = torch.addmm(norms, rows, far.T, alpha=-2)
        index = _least(scores, more)
        squares = (rows[:, None] - far[index]).square().sum(-1)
        found.append(squares.topk(k, dim=1, largest=False, sorted=True).values.sqrt_())
    return torch.cat(found)


def _least(scores: Tensor, k: int) -> Tensor:
    """The columns of the k least in each row, in no order."""
    if on_cpu(scores):
        return torch.from_numpy(_select(scores.numpy(), k))
    return scores.topk(k, dim=1, largest=False, sorted=False).indices


@compiled("the least of each row", work=None, fastmath={"nnan", "nsz"})
def _select(scores: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    rows, columns = scores.shape
    found = np.zeros((rows, k), np.int64)
    best = np.empty(k, np.float32)
    for i in range(rows):
        row = scores[i]
        best[:] = np.inf
        bound, begin = np.float32(np.inf), 0
        while begin < columns:
            end = min(begin + 64, columns)
            least = np.float32(np.inf)  # of 64 at once: a loop without branches, which the compiler makes wide
            for j in range(begin, end):
                least = min(least, row[j])
            if least < bound or begin < k:
                for j in range(begin, end):
                    if row[j] < bound:
                        place = k - 1
                        while place > 0 and best[place - 1] > row[j]:
                            best[place] = best[place - 1]
                            found[i, place] = found[i, place - 1]
                            place -= 1
                        best[place], found[i, place] = row[j], j
                        bound = best[k - 1]
            begin = end
    return found


@compiled("the nearest points", work=None)
def _by_loop(queries: np.ndarray[Any, Any], points: np.ndarray[Any, Any], k: int) -> np.ndarray[Any, Any]:
    found = np.full((len(queries), k), np.inf)
    size = points.shape[1]
    for i in range(len(queries)):
        best, bound = found[i], np.inf
        for j in range(len(points)):
            square = 0.0
            for d in range(size):
                gap = np.float64(queries[i, d]) - np.float64(points[j, d])
                square += gap * gap
            if square < bound:
                place = k - 1
                while place > 0 and best[place - 1] > square:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = square
                bound = best[k - 1]
    distances: np.ndarray[Any, Any] = np.sqrt(found)
    return distances
