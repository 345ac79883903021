"""Comparisons of methods: probability of improvement, paired differences, sign flips, Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.bootstrap import Interval, bootstrap_interval, resample_runs
from potentia.study.statistics.estimates import Floats, mean

EXACT_PAIRS = 16  # 2^16 sign patterns are enumerated; beyond that they are sampled


@dataclass(frozen=True)
class PairedComparison:
    """A paired difference: its mean with interval, the number of pairs and a two-sided p-value."""

    difference: Interval
    pairs: int
    p_value: float
    exact: bool

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that so many pairs can give: 2 of the 2^n sign patterns."""
        return 2.0 ** (1 - self.pairs)


def probability_of_improvement(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """P(X > Y) + P(X = Y)/2 for a random run of each method, averaged over worlds.

    The Mann-Whitney statistic divided by the number of pairs (Agarwal et al. 2021, arXiv:2108.13264), with a
    percentile bootstrap that resamples the runs of both methods in each world.

    Args:
        first: one (n_w,) array of scores for each world.
        second: one (m_w,) array for each of the same worlds, in the same order.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage.

    Raises:
        ValueError: the two methods do not have the same worlds, or one has no runs.
    """
    xs = [np.asarray(x, dtype=np.float64) for x in first]
    ys = [np.asarray(y, dtype=np.float64) for y in second]
    if not xs or len(xs) != len(ys) or any(v.ndim != 1 or v.size == 0 for v in [*xs, *ys]):
        raise ValueError(
            "both methods need runs in the same worlds, got runs per world "
            f"{[x.size for x in xs]} and {[y.size for y in ys]}"
        )
    estimates: list[float] = []
    replicates: list[Floats] = []
    for x, y in zip(xs, ys, strict=True):
        wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        drawn_x, drawn_y = resample_runs([x.size, y.size], resamples, rng)
        weights_x, weights_y = _frequencies(drawn_x, x.size), _frequencies(drawn_y, y.size)
        estimates.append(float(wins.mean()))
        replicates.append(np.einsum("ri,ij,rj->r", weights_x, wins, weights_y, optimize=True))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.mean(replicates, axis=0), [tail, 1 - tail])
    return Interval(float(np.mean(estimates)), float(low), float(high))


def paired_difference(
    method: Sequence[ArrayLike],
    baseline: Sequence[ArrayLike],
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> PairedComparison:
    """Mean over pairs of d = x - y, where x and y are runs with the same seed in the same world.

    The interval is a stratified percentile bootstrap of the pairs; the p-value is that of
    `sign_flip_p_value`.

    Args:
        method: one (n_w,) array of scores for each world.
        baseline: one (n_w,) array for each world, entry i with the same seed as entry i of `method`.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage.
    """
    differences = [
        np.asarray(x, dtype=np.float64) - np.asarray(y, dtype=np.float64) for x, y in zip(method, baseline, strict=True)
    ]
    interval = bootstrap_interval(differences, mean, rng=rng, resamples=resamples, confidence=confidence)
    pooled = np.concatenate(differences)
    return PairedComparison(interval, pooled.size, sign_flip_p_value(pooled, rng=rng), pooled.size <= EXACT_PAIRS)


def sign_flip_p_value(
    differences: ArrayLike, *, rng: np.random.Generator | None = None, samples: int = 100_000
) -> float:
    """Two-sided p-value of |sum d|: the share of sign patterns whose sum is at least as large.

    Fisher's randomisation test for paired data: if the method made no difference, each d could as well
    have had the other sign. Exact (all 2^n patterns) up to 16 pairs, sampled beyond, where the p-value
    is (hits + 1)/(samples + 1).

    Raises:
        ValueError: no pairs, or more than 16 without a generator.
    """
    values = np.asarray(differences, dtype=np.float64).ravel()
    if values.size == 0:
        raise ValueError("no pairs: the test needs at least one difference, got none")
    # Sums that are equal in exact arithmetic must count as ties whatever order they were added in.
    limit = abs(values.sum()) - 1e-9 * np.abs(values).sum()
    if values.size <= EXACT_PAIRS:
        sums = np.zeros(1)
        for value in values:
            sums = np.concatenate([sums + value, sums - value])
        return float(np.mean(np.abs(sums) >= limit))
    if rng is None:
        raise ValueError(f"{values.size} pairs need sampled sign flips: pass rng=np.random.default_rng(seed)")
    signs = rng.integers(0, 2, size=(samples, values.size), dtype=np.int8) * 2 - 1
    hits = np.count_nonzero(np.abs(signs @ values) >= limit)
    return float((hits + 1) / (samples + 1))


def holm(p_values: ArrayLike) -> Floats:
    """Holm's step-down adjustment: max over j <= i of (m - j + 1) p_(j), capped at 1, in the order given.

    Controls the probability of any false rejection among the m tests (Holm 1979).
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if values.size else scaled
    return adjusted


def _frequencies(indices: np.ndarray[tuple[int, ...], np.dtype[np.int64]], count: int) -> Floats:
    """How often each run was drawn, as a fraction: (R, n) indices to (R, n) weights."""
    rows = np.arange(len(indices))[:, None] * count
    return np.bincount((indices + rows).ravel(), minlength=len(indices) * count).reshape(-1, count) / count
