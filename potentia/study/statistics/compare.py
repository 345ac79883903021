"""Comparisons of methods: probability of improvement, paired differences, sign flips, Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from potentia.study.statistics.estimates import Floats, finite
from potentia.study.statistics.intervals import Ends, Interval, average_intervals
from potentia.study.statistics.means import mean_interval
from potentia.study.statistics.shares import wilson

EXACT_PAIRS = 16  # 2^16 sign patterns are enumerated. Beyond that they are sampled.
FEWEST_PAIRS = 5
"""Pairs below which no difference is claimed: four could give no p-value below 1/8, whatever the scores."""


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

    @property
    def direction(self) -> int:
        """1 if the whole interval lies above 0, -1 if below, else 0. It is always 0 with fewer than five pairs."""
        if self.pairs < FEWEST_PAIRS:
            return 0
        return int(self.difference.low > 0) - int(self.difference.high < 0)


def probability_of_improvement(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], *, confidence: float = 0.95
) -> Interval:
    """P(X > Y) + P(X = Y)/2 for a random run of each method, averaged over worlds.

    The Mann-Whitney statistic divided by the number of pairs (Agarwal et al. 2021, arXiv:2108.13264). Its variance is
    at most p(1 - p)/min(n, m), whatever the two distributions (Birnbaum and Klose 1957), that of a share of min(n, m)
    coins: so Wilson's interval for such a share covers it, and has a width also where all runs of a method win. Over
    worlds intervals are averaged by `average_intervals`.

    Args:
        first: one (n_w,) array of scores for each world.
        second: one (m_w,) array for each of the same worlds, in the same order.
        confidence: nominal coverage.

    Raises:
        ValueError: the two methods do not have the same worlds, one has no runs, or a score is not finite.

    >>> certain = probability_of_improvement([[5, 6, 7, 8, 9]], [[0, 1, 2, 3, 4]])
    >>> certain.estimate, round(certain.low, 3), certain.high  # 1 / (1 + 1.96^2 / 5)
    (1.0, 0.566, 1.0)
    """
    xs = [finite(x) for x in first]
    ys = [finite(y) for y in second]
    if not xs or len(xs) != len(ys) or any(v.ndim != 1 or v.size == 0 for v in [*xs, *ys]):
        raise ValueError(
            "both methods need runs in the same worlds, got runs per world "
            f"{[x.size for x in xs]} and {[y.size for y in ys]}"
        )
    found = []
    for x, y in zip(xs, ys, strict=True):
        wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        trials = min(x.size, y.size)
        found.append(wilson(float(wins.mean()) * trials, trials, confidence))
    return average_intervals(found)


def paired_difference(
    method: Sequence[ArrayLike],
    baseline: Sequence[ArrayLike],
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
    ends: Sequence[Ends] | None = None,
) -> PairedComparison:
    """Mean over worlds of the mean of d = x - y, where x and y are runs with the same seed in the same world.

    The interval is `mean_interval` of the differences. The p-value is that of `sign_flip_p_value`. Each world weighs
    the same in both, whatever its number of pairs.

    Args:
        method: one (n_w,) array of scores for each world.
        baseline: one (n_w,) array for each world, entry i with the same seed as entry i of `method`.
        rng: the source of randomness.
        resamples: number of resamples.
        confidence: nominal coverage.
        ends: the lowest and the highest *score* of each world, so that equal differences have an interval, too.

    Raises:
        ValueError: no pairs, or a score that is not finite.
    """
    differences = [finite(x) - finite(y) for x, y in zip(method, baseline, strict=True)]
    reach = None if ends is None else [(low - high, high - low) for low, high in ends]
    interval = mean_interval(differences, rng=rng, resamples=resamples, confidence=confidence, ends=reach)
    weighed = np.concatenate([values / values.size for values in differences])
    return PairedComparison(interval, weighed.size, sign_flip_p_value(weighed, rng=rng), weighed.size <= EXACT_PAIRS)


def sign_flip_p_value(
    differences: ArrayLike, *, rng: np.random.Generator | None = None, samples: int = 100_000
) -> float:
    """Two-sided p-value of |sum d|: the share of sign patterns whose sum is at least as large.

    Fisher's randomisation test for paired data: if the method made no difference, each d could as well
    have had the other sign. Exact (all 2^n patterns) up to 16 pairs, sampled beyond, where the p-value
    is (hits + 1)/(samples + 1).

    Raises:
        ValueError: no pairs, a difference that is not finite, or more than 16 pairs without a generator.

    >>> sign_flip_p_value([1, 2, 3])  # 2 of 8 patterns: all plus, all minus
    0.25
    """
    values = finite(differences, "differences").ravel()
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

    Raises:
        ValueError: a p-value outside [0, 1].

    >>> holm([0.04, 0.01, 0.03]).tolist()
    [0.06, 0.03, 0.06]
    """
    values = finite(p_values, "p-values")
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"p-values must be in [0, 1], got {values.tolist()}")
    order = np.argsort(values, kind="stable")
    scaled = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if values.size else scaled
    return adjusted
