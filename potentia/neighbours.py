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
_ROWS, _COLUMNS = 256, 2048
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
    find, found = _least_by_blocks if on_cpu(points) else _least, []
    for rows in near.split(_ROWS):
        index = find(rows, far, more)
        squares = (rows[:, None] - far[index]).square().sum(-1)
        found.append(squares.topk(k, dim=1, largest=False, sorted=True).values.sqrt_())
    return torch.cat(found)


def _least(rows: Tensor, points: Tensor, k: int) -> Tensor:
    """The indices ``(n, k)`` of the nearest points, in no order."""
    return torch.addmm(points.square().sum(1), rows, points.T, alpha=-2).topk(k, dim=1, largest=False).indices


def _least_by_blocks(rows: Tensor, points: Tensor, k: int) -> Tensor:
    """The same, by products that stay in a processor's cache until they were looked through."""
    norms, best = points.square().sum(1), torch.full((len(rows), k), torch.inf)
    index = torch.zeros(len(rows), k, dtype=torch.int64)
    for begin in range(0, len(points), _COLUMNS):
        block = slice(begin, begin + _COLUMNS)
        scores = torch.addmm(norms[block], rows, points[block].T, alpha=-2)
        _select(scores.numpy(), begin, best.numpy(), index.numpy())
    return index


@compiled("the least of each row", work=None, fastmath={"nnan", "nsz"})
def _select(scores: np.ndarray[Any, Any], offset: int, best: np.ndarray[Any, Any], index: np.ndarray[Any, Any]) -> None:
    """Puts what is less than the k least so far, in order, in their places."""
    rows, columns = scores.shape
    k = best.shape[1]
    for i in range(rows):
        row, least, where = scores[i], best[i], index[i]
        begin = 0
        while begin < columns:
            end = min(begin + 64, columns)
            lowest = np.float32(np.inf)  # of 64 at once: a loop without branches, which the compiler makes wide
            for j in range(begin, end):
                lowest = min(lowest, row[j])
            if lowest < least[k - 1]:
                for j in range(begin, end):
                    if row[j] < least[k - 1]:
                        place = k - 1
                        while place > 0 and least[place - 1] > row[j]:
                            least[place] = least[place - 1]
                            where[place] = where[place - 1]
                            place -= 1
                        least[place], where[place] = row[j], offset + j
            begin = end


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
