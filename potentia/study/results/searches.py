"""What a run's search has found over its evaluations: from the metrics of a learner that searches for policies."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from potentia.study.results.files import Json, column, mapping, number
from potentia.study.statistics.estimates import Floats

MEASURES = ("coverage", "uniformity", "qd_score", "best_return")
_EVALUATIONS = "evaluations"
_AREA = re.compile(r"area_(\d+)/(?:best|count)")


@dataclass(frozen=True)
class Area:
    """What a run has found in one reward area.

    Attributes:
        number: Which area, from 0.
        best: The best true return there, 0 if no policy reached it.
        count: How many policies reached it.
    """

    number: int
    best: float
    count: float

    @property
    def reached(self) -> bool:
        """Whether any policy did."""
        return self.count > 0


@dataclass(frozen=True)
class Search:
    """What the search of one run has measured, after each of its K logged batches of policies.

    Attributes:
        evaluations: (K,) increasing numbers of policies evaluated.
        coverage: (K,) share of the behaviour space that was reached, NaN where it was not measured, as all of these.
        uniformity: (K,) how evenly, in [0, 1].
        qd_score: (K,) the sum of the best returns of its cells.
        best_return: (K,) the best true return so far.
        areas: what was found in each reward area at last.
    """

    evaluations: Floats
    coverage: Floats
    uniformity: Floats
    qd_score: Floats
    best_return: Floats
    areas: tuple[Area, ...]

    def last(self, measure: str) -> float:
        """The last that was logged of ``evaluations`` or of one of `MEASURES`. It is NaN where there is none."""
        values: Floats = getattr(self, measure)
        known = values[np.isfinite(values)]
        return float(known[-1]) if known.size else math.nan


def read_search(lines: Sequence[Json]) -> Search | None:
    """The search of a run, from the lines of its training log. It is None if its learner is no search."""
    logs = [log for line in lines if math.isfinite(number((log := mapping(line, "learner")).get(_EVALUATIONS)))]
    if not logs:
        return None
    last = logs[-1]
    numbers = sorted({int(found[1]) for name in last if (found := _AREA.fullmatch(name))})
    areas = [Area(i, _or_zero(last.get(f"area_{i}/best")), _or_zero(last.get(f"area_{i}/count"))) for i in numbers]
    measured = {name: column(logs, name) for name in MEASURES}
    return Search(column(logs, _EVALUATIONS), **measured, areas=tuple(areas))


def _or_zero(value: object) -> float:
    found = number(value)
    return found if math.isfinite(found) else 0.0
