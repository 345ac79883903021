"""What searches for policies have found: quality-diversity measures, reward areas and maps of archives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potentia.study.archive import ArchiveMap
from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.results import Run
from potentia.study.results.searches import MEASURES, Search
from potentia.study.statistics import Interval, mean_interval, rate_interval


@dataclass(frozen=True)
class SearchRow:
    """The completed searches of a cell: means of what they had measured at last. None where one did not measure it."""

    environment: str
    method: Method
    runs: int
    evaluations: float
    coverage: Interval | None
    uniformity: Interval | None
    qd_score: Interval | None
    best_return: Interval | None


@dataclass(frozen=True)
class AreaRow:
    """One reward area in the completed searches of a cell.

    `reached` is the share of the runs that got there, and `best_return` the mean of their best returns there, with 0
    for the others.
    """

    environment: str
    method: Method
    area: int
    runs: int
    reached: Interval
    best_return: Interval


@dataclass(frozen=True)
class MapOfArchive:
    """What one run of a cell has kept."""

    environment: str
    method: Method
    seed: int
    archive: ArchiveMap


def search_rows(cells: Cells) -> list[SearchRow]:
    """The cells with completed searches."""
    rows = []
    for environment, method, searches in _searches(cells):
        found = {
            name: _mean([search.last(name) for search in searches], name, environment, method) for name in MEASURES
        }
        evaluations = float(np.mean([search.last("evaluations") for search in searches]))
        rows.append(SearchRow(environment, method, len(searches), evaluations, **found))
    return rows


def area_rows(cells: Cells) -> list[AreaRow]:
    """Each reward area that any search of a world has reached, in each of the world's cells."""
    rows = []
    numbers: dict[str, set[int]] = {}
    for environment, _, searches in _searches(cells):
        seen = {area.number for search in searches for area in search.areas if area.reached}
        numbers.setdefault(environment, set()).update(seen)
    for environment, method, searches in _searches(cells):
        for number in sorted(numbers[environment]):
            own = [{area.number: area for area in search.areas}.get(number) for search in searches]
            names = ("area", str(number), environment, method.label)
            shares = [float(area is not None and area.reached) for area in own]
            reached = rate_interval([shares], rng=generator(*names), resamples=RESAMPLES, confidence=CONFIDENCE)
            bests = [area.best if area is not None else 0.0 for area in own]
            best = mean_interval([bests], rng=generator(*names, "best"), resamples=RESAMPLES, confidence=CONFIDENCE)
            rows.append(AreaRow(environment, method, number, len(searches), reached, best))
    return sorted(rows, key=lambda row: (cells.environments.index(row.environment), row.area))


def archive_maps(cells: Cells) -> list[MapOfArchive]:
    """The archive of the first completed run of each cell that has one."""
    maps = []
    for (environment, method), runs in cells.runs.items():
        kept = ((run, run.archive) for run in runs if run.completed and run.search is not None)
        first = next(((run, archive) for run, archive in kept if archive is not None and archive.returns.size), None)
        if first is not None:
            maps.append(MapOfArchive(environment, method, first[0].seed, first[1]))
    return sorted(maps, key=lambda found: cells.environments.index(found.environment))


def _searches(cells: Cells) -> list[tuple[str, Method, Sequence[Search]]]:
    cells_of = [(e, m, _of(cells.completed(e, m))) for e in cells.environments for m in cells.methods]
    return [(environment, method, searches) for environment, method, searches in cells_of if searches]


def _of(runs: Sequence[Run]) -> list[Search]:
    return [run.search for run in runs if run.search is not None]


def _mean(values: Sequence[float], name: str, environment: str, method: Method) -> Interval | None:
    if not np.isfinite(values).all():
        return None
    rng = generator("search", name, environment, method.label)
    return mean_interval([list(values)], rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)
