"""The same results for other programs: one CSV row a run, and every number of the report as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from potentia.study.report.analysis import Analysis
from potentia.study.report.cells import Method
from potentia.study.results import Run

COLUMNS = (
    "study",
    "run_id",
    "environment",
    "shaping",
    "learner",
    "seed",
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


def results_csv(analysis: Analysis) -> str:
    """One row a run, in the order of the study; empty where a run has no such value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run in analysis.cells.study.runs:
        row = _row(analysis, run)
        writer.writerow(["" if _absent(row[name]) else row[name] for name in COLUMNS])
    return text.getvalue()


def results_json(analysis: Analysis) -> str:
    """Every number of the report; null where there is none (JSON has no NaN and no infinity)."""
    study = analysis.cells.study
    value = {
        "study": study.name,
        "states": analysis.counts,
        "warnings": analysis.warnings,
        "anchors": analysis.cells.anchors,
        "overall": analysis.overall,
        "rankings": analysis.rankings,
        "probability_of_improvement": [
            {"method": first, "over": second, "probability": probability}
            for (first, second), probability in analysis.improvements.items()
        ],
        "paired_differences": analysis.paired,
        "steps_to_threshold": analysis.thresholds,
        "hacking": analysis.hacking,
        "costs": analysis.costs,
        "contracts": [{"method": method, "contract": contract} for method, contract in analysis.contracts],
        "runs": [_row(analysis, run) for run in study.runs],
    }
    return json.dumps(_plain(value), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _row(analysis: Analysis, run: Run) -> dict[str, Any]:
    anchors = analysis.cells.anchors[run.environment]
    final = run.final_return
    return {
        "study": run.study,
        "run_id": run.run_id,
        "environment": run.environment,
        "shaping": run.shaping,
        "learner": run.learner,
        "seed": run.seed,
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


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _plain(value: Any) -> Any:
    """JSON's own types."""
    if _absent(value):
        return None
    if isinstance(value, Method):
        return value.label
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
