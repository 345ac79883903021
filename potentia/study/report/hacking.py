"""The hacking index: does what the learner is paid rise while what we want does not?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from potentia.study.report.cells import CONFIDENCE, RESAMPLES, Cells, Method, generator
from potentia.study.report.comparisons import scale_of
from potentia.study.report.curves import Curve, on_common_steps
from potentia.study.results import Run
from potentia.study.statistics import Interval, mean_band, mean_interval
from potentia.study.statistics.coverage import FEWEST
from potentia.study.statistics.estimates import Floats

WINDOW = 0.2
NEGLIGIBLE = 0.05
FLAG = 0.5
MIN_POINTS = 5
LIMIT = 2.0  # a difference of two correlations


@dataclass(frozen=True)
class HackingRow:
    """Hacking index of a method in a world, with the two trends that it is made of."""

    environment: str
    method: Method
    runs: int
    shaped_trend: float
    true_trend: float
    index: Interval

    @property
    def suspected(self) -> bool:
        """Whether the whole interval lies above half of a full one-sided rise. False for fewer than five runs."""
        return self.runs >= FEWEST and self.index.low > FLAG


def trend(values: Floats, floor: float = 0.0) -> float:
    """Correlation of a series with the contrast (-1 on its first fifth, 0, +1 on its last fifth), in [-1, 1].

    It asks whether the series rose, not by how much, so that a bonus and a return can be compared. A spread
    below `floor` is counted as `floor`: a rise that is negligible on the world's scale has a trend near 0.
    """
    return float((values[-_window(values) :].mean() - values[: _window(values)].mean()) * _scale(values, floor))


def hacking_index(true_return: Floats, shaped_return: Floats, floor: float = 0.0) -> float:
    """H = trend(shaped return) - trend(true return), in [-2, 2].

    +1: the shaped return rose as clearly as it can while the true return stood still. +2: it did
    so while the true return fell. 0: both moved alike, as they must without shaping. Negative: the true return
    improved more clearly than the shaped one, as with a bonus that fades. A dense reward that rises with the
    true return scores 0, however large it is.

    Args:
        true_return: (K,) mean true return of the training episodes of each logged interval, K >= 5.
        shaped_return: (K,) mean shaped return of the same episodes, in the same unit.
        floor: a standard deviation over training that counts as negligible, in that unit.
    """
    return trend(shaped_return, floor) - trend(true_return, floor)


def hacking_rows(cells: Cells) -> list[HackingRow]:
    """The index of each cell with completed runs that logged both returns."""
    rows = []
    for environment in cells.environments:
        floor = negligible(cells, environment)
        for method in cells.methods:
            pairs = [p for run in cells.completed(environment, method) if (p := _both(run)) is not None]
            if not pairs:
                continue
            index = np.array([hacking_index(true, shaped, floor) for _, true, shaped in pairs])
            rng = generator("hacking", environment, method.label)
            found = mean_interval([index], rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)
            rows.append(
                HackingRow(
                    environment=environment,
                    method=method,
                    runs=len(pairs),
                    shaped_trend=float(np.mean([trend(shaped, floor) for _, _, shaped in pairs])),
                    true_trend=float(np.mean([trend(true, floor) for _, true, _ in pairs])),
                    index=replace(found, low=max(found.low, -LIMIT), high=min(found.high, LIMIT)),
                )
            )
    return rows


def gap_curves(cells: Cells, environment: str) -> list[Curve]:
    """How the gap opens: scaled so that each run's average over the last fifth is its index."""
    curves = []
    floor = negligible(cells, environment)
    for method in cells.methods:
        pairs = [p for run in cells.completed(environment, method) if (p := _both(run)) is not None]
        x, values = on_common_steps(
            [(steps, _rise(shaped, floor) - _rise(true, floor)) for steps, true, shaped in pairs]
        )
        if x.size:
            rng = generator("gap", environment, method.label)
            band = mean_band([values], rng=rng, resamples=RESAMPLES, confidence=CONFIDENCE)
            curves.append(Curve(environment, method, x, band, len(pairs)))
    return curves


def _both(run: Run) -> tuple[Floats, Floats, Floats] | None:
    log = run.training
    known = np.isfinite(log.true_return) & np.isfinite(log.shaped_return)
    if known.sum() < MIN_POINTS:
        return None
    return log.steps[known], log.true_return[known], log.shaped_return[known]


def negligible(cells: Cells, environment: str) -> float:
    """5 % of the way from the random policy's return to the optimum (or of what the study itself saw)."""
    low, high = scale_of(cells, environment)
    return NEGLIGIBLE * (high - low) if math.isfinite(high - low) and high > low else 0.0


def _rise(values: Floats, floor: float) -> Floats:
    return np.asarray((values - values[: _window(values)].mean()) * _scale(values, floor))


def _scale(values: Floats, floor: float) -> float:
    """What a difference of windows is multiplied by to become a correlation."""
    spread = float(values.std())
    if spread <= 1e-9 * float(np.abs(values).max(initial=0.0)):
        return 0.0  # constant up to rounding, as the telescoped return of a potential
    return math.sqrt(_window(values) / (2 * values.size)) / max(spread, floor)


def _window(values: Floats) -> int:
    return max(1, math.ceil(WINDOW * values.size))
