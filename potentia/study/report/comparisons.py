"""Comparisons with the unshaped baseline and between methods, and steps to thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.results.files import mapping, number
from potentia.study.statistics import (
    Interval,
    PairedComparison,
    StepsToThreshold,
    first_crossing,
    holm,
    paired_difference,
    probability_of_improvement,
    steps_to_threshold,
)
from potentia.study.statistics.estimates import Floats

LEVELS = (0.5, 0.9)


@dataclass(frozen=True)
class PairedRow:
    """Paired difference of a method against its baseline. The `environment` is None over all worlds."""

    environment: str | None
    method: Method
    baseline: Method
    comparison: PairedComparison
    adjusted_p: float


@dataclass(frozen=True)
class ThresholdRow:
    """Steps to a level of the way from the low to the high anchor, or (None) to the study's own threshold."""

    environment: str
    method: Method
    level: float | None
    threshold: float
    steps: StepsToThreshold


def paired_rows(cells: Cells) -> list[PairedRow]:
    """Differences in each world on the true return and, over all worlds, on the normalised score."""
    groups: list[tuple[str | None, list[str]]] = [(e, [e]) for e in cells.environments]
    if len(cells.comparable()) > 1:
        groups.insert(0, (None, cells.comparable()))
    rows: list[PairedRow] = []
    for title, worlds in groups:
        found = [row for method in cells.methods if (row := _paired(cells, method, title, worlds)) is not None]
        adjusted = holm([comparison.p_value for _, _, comparison in found])
        rows += [PairedRow(title, m, b, c, float(p)) for (m, b, c), p in zip(found, adjusted, strict=True)]
    return rows


def _paired(
    cells: Cells, method: Method, title: str | None, worlds: list[str]
) -> tuple[Method, Method, PairedComparison] | None:
    baseline = cells.baseline_of(method)
    if baseline is None or baseline == method:
        return None
    ours, theirs, ends = [], [], []
    for environment in worlds:
        own = {run.seed: run.final_return for run in cells.completed(environment, method)}
        base = {run.seed: run.final_return for run in cells.completed(environment, baseline)}
        seeds = sorted(own.keys() & base.keys())
        if not seeds:
            return None
        pair = np.array([[own[s] for s in seeds], [base[s] for s in seeds]])
        if title is None:
            pair = cells.anchors[environment].normalised(pair)
        ours.append(pair[0])
        theirs.append(pair[1])
        ends.append(cells.ends(environment, normalised=title is None))
    rng = generator("paired", title or "", method.label)
    comparison = paired_difference(ours, theirs, rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE, ends=ends)
    return method, baseline, comparison


def improvement(cells: Cells, first: Method, second: Method) -> Interval | None:
    """P(first > second) over all worlds where both have completed runs. It is None where there is no such world."""
    worlds = [e for e in cells.environments if cells.completed(e, first) and cells.completed(e, second)]
    if not worlds or first == second:
        return None
    return probability_of_improvement(
        [cells.returns(e, first) for e in worlds], [cells.returns(e, second) for e in worlds], confidence=CONFIDENCE
    )


def threshold_rows(cells: Cells) -> list[ThresholdRow]:
    """Steps to each level for each cell that has evaluations. Unfinished runs count as censored."""
    rows = []
    for environment in cells.environments:
        low, high = scale_of(cells, environment)
        if not (math.isfinite(low) and math.isfinite(high) and high > low):
            continue
        for level, threshold in _thresholds(cells, environment, low, high):
            cell = {m: _crossings(cells, environment, m, threshold) for m in cells.methods}
            cell = {m: crossings for m, crossings in cell.items() if crossings}
            # The horizon up to which every method was followed: restricted means are then comparable.
            horizon = min((max(_last(cells, environment, m)) for m in cell), default=0.0)
            for method, crossings in cell.items():
                steps = steps_to_threshold(
                    [when for when, _ in crossings],
                    [reached for _, reached in crossings],
                    horizon=horizon,
                    rng=generator("threshold", environment, method.label),
                    resamples=RESAMPLES,
                    confidence=CONFIDENCE,
                )
                rows.append(ThresholdRow(environment, method, level, threshold, steps))
    return rows


def scale_of(cells: Cells, environment: str) -> tuple[float, float]:
    """The returns between which levels are placed: the anchors, or else what the study itself saw.

    Without an anchor, the low end is the mean first evaluation of all runs and the high end is the mean
    final return of the best method.
    """
    anchors = cells.anchors[environment]
    firsts = [
        run.evaluations.returns[0]
        for method in cells.methods
        for run in cells.runs.get((environment, method), [])
        if run.evaluations.returns.size
    ]
    finals: list[Floats] = [cells.returns(environment, m) for m in cells.methods]
    best = max((float(values.mean()) for values in finals if values.size), default=math.nan)
    low = anchors.random if math.isfinite(anchors.random) else float(np.mean(firsts)) if firsts else math.nan
    return low, anchors.optimal if math.isfinite(anchors.optimal) else best


def _thresholds(cells: Cells, environment: str, low: float, high: float) -> list[tuple[float | None, float]]:
    own = {
        number(mapping(run.config, "environment").get("threshold"))
        for run in cells.study.runs
        if run.environment == environment
    }
    return [
        *((None, value) for value in sorted(own) if math.isfinite(value)),
        *((level, low + level * (high - low)) for level in LEVELS),
    ]


def _crossings(cells: Cells, environment: str, method: Method, threshold: float) -> list[tuple[float, bool]]:
    runs = cells.runs.get((environment, method), [])
    return [
        first_crossing(run.evaluations.steps, run.evaluations.returns, threshold)
        for run in runs
        if run.evaluations.steps.size
    ]


def _last(cells: Cells, environment: str, method: Method) -> list[float]:
    runs = cells.runs.get((environment, method), [])
    return [float(run.evaluations.steps[-1]) for run in runs if run.evaluations.steps.size]
