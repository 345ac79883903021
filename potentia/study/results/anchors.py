"""The returns between which a world's scores are normalised."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from potentia.study.results.records import Run
from potentia.study.statistics import normalise
from potentia.study.statistics.estimates import Floats


@dataclass(frozen=True)
class Anchors:
    """Returns of the random policy and of the optimum in a world. They are NaN where unknown."""

    random: float
    optimal: float

    @property
    def known(self) -> bool:
        """Whether scores can be normalised."""
        return math.isfinite(self.random) and math.isfinite(self.optimal) and self.optimal > self.random

    def normalised(self, returns: Floats) -> Floats:
        """Scores with 0 at the random policy and 1 at the optimum."""
        return normalise(returns, self.random, self.optimal)


def world_anchors(runs: Iterable[Run]) -> Anchors:
    """The anchors of a world from its runs: each estimated them on its own, and the median is one value for all."""
    known = np.array([run.anchors for run in runs if run.completed], dtype=np.float64).reshape(-1, 2)
    random, optimal = (column[np.isfinite(column)] for column in known.T)
    return Anchors(
        float(np.median(random)) if random.size else math.nan,
        float(np.median(optimal)) if optimal.size else math.nan,
    )
