"""How far an episode goes along a demonstration: longest increasing subsequences of nearest steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.compiling import compiled, part

Array = np.ndarray[Any, Any]


def longest_increasing(sequences: Array) -> Array:
    """The length of the longest strictly increasing subsequence of each row: ``(N, L)`` integers to ``(N,)``.

    >>> longest_increasing(np.array([[3, 1, 2, 4], [0, 1, 2, 3], [2, 2, 2, 2]])).tolist()
    [3, 4, 1]
    """
    sequences = np.ascontiguousarray(sequences, np.int64)
    found = np.empty(len(sequences), np.int64)
    _lengths(sequences, found)
    return found


def match_curves(costs: Array, lengths: Array, others: Array, horizon: int) -> Array:
    """``match(k) = LIS(argmin_{j < k} c[i, j] for i = 0 .. k - 1)`` for ``k = 1 .. horizon``.

    Liu et al. 2023, "Imitation learning from observation with automatic discount scheduling", arXiv 2310.07433.
    Of equal costs the first counts.

    Args:
        costs: ``(N, L, L')`` between the steps of an episode and of a demonstration.
        lengths: ``(N,)``: the steps of each episode. A k beyond them has no more rows than there are.
        others: ``(N,)``: the steps of each demonstration.
        horizon: The greatest k.

    Returns:
        ``(N, horizon)`` int64.

    >>> costs = np.abs(np.arange(3)[:, None] - np.array([0, 1, 2]))[None]  # the episode does what the other did
    >>> match_curves(costs, np.array([3]), np.array([3]), 4).tolist()
    [[1, 2, 3, 3]]
    """
    found = np.zeros((len(costs), horizon), np.int64)
    lengths, others = (np.ascontiguousarray(counts, np.int64) for counts in (lengths, others))
    _curves(np.ascontiguousarray(costs, np.float64), lengths, others, found)
    return found


@part
def increasing(sequence: Array, tails: Array) -> int:
    """The length for one sequence (Fredman 1975): ``tails[n]`` is the least end of those of length n + 1."""
    count = 0
    for index in range(len(sequence)):
        value, low, high = sequence[index], 0, count
        while low < high:
            middle = (low + high) // 2
            if tails[middle] < value:
                low = middle + 1
            else:
                high = middle
        tails[low] = value
        count = max(count, low + 1)
    return count


@compiled("the longest increasing subsequences", work=lambda sequences, *_: 2 * sequences.size)
def _lengths(sequences: Array, found: Array) -> None:
    tails = np.empty(sequences.shape[1], np.int64)
    for row in range(len(sequences)):
        found[row] = increasing(sequences[row], tails)


@compiled("the progress along demonstrations", work=lambda costs, lengths, others, found: found.size * costs.shape[1])
def _curves(costs: Array, lengths: Array, others: Array, found: Array) -> None:
    """The nearest step of each row is kept, and a column more is compared for each k."""
    nearest, tails = np.empty(costs.shape[1], np.int64), np.empty(costs.shape[1], np.int64)
    for n in range(len(costs)):
        cost = costs[n]
        for k in range(1, found.shape[1] + 1):
            rows, columns = min(k, lengths[n]), min(k, others[n])
            if k <= columns:
                for i in range(rows - 1 if k <= lengths[n] else rows):
                    if cost[i, k - 1] < cost[i, nearest[i]]:
                        nearest[i] = k - 1
            if k <= lengths[n]:
                best = 0
                for j in range(1, columns):
                    if cost[k - 1, j] < cost[k - 1, best]:
                        best = j
                nearest[k - 1] = best
            elif k > others[n]:
                found[n, k - 1] = found[n, k - 2]
                continue
            found[n, k - 1] = increasing(nearest[:rows], tails)
