"""The interval of a mean of few and skewed scores: a studentised bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.bootstrap import resample_runs
from potentia.study.statistics.estimates import Floats, mean
from potentia.study.statistics.intervals import Band, Ends, Interval, allow_unseen, checked_strata

FLOOR = 0.2
"""A resample counts as varying by at least this share of the sample's own spread. Else five runs in two groups
would often be drawn from one of them, and the limits would be many times the scale."""


def mean_interval(
    strata: Sequence[ArrayLike],
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    ends: Sequence[Ends] | None = None,
) -> Interval:
    """`mean_band` of one number: strata are (n_w,) scores.

    Args:
        strata: one (n_w,) array of scores for each world.
        rng: see `mean_band`.
        resamples: see `mean_band`.
        confidence: see `mean_band`.
        ends: see `bootstrap_interval`.

    >>> skewed = mean_interval([[1.0, 2.0, 3.0, 2.0, 9.0]], rng=np.random.default_rng(0))
    >>> skewed.estimate, skewed.high - 3.4 > 3.4 - skewed.low
    (3.4, True)
    """
    arrays = [np.asarray(values, dtype=np.float64) for values in strata]
    band = mean_band(arrays, rng=rng, resamples=resamples, confidence=confidence)
    interval = Interval(float(band.estimate), float(band.low), float(band.high))
    if ends is None or not interval.known:
        return interval
    return allow_unseen(interval, arrays, mean, ends, confidence)


def mean_band(
    strata: Sequence[Floats], *, rng: np.random.Generator, resamples: int = 2000, confidence: float = 0.95
) -> Band:
    """[m - t_high s, m - t_low s], with t = (m* - m) / s* over resamples: the studentised bootstrap.

    m is the mean over worlds of the worlds' means, s its standard error, m* and s* the same of a resample (Hall 1988,
    "Theoretical Comparison of Bootstrap Confidence Intervals"). The limits follow the skewness of the scores: a long
    tail on one side makes that side longer. They are taken at half of the nominal tail, by which lognormal scores are
    covered as often as promised (`benchmarks/interval_coverage.py`).

    Args:
        strata: one (n_w, ...) array of runs for each world. A run is drawn with all of its history.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage.

    Returns:
        the band. Its limits are NaN where a world has a single run.

    Raises:
        ValueError: no runs, or a score that is not finite.
    """
    arrays = checked_strata(strata)
    estimate = np.mean([values.mean(axis=0) for values in arrays], axis=0)
    if min(len(values) for values in arrays) < 2:
        return Band(estimate, np.full_like(estimate, math.nan), np.full_like(estimate, math.nan))
    shift, spread, own = (np.zeros((1, *estimate.shape)) for _ in range(3))
    for values, index in zip(arrays, resample_runs([len(v) for v in arrays], resamples, rng), strict=True):
        drawn = values[index]
        variance = values.var(axis=0, ddof=1)
        shift = shift + drawn.mean(axis=1) - values.mean(axis=0)
        spread = spread + np.maximum(drawn.var(axis=1, ddof=1), FLOOR**2 * variance) / len(values)
        own = own + variance / len(values)
    pivot = np.divide(shift, np.sqrt(spread), out=np.zeros_like(shift), where=spread > 0)
    tail = (1 - confidence) / 4
    low, high = np.quantile(pivot, [tail, 1 - tail], axis=0)
    error = np.sqrt(own[0]) / len(arrays)
    return Band(estimate, estimate - np.maximum(high, 0) * error, estimate + np.maximum(-low, 0) * error)
