"""The stratified bootstrap over whole runs, coherent over time.

The unit of replication is the run. One resampling draws runs with replacement within each stratum (world) and
is used for everything that is computed from those runs: every step of a learning curve and every
integral over it. Drawing each step anew would make the interval of an average over training far too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np

from potentia.study.statistics.estimates import Floats, Statistic, equal_weights
from potentia.study.statistics.intervals import Band, Ends, Interval, allow_unseen, checked_strata
from potentia.study.statistics.student import student_quantile

Method = Literal["expanded", "percentile"]
_CHUNK = 4_000_000  # floats gathered at once: 32 MB keeps long curves within a small machine's memory


def resample_runs(
    counts: Sequence[int], resamples: int, rng: np.random.Generator
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Draw run indices with replacement, for each stratum on its own.

    Returns:
        one (resamples, n) array of indices below n for each n of `counts`.
    """
    return [rng.integers(0, count, size=(resamples, count)) for count in counts]


def replicate(strata: Sequence[Floats], statistic: Statistic, *, resamples: int, rng: np.random.Generator) -> Floats:
    """Evaluate a statistic of the pooled runs on resamples of whole runs. Each stratum weighs the same.

    Args:
        strata: one (n_s, ...) array for each stratum. The first axis is the run. The others (for example
            time) are kept together, so a run is drawn with all of its history.
        statistic: reduces the axis it is given.
        resamples: number of resamples R.
        rng: the source of randomness. The same state gives the same replicates.

    Returns:
        (R, ...) replicates.
    """
    arrays = checked_strata(strata)
    counts = [len(values) for values in arrays]
    indices = resample_runs(counts, resamples, rng)
    weights = equal_weights(counts)
    pooled = sum(values.size for values in arrays)
    chunk = max(1, _CHUNK // pooled)
    parts = [
        statistic(
            np.concatenate([v[i[start : start + chunk]] for v, i in zip(arrays, indices, strict=True)], axis=1),
            1,
            weights,
        )
        for start in range(0, resamples, chunk)
    ]
    return np.concatenate(parts, axis=0)


def pooled_estimate(strata: Sequence[Floats], statistic: Statistic) -> Floats:
    """The statistic of all runs, each stratum weighing the same whatever its number of runs."""
    arrays = checked_strata(strata)
    return statistic(np.concatenate(arrays, axis=0), 0, equal_weights([len(values) for values in arrays]))


def bootstrap_band(
    strata: Sequence[Floats],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    method: Method = "expanded",
) -> Band:
    """Stratified bootstrap interval of a statistic of whole runs, for each element of its result.

    Args:
        strata: one (n_s, ...) array of runs for each stratum (world).
        statistic: reduces the axis it is given.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage in (0, 1).
        method: "expanded" takes percentiles further out, by `expanded_tail`. "percentile" takes the nominal ones,
            which are too narrow for few runs.

    Returns:
        the band. Its limits are NaN where a stratum has a single run, which says nothing about spread.

    Raises:
        ValueError: no strata, an empty stratum, a score that is not finite, or an impossible confidence or number of
            resamples.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"need 0 < confidence < 1 and resamples >= 1, got {confidence} and {resamples}")
    estimate = np.asarray(pooled_estimate(strata, statistic))
    counts = [len(values) for values in strata]
    if min(counts) < 2:
        return Band(estimate, np.full_like(estimate, math.nan), np.full_like(estimate, math.nan))
    replicates = replicate(strata, statistic, resamples=resamples, rng=rng)
    tail = (1 - confidence) / 2 if method == "percentile" else expanded_tail(counts, confidence)
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return Band(estimate, np.asarray(low), np.asarray(high))


def bootstrap_interval(
    strata: Sequence[Floats],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    method: Method = "expanded",
    ends: Sequence[Ends] | None = None,
) -> Interval:
    """`bootstrap_band` of one number: strata are (n_s,) scores.

    Args:
        strata: one (n_s,) array of scores for each stratum (world).
        statistic: see `bootstrap_band`.
        rng: see `bootstrap_band`.
        resamples: see `bootstrap_band`.
        confidence: see `bootstrap_band`.
        method: see `bootstrap_band`.
        ends: the lowest and the highest score that a run may have, for each stratum. Then an interval has a width
            where all runs are equal, see `allow_unseen`.
    """
    band = bootstrap_band(strata, statistic, rng=rng, resamples=resamples, confidence=confidence, method=method)
    interval = Interval(float(band.estimate), float(band.low), float(band.high))
    if ends is None or not interval.known:
        return interval
    return allow_unseen(interval, [np.asarray(values) for values in strata], statistic, ends, confidence)


def expanded_tail(counts: Sequence[int], confidence: float = 0.95) -> float:
    """Phi(-sqrt(c) t): the tail at which percentiles of a bootstrap are as far out as Student's interval.

    t is Student's quantile at the nominal tail. c makes up for a resample varying less than a sample by (n - 1)/n: it
    is n/(n - 1) for one stratum. Hesterberg 2015, "What Teachers Should Know About the Bootstrap", arXiv:1411.5279.

    Args:
        counts: number of runs in each stratum, at least 2.
        confidence: nominal coverage.

    >>> [round(expanded_tail([n]), 4) for n in (5, 10, 20)]
    [0.001, 0.0086, 0.0159]
    """
    quantile = student_quantile((1 + confidence) / 2, sum(count - 1 for count in counts))
    narrow = sum(1 / count for count in counts) / sum((count - 1) / count**2 for count in counts)
    return NormalDist().cdf(-math.sqrt(narrow) * quantile)
