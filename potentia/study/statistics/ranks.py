"""Places of methods, the same for equals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from potentia.study.statistics.estimates import Floats, finite
from potentia.study.statistics.intervals import Interval


def mid_ranks(scores: Floats) -> Floats:
    """1 + the number of better scores along the first axis. Equals share the mean of their places.

    Args:
        scores: (M, ...) scores of M methods, the highest being the best. Scores equal up to rounding are equal.

    >>> mid_ranks(np.array([3.0, 7.0, 3.0, 1.0])).tolist()
    [2.5, 1.0, 2.5, 4.0]
    """
    values = finite(scores)
    scale = np.abs(values).max(initial=0.0) or 1.0
    rounded = np.round(values / scale, 9)
    better = [(rounded > own).sum(axis=0) for own in rounded]
    equal = [(rounded == own).sum(axis=0) for own in rounded]
    return np.array([1 + more + (same - 1) / 2 for more, same in zip(better, equal, strict=True)])


def rank_intervals(estimates: Sequence[float], replicates: Floats, tail: float) -> list[Interval]:
    """The place of each method, and how far it moves when runs are resampled.

    Args:
        estimates: M scores.
        replicates: (M, R) bootstrap replicates of them.
        tail: the share of replicates left out at either side.
    """
    places = mid_ranks(np.asarray(estimates, dtype=np.float64))
    # Order statistics: between two places there is none.
    low, high = np.quantile(mid_ranks(replicates), [tail, 1 - tail], axis=1, method="inverted_cdf")
    return [
        Interval(float(place), float(min(a, place)), float(max(b, place)))
        for place, a, b in zip(places, low, high, strict=True)
    ]
