"""Steps to a threshold, when some runs never reach it: survival analysis with right censoring."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from potentia.study.statistics.bootstrap import expanded_tail, resample_runs
from potentia.study.statistics.estimates import Floats
from potentia.study.statistics.intervals import Interval

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class StepsToThreshold:
    """How long runs take to reach a threshold.

    Attributes:
        median: Kaplan-Meier median in steps with its interval. It is infinite if half of the runs never get there.
        restricted_mean: mean of min(steps, horizon) with its interval.
        horizon: the horizon of the restricted mean, in steps.
        reached: number of runs that reached the threshold.
        runs: number of runs.
    """

    median: Interval
    restricted_mean: Interval
    horizon: float
    reached: int
    runs: int


def first_crossing(steps: ArrayLike, scores: ArrayLike, threshold: float) -> tuple[float, bool]:
    """The first evaluated step with score >= threshold and True. Else it is the last evaluated step and False.

    A run that stopped early (failed, timed out, is still running) is censored where it was last seen,
    which uses what is known about it without inventing an outcome.
    """
    times = np.asarray(steps, dtype=np.float64)
    hits = np.flatnonzero(np.asarray(scores, dtype=np.float64) >= threshold)
    if times.size == 0:
        raise ValueError("a run without evaluations has no steps to threshold: leave it out")
    return (float(times[hits[0]]), True) if hits.size else (float(times[-1]), False)


def kaplan_meier(times: ArrayLike, reached: ArrayLike, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """S(t) = prod over event times u <= t of (1 - d_u / n_u): the share of runs that are not there yet.

    d_u runs reach the threshold at u, n_u runs are known not to have reached it before u (Kaplan and
    Meier 1958).

    Args:
        times: (n,) steps of the event or of the censoring.
        reached: (n,) True for an event, False for censoring.
        weights: (R, n) weight of each run in each resample. None counts each run once.

    Returns:
        (K,) distinct event times and S just after each: (K,), or (R, K) with weights.
    """
    when, event = np.asarray(times, dtype=np.float64), np.asarray(reached, dtype=np.bool_)
    moments = np.unique(when[event])
    counted = np.ones((1, when.size)) if weights is None else weights
    events = counted @ (event[:, None] & (when[:, None] == moments)).astype(np.float64)
    at_risk = counted @ (when[:, None] >= moments).astype(np.float64)
    # A resample may hold no run at risk late on. Its curve then stays where it was.
    survival = np.cumprod(1 - events / np.where(at_risk > 0, at_risk, 1.0), axis=-1)
    return moments, survival[0] if weights is None else survival


def steps_to_threshold(
    times: ArrayLike,
    reached: ArrayLike,
    *,
    horizon: float,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> StepsToThreshold:
    """Kaplan-Meier median and restricted mean of the steps to a threshold, with intervals over runs.

    The median's interval is of expanded percentiles of the bootstrap over runs (`expanded_tail`). The restricted mean
    is bounded, and a single run that never gets there moves it far, so it has the interval of a rate (`rate_band`):
    runs have weights that are uniform on the simplex, with one run more that arrives at once, or never.

    Args:
        times: (n,) steps at which each run reached the threshold or was last seen (`first_crossing`).
        reached: (n,) whether it reached it.
        horizon: the restricted mean is of min(steps, horizon). Take the same for all methods of a world.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage.

    Returns:
        the estimates. The limits of the median are NaN for a single run.

    Raises:
        ValueError: no runs, or a step or horizon that is not finite.
    """
    when, event = np.asarray(times, dtype=np.float64), np.asarray(reached, dtype=np.bool_)
    if when.ndim != 1 or when.size == 0 or when.shape != event.shape:
        raise ValueError(f"times and reached must be equal (n,) with n >= 1, got {when.shape}, {event.shape}")
    if not (np.isfinite(when).all() and math.isfinite(horizon)):
        raise ValueError(f"times and the horizon must be finite, got {when.tolist()} and {horizon}")
    (median,), (restricted,) = _summaries(when, event, horizon, np.ones((1, when.size)))
    return StepsToThreshold(
        median=Interval(float(median), *_median_limits(when, event, rng, resamples, confidence)),
        restricted_mean=Interval(float(restricted), *_mean_limits(when, event, horizon, rng, resamples, confidence)),
        horizon=horizon,
        reached=int(event.sum()),
        runs=when.size,
    )


def _median_limits(
    when: Floats, event: Bools, rng: np.random.Generator, resamples: int, confidence: float
) -> tuple[float, float]:
    if when.size < 2:
        return math.nan, math.nan
    (drawn,) = resample_runs([when.size], resamples, rng)
    counts = np.stack([np.count_nonzero(drawn == run, axis=1) for run in range(when.size)], axis=1)
    medians, _ = _summaries(when, event, float(when.max()), counts.astype(np.float64))
    tail = expanded_tail([when.size], confidence)
    # Order statistics, not interpolation: between a number and infinity there is nothing.
    low, high = np.quantile(medians, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)


def _mean_limits(
    when: Floats, event: Bools, horizon: float, rng: np.random.Generator, resamples: int, confidence: float
) -> tuple[float, float]:
    gaps = rng.exponential(size=(resamples, when.size + 1))
    weights = gaps / gaps.sum(axis=1, keepdims=True)
    _, early = _summaries(np.append(when, 0.0), np.append(event, True), horizon, weights)
    never = max(horizon, float(when.max()))
    _, late = _summaries(np.append(when, never), np.append(event, False), horizon, weights)
    tail = (1 - confidence) / 2
    return float(np.quantile(early, tail)), float(np.quantile(late, 1 - tail))


def _summaries(when: Floats, event: Bools, horizon: float, weights: Floats) -> tuple[Floats, Floats]:
    """Median and restricted mean for each row of weights."""
    moments, survival = kaplan_meier(when, event, weights)
    rows = len(weights)
    below = survival <= 0.5 + 1e-12  # a product of fractions that is 1/2 may be off by an ulp
    medians = np.full(rows, math.inf)
    if moments.size:
        medians = np.where(below.any(axis=1), moments[np.argmax(below, axis=1)], math.inf)
    edges = np.concatenate([[0.0], np.minimum(moments, horizon), [horizon]])
    heights = np.concatenate([np.ones((rows, 1)), survival], axis=1)
    return medians, heights @ np.diff(edges)
