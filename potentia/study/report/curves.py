"""Curves over training with bands from one resampling of whole runs, and performance profiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.results import Run
from potentia.study.statistics import Band, bootstrap_band, interquartile_mean, performance_profile
from potentia.study.statistics.estimates import Floats, Statistic


@dataclass(frozen=True)
class Curve:
    """One line of a figure: an estimate over x with its band, from `runs` runs."""

    method: Method
    x: Floats
    band: Band
    runs: int
    in_progress: bool = False


Series = Callable[[Run], tuple[Floats, Floats]]


def returns_over_training(run: Run) -> tuple[Floats, Floats]:
    """Steps and mean true return of each evaluation."""
    return run.evaluations.steps, run.evaluations.returns


def success_over_training(run: Run) -> tuple[Floats, Floats]:
    """Steps and success rate of each evaluation of a world that defines success."""
    known = np.isfinite(run.evaluations.success)
    return run.evaluations.steps[known], run.evaluations.success[known]


def learning_curves(
    cells: Cells, environment: str, series: Series, statistic: Statistic = interquartile_mean
) -> list[Curve]:
    """One curve a method; where no run is complete, those in progress as far as all of them have come."""
    curves = []
    for method in cells.methods:
        complete = cells.completed(environment, method)
        started = [run for run in cells.runs.get((environment, method), []) if run.state in {"running", "interrupted"}]
        chosen = [pair for run in complete or started if (pair := series(run))[0].size]
        x, values = on_common_steps(chosen)
        if x.size:
            rng = generator("curve", environment, method.label)
            band = bootstrap_band([values], statistic, rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)
            curves.append(Curve(method, x, band, len(chosen), in_progress=not complete))
    return curves


def on_common_steps(series: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Put series on the union of their steps within the range that all of them cover.

    Returns:
        (K,) steps and (n, K) values; between its own steps a series is interpolated linearly. Series
        with the same steps, as runs of one study have, are returned unchanged.
    """
    if not series:
        return np.zeros(0), np.zeros((0, 0))
    first, last = max(x[0] for x, _ in series), min(x[-1] for x, _ in series)
    union = np.unique(np.concatenate([x for x, _ in series]))
    steps = union[(union >= first) & (union <= last)]
    return steps, np.array([np.interp(steps, x, y) for x, y in series]).reshape(len(series), -1)


def profiles(cells: Cells, worlds: list[str]) -> list[Curve]:
    """Performance profiles over normalised worlds of the methods that have runs in all of them."""
    thresholds = np.linspace(0, 1, 101)
    curves = []
    for method in cells.methods:
        scores = [cells.anchors[e].normalised(cells.returns(e, method)) for e in worlds]
        if scores and all(values.size for values in scores):
            rng = generator("profile", method.label)
            band = performance_profile(scores, thresholds, rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)
            curves.append(Curve(method, thresholds, band, min(values.size for values in scores)))
    return curves
