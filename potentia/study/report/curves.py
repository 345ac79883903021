"""Curves over training with bands from one resampling of whole runs, and performance profiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.results import Run
from potentia.study.statistics import (
    Band,
    bootstrap_band,
    interquartile_mean,
    mean_band,
    performance_profile,
    rate_band,
)
from potentia.study.statistics.estimates import Floats

_POINTS = 200
"""Of a curve of coverage, which is logged after each batch of policies, maybe thousands of times."""


@dataclass(frozen=True)
class Curve:
    """One line of a figure: an estimate over x with its band, from `runs` runs. It has no world where it is of all."""

    environment: str | None
    method: Method
    x: Floats
    band: Band
    runs: int
    in_progress: bool = False


def return_curves(cells: Cells, environment: str) -> list[Curve]:
    """Interquartile mean of the true return of each method's evaluations."""

    def series(run: Run) -> tuple[Floats, Floats]:
        return run.evaluations.steps, run.evaluations.returns

    def band(values: Floats, rng: np.random.Generator) -> Band:
        return bootstrap_band([values], interquartile_mean, rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)

    return _curves(cells, environment, series, band)


def success_curves(cells: Cells, environment: str) -> list[Curve]:
    """Mean success rate of each method's evaluations. There is none where the world doesn't say what a success is."""

    def series(run: Run) -> tuple[Floats, Floats]:
        known = np.isfinite(run.evaluations.success)
        return run.evaluations.steps[known], run.evaluations.success[known]

    def band(values: Floats, rng: np.random.Generator) -> Band:
        return rate_band([values], rng, RESAMPLES, CONFIDENCE)

    return _curves(cells, environment, series, band)


def coverage_curves(cells: Cells, environment: str) -> list[Curve]:
    """Mean coverage of each method's searches. There is none of other learners."""

    def series(run: Run) -> tuple[Floats, Floats]:
        if run.search is None:
            return np.zeros(0), np.zeros(0)
        known = np.flatnonzero(np.isfinite(run.search.coverage))
        few = known[np.linspace(0, len(known) - 1, min(len(known), _POINTS)).round().astype(int)]
        return run.search.evaluations[few], run.search.coverage[few]

    def band(values: Floats, rng: np.random.Generator) -> Band:
        return mean_band([values], rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)

    return _curves(cells, environment, series, band)


def _curves(
    cells: Cells,
    environment: str,
    series: Callable[[Run], tuple[Floats, Floats]],
    band: Callable[[Floats, np.random.Generator], Band],
) -> list[Curve]:
    """One curve a method. Where no run is complete, those in progress are used as far as all of them have come."""
    curves = []
    for method in cells.methods:
        complete = cells.completed(environment, method)
        started = [run for run in cells.runs.get((environment, method), []) if run.state in {"running", "interrupted"}]
        logged = [pair for run in complete or started if (pair := series(run))[0].size]
        x, values = on_common_steps(logged)
        if x.size:
            found = band(values, generator("curve", environment, method.label))
            curves.append(Curve(environment, method, x, found, len(logged), in_progress=not complete))
    return curves


def on_common_steps(series: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    """Put series on the union of their steps within the range that all of them cover.

    Returns:
        (K,) steps and (n, K) values. Between its own steps a series is interpolated linearly. Series
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
            band = performance_profile(
                scores, thresholds, rng=generator("profile", method.label), confidence=CONFIDENCE
            )
            environment = worlds[0] if len(worlds) == 1 else None
            curves.append(Curve(environment, method, thresholds, band, min(values.size for values in scores)))
    return curves
