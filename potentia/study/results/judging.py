"""What a run's judges cost, and how good they were: from the metrics of its judged shapers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from potentia.study.results.files import Json, mapping, number, unique

COUNTS = ("answered", "calls", "tokens_in", "tokens_out", "dollars", "cached", "invalid")
QUALITY = ("f1", "accuracy", "calibration")
_IDEAS, _TRUTHS = "ideas_", "truths"


@dataclass(frozen=True)
class Judging:
    """What the judge of one shaper did in one run.

    Counts are sums over the training that the run has logged, and the questions for lists of ideas are in them. What a
    quick judge answers while shaping, which costs nothing, is not. Qualities are the last that were logged, which are
    of all questions until then. They are NaN where no truth was known.

    Attributes:
        shaper: The shaper's name, behind those of the chains that it is in.
        questions: How many answers came.
        calls: How many of a model's or a server's replies, or of a rule's results, they took.
        tokens_in: The tokens that were read.
        tokens_out: The tokens that were written.
        dollars: What they cost, 0 where no price is known.
        cached: How many answers the judge looked up.
        invalid: How many were not valid.
        truths: How many numbers of the answers had a truth.
        f1: Of decisions.
        accuracy: Of decisions.
        calibration: The expected calibration error.
    """

    shaper: str
    questions: float
    calls: float
    tokens_in: float
    tokens_out: float
    dollars: float
    cached: float
    invalid: float
    truths: float
    f1: float
    accuracy: float
    calibration: float

    @property
    def cached_share(self) -> float:
        """The share of the answers that were looked up. It is NaN if there were none."""
        return self.cached / self.questions if self.questions else math.nan

    @property
    def invalid_share(self) -> float:
        """The share of the answers that were not valid. It is NaN if there were none."""
        return self.invalid / self.questions if self.questions else math.nan


def read_judging(lines: Sequence[Json]) -> tuple[Judging, ...]:
    """The judges of a run by the names of their shapers, from the lines of its training log."""
    logs = [mapping(line, "shaper") for line in lines]
    names = unique(name.removesuffix("/answered") for log in logs for name in log if name.endswith("/answered"))
    return tuple(_judging(name, logs) for name in names)


def _judging(shaper: str, logs: Sequence[Json]) -> Judging:
    counts = {name: _total(f"{shaper}/{name}", logs) + _total(f"{shaper}/{_IDEAS}{name}", logs) for name in COUNTS}
    quality = {name: _last(f"{shaper}/{name}", logs) for name in (_TRUTHS, *QUALITY)}
    quality[_TRUTHS] = 0.0 if math.isnan(quality[_TRUTHS]) else quality[_TRUTHS]
    return Judging(shaper, counts.pop("answered"), **counts, **quality)


def _total(key: str, logs: Sequence[Json]) -> float:
    return math.fsum(value for log in logs if math.isfinite(value := number(log.get(key))))


def _last(key: str, logs: Sequence[Json]) -> float:
    return next((value for log in reversed(logs) if math.isfinite(value := number(log.get(key)))), math.nan)
