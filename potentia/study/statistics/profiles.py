"""Performance profiles: the whole distribution of scores instead of one number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.estimates import finite
from potentia.study.statistics.intervals import Band
from potentia.study.statistics.shares import rate_band


def performance_profile(
    scores: Sequence[ArrayLike],
    thresholds: ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Band:
    """F(tau) = mean over worlds of the fraction of runs whose score exceeds tau, with a pointwise band.

    The run-score distribution of Agarwal et al. 2021, arXiv:2108.13264, with the exact band of a share (`rate_band`). A
    profile above another everywhere is stochastically better. Each world has equal weight, whatever its number of runs.

    Args:
        scores: one (n_w,) array of normalised scores for each world.
        thresholds: (K,) values of tau.
        rng: the source of randomness.
        resamples: see `rate_band`.
        confidence: nominal coverage of the band.

    Raises:
        ValueError: no runs in a world, or a score that is not finite.
    """
    taus = np.asarray(thresholds, dtype=np.float64)
    above = [(finite(values)[:, None] > taus).astype(np.float64) for values in scores]
    return rate_band(above, rng, resamples, confidence)
