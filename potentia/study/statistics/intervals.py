"""Intervals and bands, how they are averaged over worlds, and what equal runs can't rule out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potentia.study.statistics.estimates import Floats, Statistic, equal_weights, finite

Ends = tuple[float, float]
"""The lowest and the highest score that a run of a world may have."""

EQUAL = 1e-3
"""Runs that differ by no more than this share of the scale count as equal: how little they differ says nothing of
what else may happen."""


@dataclass(frozen=True)
class Interval:
    """A point estimate with its confidence interval. The limits are NaN where the runs don't allow one."""

    estimate: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there are limits."""
        return not math.isnan(self.low)


@dataclass(frozen=True)
class Band:
    """A point estimate with its pointwise confidence interval, as arrays of one shape."""

    estimate: Floats
    low: Floats
    high: Floats


def average_intervals(intervals: Sequence[Interval]) -> Interval:
    """The interval of the mean of independent estimates: margins are added as squares, each side on its own.

    low = m - sqrt(sum_w (e_w - low_w)^2) / W, with m the mean of the W estimates e_w (Zou and Donner 2008, "MOVER").
    It keeps each interval's skewness, and is no narrower where one estimate lies at the end of its scale.

    >>> average_intervals([Interval(0.5, 0.2, 0.7), Interval(0.5, 0.1, 0.5)])
    Interval(estimate=0.5, low=0.25, high=0.6)
    """
    if not intervals:
        raise ValueError("no intervals to average: give one for each world")
    count = len(intervals)
    estimate = sum(value.estimate for value in intervals) / count
    below = math.hypot(*(value.estimate - value.low for value in intervals)) / count
    above = math.hypot(*(value.high - value.estimate for value in intervals)) / count
    return Interval(estimate, estimate - below, estimate + above)


def unseen_share(runs: int, confidence: float = 0.95) -> float:
    """1 - tail^(1/n), the share of other outcomes that n equal runs can't rule out. Here tail = (1 - confidence) / 2.

    If more than this share of all runs ended otherwise, n runs would end alike with a probability below the tail:
    the limit of Clopper and Pearson (1934) for n of n.

    >>> [round(unseen_share(n), 3) for n in (3, 5, 10, 20)]
    [0.708, 0.522, 0.308, 0.168]
    """
    return 1 - math.pow((1 - confidence) / 2, 1 / runs)


def allow_unseen(
    interval: Interval, strata: Sequence[Floats], statistic: Statistic, ends: Sequence[Ends], confidence: float
) -> Interval:
    """Widens an interval by what strata of equal runs can't rule out, of which a bootstrap knows nothing.

    In each stratum whose runs differ by no more than a thousandth of its scale, `unseen_share` of the weight is moved
    to either end. The change of the statistic is that side's margin. Margins are added as squares. Limits beyond
    the ends are cut there.

    Args:
        interval: what the other strata say.
        strata: (n_w,) scores of each world.
        statistic: of the pooled runs, each world weighing the same.
        ends: the scale of each world.
        confidence: of the interval.
    """
    margins: tuple[list[float], list[float]] = ([interval.estimate - interval.low], [interval.high - interval.estimate])
    count = len(strata)
    scale = [(min(a, v.min()), max(b, v.max())) for (a, b), v in zip(ends, strata, strict=True)]
    for place, values in enumerate(strata):
        least, most = scale[place]
        if np.ptp(values) > EQUAL * (most - least):
            continue
        moved = unseen_share(len(values), confidence)
        own = [np.full(len(scores), 1 / (count * len(scores))) for scores in strata]
        own[place] *= 1 - moved
        weights = np.concatenate([*own, [moved / count]])
        for side, end in enumerate((least, most)):
            found = float(statistic(np.concatenate([*strata, [end]]), 0, weights))
            margins[side].append(interval.estimate - found if side == 0 else found - interval.estimate)
    below, above = (math.hypot(*(max(margin, 0.0) for margin in side)) for side in margins)
    floor, ceiling = (
        float(statistic(np.array(side), 0, equal_weights([1] * count))) for side in zip(*scale, strict=True)
    )
    return Interval(interval.estimate, max(interval.estimate - below, floor), min(interval.estimate + above, ceiling))


def checked_strata(strata: Sequence[Floats], what: str = "scores") -> list[Floats]:
    """The runs of each world as arrays.

    Raises:
        ValueError: no strata, an empty one, or a score that is not finite.
    """
    arrays = [finite(values, what) for values in strata]
    if not arrays or any(values.ndim == 0 or len(values) == 0 for values in arrays):
        raise ValueError(f"every stratum needs at least one run, got shapes {[values.shape for values in arrays]}")
    return arrays
