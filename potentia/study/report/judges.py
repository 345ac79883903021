"""What asking judges cost in each cell of a study, and how good their answers were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from potentia.study.report.cells import Cells, Method
from potentia.study.results.files import unique
from potentia.study.results.judging import QUALITY, Judging


@dataclass(frozen=True)
class JudgeRow:
    """One shaper's judge in the runs of a cell that have asked it, whether or not they completed.

    Counts are means over the runs. Shares are of the answers of all runs. Qualities are means over the runs, weighted
    by how many numbers of a run's answers had a truth.
    """

    environment: str
    method: Method
    shaper: str
    runs: int
    questions: float
    calls: float
    tokens_in: float
    tokens_out: float
    dollars: float
    cached_share: float
    invalid_share: float
    f1: float
    accuracy: float
    calibration: float


def judge_rows(cells: Cells) -> list[JudgeRow]:
    """The judges of each cell whose runs have asked one."""
    rows = []
    for environment in cells.environments:
        for method in cells.methods:
            found = [one for run in cells.runs.get((environment, method), []) for one in run.judging]
            for shaper in unique(one.shaper for one in found):
                rows.append(_row(environment, method, [one for one in found if one.shaper == shaper]))
    return rows


def _row(environment: str, method: Method, found: Sequence[Judging]) -> JudgeRow:
    questions = sum(one.questions for one in found)
    means = {
        name: sum(getattr(one, name) for one in found) / len(found)
        for name in ("questions", "calls", "tokens_in", "tokens_out", "dollars")
    }
    return JudgeRow(
        environment,
        method,
        found[0].shaper,
        len(found),
        **means,
        cached_share=sum(one.cached for one in found) / questions if questions else math.nan,
        invalid_share=sum(one.invalid for one in found) / questions if questions else math.nan,
        **{name: _weighted(name, found) for name in QUALITY},
    )


def _weighted(name: str, found: Sequence[Judging]) -> float:
    known = [(getattr(one, name), one.truths) for one in found if math.isfinite(getattr(one, name))]
    weight = sum(truths for _, truths in known)
    return sum(value * truths for value, truths in known) / weight if weight else math.nan
