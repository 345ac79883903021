"""Rankings by interquartile mean with intervals, for each world and over all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.report.states import LOST
from potentia.study.statistics import (
    Interval,
    bootstrap_interval,
    expanded_tail,
    interquartile_mean,
    mean_interval,
    median,
    rank_intervals,
    rate_interval,
    replicate,
)
from potentia.study.statistics.estimates import Floats, Statistic
from potentia.study.statistics.intervals import Ends


@dataclass(frozen=True)
class RankingRow:
    """One method in a ranking. An attribute is None where its quantity does not exist.

    Attributes:
        method: the method.
        runs: completed runs in the world where it has the fewest.
        planned: runs that the study plans in each world.
        lost: runs that ended without a result, in all of these worlds.
        iqm: interquartile mean of the final scores.
        mean: their mean.
        median: their median.
        average: interquartile mean of the scores averaged over training.
        gap: optimality gap.
        success: mean success rate.
        rank: place by `iqm`. Equals share the mean of their places.
    """

    method: Method
    runs: int
    planned: int
    lost: int
    iqm: Interval
    mean: Interval
    median: Interval
    average: Interval
    gap: Interval | None
    success: Interval | None
    rank: Interval


@dataclass(frozen=True)
class Ranking:
    """Methods from best to worst by interquartile mean.

    Attributes:
        environment: label of the world, or None for the ranking over all worlds.
        environments: labels of the worlds that entered. Each weighs the same, whatever its number of runs.
        normalised: whether scores are normalised (0 random policy, 1 optimum) or plain true returns.
        rows: the methods that have runs in all of these worlds, best first.
        incomplete: methods that lack completed runs in some of these worlds and so are not ranked.
    """

    environment: str | None
    environments: tuple[str, ...]
    normalised: bool
    rows: tuple[RankingRow, ...]
    incomplete: tuple[Method, ...]

    @property
    def best(self) -> tuple[RankingRow, ...]:
        """The rows with the highest interquartile mean: one, or several that are equal."""
        return tuple(row for row in self.rows if row.rank.estimate == self.rows[0].rank.estimate)

    @property
    def fewest(self) -> int:
        """The fewest completed runs of a ranked method in one of the worlds."""
        return min((row.runs for row in self.rows), default=0)

    @property
    def says_success(self) -> bool:
        """Whether these worlds say what a success is."""
        return any(row.success is not None for row in self.rows)

    @property
    def limits(self) -> tuple[float, float]:
        """The range of the bars: all intervals, and 0 to 1 for normalised scores."""
        values = [x for row in self.rows for x in (row.iqm.estimate, row.iqm.low, row.iqm.high) if np.isfinite(x)]
        if self.normalised:
            values += [0.0, 1.0]
        return (min(values), max(values)) if values else (0.0, 1.0)


def rank_environment(cells: Cells, environment: str) -> Ranking:
    """Rank the methods in one world on the plain true return."""
    return _rank(cells, environment, (environment,), normalised=False)


def rank_overall(cells: Cells) -> Ranking | None:
    """Rank the methods over all worlds with known anchors. The result is None with fewer than two such worlds."""
    worlds = cells.comparable()
    return _rank(cells, None, tuple(worlds), normalised=True) if len(worlds) > 1 else None


def _rank(cells: Cells, title: str | None, worlds: tuple[str, ...], *, normalised: bool) -> Ranking:
    complete = [m for m in cells.methods if all(cells.completed(e, m) for e in worlds)]
    rows = [_row(cells, method, worlds, normalised) for method in complete]
    places = _ranks(cells, rows, worlds, normalised)
    placed = [replace(row, rank=place) for row, place in zip(rows, places, strict=True)]
    incomplete = tuple(m for m in cells.methods if m not in complete and any((e, m) in cells.runs for e in worlds))
    return Ranking(title, worlds, normalised, tuple(sorted(placed, key=lambda row: row.rank.estimate)), incomplete)


def _row(cells: Cells, method: Method, worlds: tuple[str, ...], normalised: bool) -> RankingRow:
    scores = _scores(cells, method, worlds, normalised)
    averages = [own[np.isfinite(own)] for own in _scores(cells, method, worlds, normalised, average=True)]
    ends = [cells.ends(e, normalised=normalised) for e in worlds]
    known = normalised or cells.anchors[worlds[0]].known
    runs = [cells.runs[e, method] for e in worlds]
    iqm = _interval(scores, interquartile_mean, method, ends)
    return RankingRow(
        method=method,
        runs=min(len(values) for values in scores),
        planned=min(len(cell) for cell in runs),
        lost=sum(run.state in LOST for cell in runs for run in cell),
        iqm=iqm,
        mean=mean_interval(scores, rng=_rng(method), resamples=RESAMPLES, confidence=CONFIDENCE, ends=ends),
        median=_interval(scores, median, method, None),
        average=_interval(averages, interquartile_mean, method, ends),
        gap=_gap(cells, method, worlds) if known else None,
        success=_success(cells, method, worlds),
        rank=iqm,  # replaced once all methods have a row
    )


def _ranks(cells: Cells, rows: list[RankingRow], worlds: tuple[str, ...], normalised: bool) -> list[Interval]:
    if not rows:
        return []
    scores = [_scores(cells, row.method, worlds, normalised) for row in rows]
    replicates = [
        replicate(own, interquartile_mean, resamples=RESAMPLES, rng=_rng(row.method))
        for own, row in zip(scores, rows, strict=True)
    ]
    counts = [min(len(own[place]) for own in scores) for place in range(len(worlds))]
    tail = expanded_tail(counts, CONFIDENCE) if min(counts) > 1 else 0.0
    return rank_intervals([row.iqm.estimate for row in rows], np.stack(replicates), tail)


def _gap(cells: Cells, method: Method, worlds: tuple[str, ...]) -> Interval:
    """The optimality gap: the mean of max(1 - normalised score, 0)."""
    gaps = [np.maximum(1 - scores, 0.0) for scores in _scores(cells, method, worlds, True)]
    ends = [(max(1 - high, 0.0), max(1 - low, 0.0)) for low, high in (cells.ends(e, normalised=True) for e in worlds)]
    found = mean_interval(gaps, rng=_rng(method), resamples=RESAMPLES, confidence=CONFIDENCE, ends=ends)
    return replace(found, low=max(found.low, 0.0))  # no shortfall is negative


def _scores(
    cells: Cells, method: Method, worlds: tuple[str, ...], normalised: bool, *, average: bool = False
) -> list[Floats]:
    """(n,) scores for each world: final returns, or returns averaged over training."""
    scores = []
    for environment in worlds:
        runs = cells.completed(environment, method)
        values = np.array([run.average_return if average else run.final_return for run in runs])
        scores.append(cells.anchors[environment].normalised(values) if normalised else values)
    return scores


def _success(cells: Cells, method: Method, worlds: tuple[str, ...]) -> Interval | None:
    rates = [np.array([run.final_success for run in cells.completed(e, method)]) for e in worlds]
    if not all(np.isfinite(own).all() for own in rates):
        return None
    return rate_interval(rates, rng=_rng(method), confidence=CONFIDENCE)


def _interval(scores: list[Floats], statistic: Statistic, method: Method, ends: list[Ends] | None) -> Interval:
    if not all(own.size for own in scores):  # a run may have lost its evaluations, and has a final return
        return Interval(math.nan, math.nan, math.nan)
    return bootstrap_interval(
        scores, statistic, rng=_rng(method), resamples=RESAMPLES, confidence=CONFIDENCE, ends=ends
    )


def _rng(method: Method) -> np.random.Generator:
    return generator("ranking", method.label)
