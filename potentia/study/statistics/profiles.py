"""Performance profiles: the whole distribution of scores instead of one number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.bootstrap import Band, resample_runs
from potentia.study.statistics.estimates import Floats


def performance_profile(
    scores: Sequence[ArrayLike],
    thresholds: ArrayLike,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Band:
    """F(tau) = mean over worlds of the fraction of runs whose score exceeds tau, with a pointwise band.

    The run-score distribution of Agarwal et al. 2021, arXiv:2108.13264. A profile above another everywhere is
    stochastically better. Each world has equal weight, whatever its number of runs.

    Args:
        scores: one (n_w,) array of normalised scores for each world.
        thresholds: (K,) values of tau.
        rng: the source of randomness.
        resamples: number of resamples of whole runs within worlds.
        confidence: nominal coverage of the band.
    """
    worlds = [np.asarray(values, dtype=np.float64) for values in scores]
    if not worlds or any(values.size == 0 for values in worlds):
        raise ValueError(f"every world needs runs, got runs per world {[values.size for values in worlds]}")
    taus = np.asarray(thresholds, dtype=np.float64)
    above: list[Floats] = [(values[:, None] > taus).astype(np.float64) for values in worlds]
    drawn = resample_runs([values.size for values in worlds], resamples, rng)
    replicates = np.mean([a[i].mean(axis=1) for a, i in zip(above, drawn, strict=True)], axis=0)
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return Band(np.mean([a.mean(axis=0) for a in above], axis=0), low, high)
