"""Intervals of shares and rates, which hold at 0 and 1, where a bootstrap degenerates to a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.estimates import Floats
from potentia.study.statistics.intervals import Band, Interval, checked_strata


def rate_interval(
    strata: Sequence[ArrayLike], *, rng: np.random.Generator, resamples: int = 10_000, confidence: float = 0.95
) -> Interval:
    """`rate_band` of one number: strata are (n_w,) rates, such as the success rate of each run.

    >>> five = rate_interval([[1.0, 1.0, 1.0, 1.0, 1.0]], rng=np.random.default_rng(0))
    >>> five.estimate, round(five.low, 1), five.high  # 0.025^(1/5) = 0.478
    (1.0, 0.5, 1.0)
    """
    band = rate_band([np.asarray(values, dtype=np.float64) for values in strata], rng, resamples, confidence)
    return Interval(float(band.estimate), float(band.low), float(band.high))


def rate_band(
    strata: Sequence[Floats], rng: np.random.Generator, resamples: int = 10_000, confidence: float = 0.95
) -> Band:
    """Quantiles of sum_i D_i x_(i) with D uniform on the simplex and one run more, at 0 below and at 1 above.

    The bound of Gaffke (2005) for the mean of scores in [0, 1] whatever their distribution. See Phan, Thomas and
    Learned-Miller 2021, arXiv:2106.03163. For zeros and ones it is the exact interval of Clopper and Pearson.
    Rates that vary less than coins get a narrower one. The run is the unit: its episodes share one policy.

    Args:
        strata: one (n_w, ...) array of rates for each world. Worlds weigh the same.
        rng: the source of randomness.
        resamples: draws of D.
        confidence: nominal coverage.

    Raises:
        ValueError: no runs, or a rate outside [0, 1].
    """
    arrays = checked_strata(strata, "rates")
    if any(values.min() < 0 or values.max() > 1 for values in arrays):
        raise ValueError(f"rates must be in [0, 1], got {[(v.min(), v.max()) for v in arrays]} as least and greatest")
    estimate = np.mean([values.mean(axis=0) for values in arrays], axis=0)
    lower: list[Floats] = []
    upper: list[Floats] = []
    for values in arrays:
        ordered = np.sort(values, axis=0)
        gaps = rng.exponential(size=(resamples, len(values) + 1))
        draws = gaps / gaps.sum(axis=1, keepdims=True)
        lower.append(np.tensordot(draws[:, 1:], ordered, axes=(1, 0)))
        upper.append(np.tensordot(draws[:, :-1], ordered, axes=(1, 0)) + _column(draws[:, -1], values.ndim))
    tail = (1 - confidence) / 2
    low = np.quantile(np.mean(lower, axis=0), tail, axis=0)
    high = np.quantile(np.mean(upper, axis=0), 1 - tail, axis=0)
    # Weights add up to 1 only up to rounding.
    return Band(estimate, np.clip(low, 0, estimate), np.clip(high, estimate, 1))


def wilson(successes: float, trials: int, confidence: float = 0.95) -> Interval:
    """(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n): Wilson's score interval (Wilson 1927).

    Args:
        successes: number of successes, from 0 to `trials`. The number may be fractional.
        trials: number of independent trials, at least 1.
        confidence: nominal coverage in (0, 1).

    Raises:
        ValueError: no trials, or successes outside [0, trials].
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"need 0 <= successes <= trials and trials >= 1, got {successes} of {trials}")
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    rate = successes / trials
    centre = rate + z2 / (2 * trials)
    half = math.sqrt(z2 * (rate * (1 - rate) / trials + z2 / (4 * trials**2)))
    scale = 1 + z2 / trials
    # In exact arithmetic 0 <= low <= rate <= high <= 1. Rounding may miss that by an ulp.
    low = min(max((centre - half) / scale, 0.0), rate)
    high = max(min((centre + half) / scale, 1.0), rate)
    return Interval(rate, low, high)


def _column(values: Floats, dimensions: int) -> Floats:
    return values.reshape(-1, *[1] * (dimensions - 1))
