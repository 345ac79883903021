"""The runs of a study as columns, for data frames: a row for each run, evaluation, reward term at a step, or judge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from potentia.study.results.anchors import Anchors, world_anchors
from potentia.study.results.finding import RUNS, find_study
from potentia.study.results.loading import load_study
from potentia.study.results.records import Run, Study
from potentia.study.results.searches import MEASURES

if TYPE_CHECKING:
    import pandas as pd

Column = np.ndarray[Any, Any]

_CELL = ("study", "run_id", "environment", "shaping", "learner", "seed")
RUN_COLUMNS = (
    *_CELL,
    "state",
    "planned_steps",
    "steps",
    "final_return",
    "normalised_return",
    "average_return",
    "success_rate",
    "random_return",
    "optimal_return",
    "wall_seconds",
    "error",
)
CURVE_COLUMNS = (*_CELL, "step", "return", "success_rate", "length")
SHARE_COLUMNS = (*_CELL, "step", "term", "share")
JUDGE_COLUMNS = (
    *_CELL,
    "shaper",
    "questions",
    "calls",
    "tokens_in",
    "tokens_out",
    "dollars",
    "cached_share",
    "invalid_share",
    "f1",
    "accuracy",
    "calibration",
)
SEARCH_COLUMNS = (*_CELL, "evaluations", *MEASURES, "areas")
AREA_COLUMNS = (*_CELL, "area", "best_return", "policies")
CERTIFICATE_COLUMNS = (
    *_CELL,
    "promised",
    "optimum_preserved",
    "worst_regret",
    "worst_regret_anywhere",
    "optimal_value",
    "num_changed",
    "num_nodes",
    "not_covered",
    "reason",
)


class Table(Mapping[str, Column]):
    """Columns of equal length by name. A value is NaN or None where a row has no such value.

    Args:
        columns: the names, in order.
        rows: one value for each column.

    >>> table = Table(("seed", "score"), [{"seed": 0, "score": 0.5}, {"seed": 1, "score": 0.25}])
    >>> table.rows, table["score"].tolist(), list(table)
    (2, [0.5, 0.25], ['seed', 'score'])
    """

    def __init__(self, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
        names, found = tuple(columns), list(rows)
        self.rows = len(found)
        self._columns = {name: _column([row[name] for row in found]) for name in names}

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Table({self.rows} rows of {', '.join(self._columns)})"

    def to_pandas(self) -> pd.DataFrame:
        """The same as a data frame.

        Raises:
            ImportError: pandas is not installed. It comes with the extra ``frames``.
        """
        try:
            import pandas as pd  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise ImportError(
                "to_pandas() needs the extra 'frames': pip install 'potentia[frames]'; without it, the columns are "
                "arrays: table['final_return']"
            ) from error
        return pd.DataFrame(self._columns)


@dataclass(frozen=True)
class Results:
    """A study's results in seven tables, which are made when they are asked for.

    Attributes:
        study: the runs as objects, with their configurations, manifests and logs.
    """

    study: Study

    @cached_property
    def runs(self) -> Table:
        """One row a run, in whatever state. A row has no final return unless its run completed."""
        return Table(RUN_COLUMNS, run_rows(self.study))

    @cached_property
    def curves(self) -> Table:
        """One row an evaluation: the true return, the success rate and the episodes' length over training."""
        return Table(CURVE_COLUMNS, (row for run in self.study.runs for row in _evaluations(run)))

    @cached_property
    def shares(self) -> Table:
        """One row a reward term and logged step: its share of the absolute reward that the learner saw."""
        return Table(SHARE_COLUMNS, (row for run in self.study.runs for row in _shares(run)))

    @cached_property
    def judges(self) -> Table:
        """One row a run and judged shaper: what its judge cost, and how well it agreed with the truth where known.

        Counts are of the whole run. f1, accuracy and calibration error are of all questions that had a truth.
        """
        return Table(JUDGE_COLUMNS, judge_rows(self.study))

    @cached_property
    def searches(self) -> Table:
        """One row a run whose learner searches for policies: what it has found so far, and in how many reward areas.

        ``run.search`` has the same after each batch of policies, and ``run.archive`` what the search kept.
        """
        return Table(SEARCH_COLUMNS, search_rows(self.study))

    @cached_property
    def areas(self) -> Table:
        """One row a run and reward area: the best true return there, and how many policies reached it."""
        return Table(AREA_COLUMNS, area_rows(self.study))

    @cached_property
    def certificates(self) -> Table:
        """One row a completed run that kept a certificate of its shaping: what was proved, or why nothing was.

        The file ``certificate.json`` in the run's folder has all of it, the worst policy and the changed states too.
        """
        return Table(CERTIFICATE_COLUMNS, certificate_rows(self.study))


def load(source: str | Path, out: str | Path = RUNS) -> Results:
    """The results of a study, finished or not.

    >>> results = load("quickstart")  # doctest: +SKIP
    >>> results.runs.to_pandas().groupby(["environment", "shaping"])["final_return"].mean()  # doctest: +SKIP

    Args:
        source: its folder, its file or its name.
        out: the folder that holds studies, where `source` is a file or a name.

    Raises:
        FileNotFoundError: there are no such results.
    """
    return Results(load_study(find_study(source, Path(out))))


def run_rows(study: Study) -> list[dict[str, Any]]:
    """`RUN_COLUMNS` of each run, in the order of the study."""
    anchors = {e: world_anchors(run for run in study.runs if run.environment == e) for e in study.environments}
    return [_run(run, anchors[run.environment]) for run in study.runs]


def judge_rows(study: Study) -> list[dict[str, Any]]:
    """`JUDGE_COLUMNS` of each judged shaper of each run, in the order of the study."""
    names = JUDGE_COLUMNS[len(_CELL) :]
    return [_cell(run) | {name: getattr(one, name) for name in names} for run in study.runs for one in run.judging]


def search_rows(study: Study) -> list[dict[str, Any]]:
    """`SEARCH_COLUMNS` of each run with a search, in the order of the study."""
    return [
        _cell(run)
        | {name: search.last(name) for name in ("evaluations", *MEASURES)}
        | {"areas": sum(area.reached for area in search.areas)}
        for run in study.runs
        if (search := run.search) is not None
    ]


def area_rows(study: Study) -> list[dict[str, Any]]:
    """`AREA_COLUMNS` of each reward area of each run with a search, in the order of the study."""
    return [
        _cell(run) | {"area": area.number, "best_return": area.best, "policies": area.count}
        for run in study.runs
        if run.search is not None
        for area in run.search.areas
    ]


def certificate_rows(study: Study) -> list[dict[str, Any]]:
    """`CERTIFICATE_COLUMNS` of each run that kept a certificate, or why there is none, in the order of the study."""
    names = CERTIFICATE_COLUMNS[len(_CELL) :]
    return [
        _cell(run) | {name: getattr(one, name) for name in names} | {"not_covered": " ".join(one.not_covered)}
        for run in study.runs
        if (one := run.certificate) is not None
    ]


def _run(run: Run, anchors: Anchors) -> dict[str, Any]:
    final = run.final_return
    return _cell(run) | {
        "state": run.state,
        "planned_steps": run.planned_steps,
        "steps": run.steps_done,
        "final_return": final,
        "normalised_return": float(anchors.normalised(np.array(final))) if anchors.known else math.nan,
        "average_return": run.average_return if run.completed else math.nan,
        "success_rate": run.final_success,
        "random_return": anchors.random,
        "optimal_return": anchors.optimal,
        "wall_seconds": run.wall_seconds,
        "error": run.error,
    }


def _evaluations(run: Run) -> Iterator[dict[str, Any]]:
    evaluations = run.evaluations
    columns = (evaluations.steps, evaluations.returns, evaluations.success, evaluations.length)
    for step, value, success, length in zip(*columns, strict=True):
        yield _cell(run) | {"step": int(step), "return": value, "success_rate": success, "length": length}


def _shares(run: Run) -> Iterator[dict[str, Any]]:
    for term, values in run.training.shares.items():
        for step, share in zip(run.training.steps, values, strict=True):
            yield _cell(run) | {"step": int(step), "term": term, "share": share}


def _cell(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in _CELL}


def _column(values: list[Any]) -> Column:
    """Numbers as an array of numbers. Texts become an array of objects."""
    plain = all(isinstance(value, int | float) for value in values)
    return np.array(values) if plain and values else np.array(values, dtype=object)
