"""Rankings by interquartile mean with intervals, for each world and over all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.statistics import (
    Interval,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    replicate,
    wilson,
)
from potentia.study.statistics.estimates import Floats, Statistic

TAIL = (1 - CONFIDENCE) / 2


@dataclass(frozen=True)
class RankingRow:
    """One method in a ranking; None where a quantity does not exist."""

    method: Method
    runs: int
    planned: int
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
        environments: labels of the worlds that entered.
        normalised: whether scores are normalised (0 random policy, 1 optimum) or plain true returns.
        rows: the methods that have runs in all of these worlds, best first.
        incomplete: methods that lack completed runs in some of these worlds and so are not ranked.
    """

    environment: str | None
    environments: tuple[str, ...]
    normalised: bool
    rows: tuple[RankingRow, ...]
    incomplete: tuple[Method, ...]


def rank_environment(cells: Cells, environment: str) -> Ranking:
    """Rank the methods in one world on the plain true return."""
    return _rank(cells, environment, (environment,), normalised=False)


def rank_overall(cells: Cells) -> Ranking | None:
    """Rank the methods over all worlds with known anchors; None with fewer than two such worlds."""
    worlds = cells.comparable()
    return _rank(cells, None, tuple(worlds), normalised=True) if len(worlds) > 1 else None


def _rank(cells: Cells, title: str | None, worlds: tuple[str, ...], *, normalised: bool) -> Ranking:
    complete = [m for m in cells.methods if all(cells.completed(e, m) for e in worlds)]
    replicates = {m: _replicates(_scores(cells, m, worlds, normalised), interquartile_mean, m) for m in complete}
    # Rank 1 is the best; equal methods share the mean of their ranks.
    stacked = np.stack([replicates[m] for m in complete]) if complete else np.zeros((0, 1))
    ranks = 1 + np.array([(stacked > own).sum(axis=0) + ((stacked == own).sum(axis=0) - 1) / 2 for own in stacked])
    rows = [_row(cells, m, worlds, normalised, ranks[i]) for i, m in enumerate(complete)]
    order = sorted(rows, key=lambda row: -row.iqm.estimate)
    placed = [_placed(row, position) for position, row in enumerate(order, start=1)]
    incomplete = tuple(m for m in cells.methods if m not in complete and any((e, m) in cells.runs for e in worlds))
    return Ranking(title, worlds, normalised, tuple(placed), incomplete)


def _row(cells: Cells, method: Method, worlds: tuple[str, ...], normalised: bool, ranks: Floats) -> RankingRow:
    scores = _scores(cells, method, worlds, normalised)
    known = normalised or cells.anchors[worlds[0]].known
    gaps = _scores(cells, method, worlds, True) if known else None
    averages = _scores(cells, method, worlds, normalised, average=True)
    low, high = np.quantile(ranks, [TAIL, 1 - TAIL], method="inverted_cdf")
    return RankingRow(
        method=method,
        runs=min(len(values) for values in scores),
        planned=min(len(cells.runs[e, method]) for e in worlds),
        iqm=_interval(scores, interquartile_mean, method),
        mean=_interval(scores, mean, method),
        median=_interval(scores, median, method),
        average=_interval(averages, interquartile_mean, method),
        gap=None if gaps is None else _interval(gaps, optimality_gap, method),
        success=_success(cells, method, worlds),
        rank=Interval(0.0, float(low), float(high)),
    )


def _placed(row: RankingRow, position: int) -> RankingRow:
    return replace(row, rank=Interval(float(position), row.rank.low, row.rank.high))


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
    rates = np.array([run.final_success for e in worlds for run in cells.completed(e, method)])
    if not rates.size or not np.isfinite(rates).all():
        return None
    return wilson(float(rates.sum()), rates.size, CONFIDENCE)


def _replicates(scores: list[Floats], statistic: Statistic, method: Method) -> Floats:
    return replicate(scores, statistic, resamples=RESAMPLES, rng=generator("ranking", method.label))


def _interval(scores: list[Floats], statistic: Statistic, method: Method) -> Interval:
    low, high = np.quantile(_replicates(scores, statistic, method), [TAIL, 1 - TAIL])
    return Interval(float(statistic(np.concatenate(scores), 0)), float(low), float(high))
