"""The stratified bootstrap over whole runs, coherent over time.

The unit of replication is the run. One resampling draws runs with replacement within each stratum (world) and
is used for everything that is computed from those runs: every step of a learning curve and every
integral over it. Drawing each step anew would make the interval of an average over training far too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from potentia.study.statistics.estimates import Floats, Statistic

Method = Literal["percentile", "bca"]
_CHUNK = 4_000_000  # floats gathered at once: 32 MB keeps long curves within a small machine's memory


@dataclass(frozen=True)
class Interval:
    """A point estimate with its confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """A point estimate with its pointwise confidence interval, as arrays of one shape."""

    estimate: Floats
    low: Floats
    high: Floats


def resample_runs(
    counts: Sequence[int], resamples: int, rng: np.random.Generator
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Draw run indices with replacement, for each stratum on its own.

    Returns:
        one (resamples, n) array of indices below n for each n of `counts`.
    """
    return [rng.integers(0, count, size=(resamples, count)) for count in counts]


def replicate(strata: Sequence[Floats], statistic: Statistic, *, resamples: int, rng: np.random.Generator) -> Floats:
    """Evaluate a statistic of the pooled runs on resamples of whole runs.

    Args:
        strata: one (n_s, ...) array for each stratum; the first axis is the run, the others (for example
            time) are kept together, so a run is drawn with all of its history.
        statistic: reduces the axis it is given.
        resamples: number of resamples R.
        rng: the source of randomness; the same state gives the same replicates.

    Returns:
        (R, ...) replicates.
    """
    arrays = _checked(strata)
    indices = resample_runs([len(values) for values in arrays], resamples, rng)
    pooled = sum(values.size for values in arrays)
    chunk = max(1, _CHUNK // pooled)
    parts = [
        statistic(
            np.concatenate([v[i[start : start + chunk]] for v, i in zip(arrays, indices, strict=True)], axis=1),
            1,
        )
        for start in range(0, resamples, chunk)
    ]
    return np.concatenate(parts, axis=0)


def bootstrap_band(
    strata: Sequence[Floats],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    method: Method = "percentile",
) -> Band:
    """Stratified bootstrap interval of a statistic of whole runs, for each element of its result.

    Percentile intervals by default; "bca" corrects bias and skewness with a jackknife over runs
    (Efron 1987, "Better Bootstrap Confidence Intervals").

    Args:
        strata: one (n_s, ...) array of runs for each stratum (world).
        statistic: reduces the axis it is given.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage in (0, 1).
        method: "percentile" or "bca".

    Raises:
        ValueError: no strata, an empty stratum, or an impossible confidence or number of resamples.
    """
    if not 0 < confidence < 1 or resamples < 1:
        raise ValueError(f"need 0 < confidence < 1 and resamples >= 1, got {confidence} and {resamples}")
    arrays = _checked(strata)
    estimate = statistic(np.concatenate(arrays, axis=0), 0)
    replicates = replicate(arrays, statistic, resamples=resamples, rng=rng)
    tail = (1 - confidence) / 2
    if method == "percentile":
        low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    else:
        low, high = _bca(arrays, statistic, estimate, replicates, tail)
    return Band(np.asarray(estimate), np.asarray(low), np.asarray(high))


def bootstrap_interval(
    strata: Sequence[Floats],
    statistic: Statistic,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    method: Method = "percentile",
) -> Interval:
    """`bootstrap_band` of one number: strata are (n_s,) scores."""
    band = bootstrap_band(strata, statistic, rng=rng, resamples=resamples, confidence=confidence, method=method)
    return Interval(float(band.estimate), float(band.low), float(band.high))


def _checked(strata: Sequence[Floats]) -> list[Floats]:
    arrays = [np.asarray(values, dtype=np.float64) for values in strata]
    if not arrays or any(values.ndim == 0 or len(values) == 0 for values in arrays):
        raise ValueError(f"every stratum needs at least one run, got shapes {[values.shape for values in arrays]}")
    return arrays


def _bca(
    strata: list[Floats], statistic: Statistic, estimate: Floats, replicates: Floats, tail: float
) -> tuple[Floats, Floats]:
    """Bias-corrected accelerated limits, elementwise; where nothing varies, the estimate itself."""
    below = np.mean(replicates < estimate, axis=0) + 0.5 * np.mean(replicates == estimate, axis=0)
    edge = 1 / (2 * len(replicates))
    bias = _quantile_of_normal(np.clip(below, edge, 1 - edge))
    acceleration = _acceleration(strata, statistic)
    limits = []
    for level in (tail, 1 - tail):
        shifted = bias + NormalDist().inv_cdf(level)
        adjusted = bias + shifted / (1 - acceleration * shifted)
        limits.append(_quantile_at(replicates, _normal_cdf(adjusted)))
    return limits[0], limits[1]


def _acceleration(strata: list[Floats], statistic: Statistic) -> Floats:
    """Skewness of the influence of single runs, each stratum weighted by its own size."""
    cubes: list[Floats] = []
    squares: list[Floats] = []
    for index, values in enumerate(strata):
        count = len(values)
        if count < 2:
            continue
        left_out = []
        for run in range(count):
            kept = [*strata[:index], np.delete(values, run, axis=0), *strata[index + 1 :]]
            left_out.append(statistic(np.concatenate(kept, axis=0), 0))
        jackknife = np.stack(left_out)
        influence = (count - 1) * (jackknife.mean(axis=0) - jackknife) / count
        cubes.append(np.sum(influence**3, axis=0))
        squares.append(np.sum(influence**2, axis=0))
    if not squares:
        return np.zeros(())
    spread = np.sum(squares, axis=0) ** 1.5
    return np.asarray(np.where(spread > 0, np.sum(cubes, axis=0) / np.where(spread > 0, 6 * spread, 1.0), 0.0))


def _quantile_at(replicates: Floats, levels: Floats) -> Floats:
    """The quantile of each column at its own level."""
    flat = replicates.reshape(len(replicates), -1)
    wanted = np.broadcast_to(levels, replicates.shape[1:]).reshape(-1)
    found = [np.quantile(flat[:, k], wanted[k]) for k in range(flat.shape[1])]
    return np.asarray(found).reshape(replicates.shape[1:])


def _quantile_of_normal(levels: Floats) -> Floats:
    return np.asarray(np.vectorize(NormalDist().inv_cdf, otypes=[float])(levels))


def _normal_cdf(values: Floats) -> Floats:
    return np.asarray(np.vectorize(NormalDist().cdf, otypes=[float])(values))
