"""Point estimates of a set of runs: interquartile mean, optimality gap, average over training.

Every estimate reduces one axis of an array of scores and is vectorised over all others, so that a bootstrap
can evaluate it on thousands of resamples at once. Weights give each world the same say, whatever its number of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, int, Floats | None], Floats]
"""``statistic(scores, axis, weights)``: ``weights`` is (n,) along the axis and sums to 1, or None for equal ones."""

_ULPS = 1e-9  # a sum of weights that is a half in exact arithmetic may miss it by some rounding


def mean(scores: Floats, axis: int = -1, weights: Floats | None = None) -> Floats:
    """sum_i w_i x_i: the average score of the runs along `axis`.

    >>> float(mean(np.array([1.0, 2.0, 6.0])))
    3.0
    """
    return np.asarray(np.average(_runs(scores, axis), axis=axis, weights=weights), dtype=np.float64)


def median(scores: Floats, axis: int = -1, weights: Floats | None = None) -> Floats:
    """The score with half of the weight on either side (the mean of the two middle ones where two have it).

    >>> float(median(np.array([1.0, 9.0, 2.0, 4.0])))
    3.0
    """
    if weights is None:
        return np.asarray(np.median(_runs(scores, axis), axis=axis), dtype=np.float64)
    ordered, shares = _ordered(scores, axis, weights)
    upto = np.cumsum(shares, axis=axis)
    middle = (upto >= 0.5 - _ULPS) & (upto - shares <= 0.5 + _ULPS)
    return np.asarray((ordered * middle).sum(axis=axis) / middle.sum(axis=axis), dtype=np.float64)


def interquartile_mean(scores: Floats, axis: int = -1, weights: Floats | None = None) -> Floats:
    """Mean of the middle half: drop the floor(n/4) lowest and highest scores each, average the rest.

    Less sensitive to outliers than the mean and statistically more efficient than the median
    (Agarwal et al. 2021, arXiv:2108.13264). Under four runs nothing is dropped and it equals the mean.

    Args:
        scores: any array of scores.
        axis: the axis of the runs, which is reduced.
        weights: (n,) along that axis, summing to 1. Then exactly a quarter of the weight is left out at each end,
            parts of runs included, so that runs lost in one world move nothing by rounding.

    Raises:
        ValueError: the axis holds no run, or a score is not finite.

    >>> float(interquartile_mean(np.array([1000.0, 1, 2, 3, 4, 5, 6, -1000])))
    3.5
    """
    if weights is None:
        ordered = np.sort(_runs(scores, axis), axis=axis)
        count = ordered.shape[axis]
        dropped = count // 4
        middle = np.take(ordered, range(dropped, count - dropped), axis=axis)
        return np.asarray(np.mean(middle, axis=axis), dtype=np.float64)
    ordered, shares = _ordered(scores, axis, weights)
    upto = np.cumsum(shares, axis=axis)
    kept = np.clip(upto, 0.25, 0.75) - np.clip(upto - shares, 0.25, 0.75)
    return np.asarray((ordered * kept).sum(axis=axis) / kept.sum(axis=axis), dtype=np.float64)


def optimality_gap(scores: Floats, axis: int = -1, weights: Floats | None = None, target: float = 1.0) -> Floats:
    """Mean of max(target - x_i, 0): how far runs fall short of the target, with no credit for exceeding it.

    Source: Agarwal et al. 2021, arXiv:2108.13264. Meaningful for normalised scores, where 1 is the optimum.

    >>> float(optimality_gap(np.array([0.5, 1.0, 1.5, 0.0])))
    0.375
    """
    return mean(np.maximum(target - _runs(scores, axis), 0.0), axis, weights)


def equal_weights(counts: Sequence[int]) -> Floats | None:
    """(sum n_w,) weights 1 / (W n_w): all W worlds weigh the same, and so do the runs in each. None for one world.

    >>> equal_weights([1, 2]).tolist()
    [0.5, 0.25, 0.25]
    """
    if len(counts) == 1:
        return None
    return np.concatenate([np.full(count, 1 / (len(counts) * count)) for count in counts])


def normalise(scores: ArrayLike, random: float, optimal: float) -> Floats:
    """(x - random) / (optimal - random): 0 is the random policy, 1 is the optimum.

    The anchors belong to the world, never to the data: normalising by the best score that was observed would
    move every score whenever a method is added.

    Raises:
        ValueError: the anchors are not finite or the optimum does not exceed the random policy.

    >>> normalise([2, 4, 10], random=2, optimal=10).tolist()
    [0.0, 0.25, 1.0]
    """
    if not (np.isfinite(random) and np.isfinite(optimal) and optimal > random):
        raise ValueError(
            f"anchors must be finite with optimal > random, got random={random}, optimal={optimal}: "
            "leave the scores unnormalised where a world has no known optimum"
        )
    return (np.asarray(scores, dtype=np.float64) - random) / (optimal - random)


def average_over_training(steps: ArrayLike, curves: ArrayLike) -> Floats:
    """Area under each curve divided by its length (trapezoid rule): the score averaged over training.

    Args:
        steps: (K,) increasing environment steps at which the score was evaluated.
        curves: (..., K) scores.

    Returns:
        (...,) averages, in the unit of the score. One evaluation is its own average.
    """
    times = np.asarray(steps, dtype=np.float64)
    values = np.asarray(curves, dtype=np.float64)
    if times.ndim != 1 or times.size == 0 or values.shape[-1:] != times.shape:
        raise ValueError(f"curves must end in the axis of the steps {times.shape}, got {values.shape}")
    if np.any(np.diff(times) <= 0):
        raise ValueError(f"steps must increase strictly, got {times.tolist()}")
    if times.size == 1:
        return np.asarray(values[..., 0])
    return np.asarray(np.trapezoid(values, times, axis=-1) / (times[-1] - times[0]))


def finite(scores: ArrayLike, what: str = "scores") -> Floats:
    """The scores as an array of floats.

    Raises:
        ValueError: one of them is NaN or infinite. A run without a score is left out, never counted as one.
    """
    values = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise ValueError(
            f"{what} must be finite, got {bad} of {values.size} that are NaN or infinite: leave out what has no number"
        )
    return values


def _runs(scores: Floats, axis: int) -> Floats:
    values = finite(scores)
    if values.shape[axis] == 0:
        raise ValueError("no runs: an estimate needs at least one score, got none")
    return values


def _ordered(scores: Floats, axis: int, weights: Floats) -> tuple[Floats, Floats]:
    """Scores in ascending order along the axis, each with its weight."""
    values = _runs(scores, axis)
    order = np.argsort(values, axis=axis, kind="stable")
    shape = [1] * values.ndim
    shape[axis] = -1
    shares = np.broadcast_to(np.reshape(weights, shape), values.shape)
    return np.take_along_axis(values, order, axis), np.take_along_axis(shares, order, axis)
