"""The same results for other programs: CSV files of runs, curves and shares, and every number of the report as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from potentia.study.report.analysis import Analysis
from potentia.study.report.cells import Method
from potentia.study.report.curves import Curve
from potentia.study.report.reward_shares import Shares
from potentia.study.results.tables import (
    AREA_COLUMNS,
    CERTIFICATE_COLUMNS,
    JUDGE_COLUMNS,
    RUN_COLUMNS,
    SEARCH_COLUMNS,
    area_rows,
    certificate_rows,
    judge_rows,
    run_rows,
    search_rows,
)

CURVE_COLUMNS = ("quantity", "environment", "method", "runs", "in_progress", "x", "estimate", "low", "high")
SHARE_COLUMNS = ("environment", "method", "runs", "step", "term", "share")


def tables(analysis: Analysis) -> dict[str, str]:
    """The text of each CSV file by its name. A field is empty where there is no such value.

    ``results.csv`` has a row for each run, ``curves.csv`` for each point of a figure's line, ``shares.csv`` for each
    reward term at each step. ``judges.csv``, for each run and judged shaper, is there if a run has asked a judge,
    ``searches.csv``, for each run, and ``areas.csv``, for each run and reward area, if a run's learner searches, and
    ``certificates.csv``, for each run, if one kept a certificate.
    """
    study = analysis.cells.study
    judged, searched, areas = judge_rows(study), search_rows(study), area_rows(study)
    certified = certificate_rows(study)
    return {
        "results.csv": _csv(RUN_COLUMNS, run_rows(study)),
        "curves.csv": _csv(CURVE_COLUMNS, _curve_points(analysis.curves)),
        "shares.csv": _csv(SHARE_COLUMNS, _share_points(analysis.shares)),
        **({"judges.csv": _csv(JUDGE_COLUMNS, judged)} if judged else {}),
        **({"searches.csv": _csv(SEARCH_COLUMNS, searched)} if searched else {}),
        **({"areas.csv": _csv(AREA_COLUMNS, areas)} if areas else {}),
        **({"certificates.csv": _csv(CERTIFICATE_COLUMNS, certified)} if certified else {}),
    }


def results_json(analysis: Analysis) -> str:
    """Every number of the report. A number is null where there is none (JSON has no NaN and no infinity)."""
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
        "curves": [{"quantity": name, "curve": curve} for name, own in analysis.curves.items() for curve in own],
        "reward_shares": analysis.shares,
        "costs": analysis.costs,
        "judges": analysis.judges,
        **({"searches": analysis.searches, "areas": analysis.areas} if analysis.searches else {}),
        **({"certificates": analysis.certificates} if analysis.certificates else {}),
        **({"findings": study.findings} if study.findings else {}),
        "contracts": [{"method": method, "contract": contract} for method, contract in analysis.contracts],
        "coverage": analysis.coverage,
        "runs": run_rows(study),
    }
    return json.dumps(_plain(value), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if _absent(row[name]) else row[name] for name in columns])
    return text.getvalue()


def _curve_points(curves: Mapping[str, Sequence[Curve]]) -> Iterable[dict[str, Any]]:
    for quantity, own in curves.items():
        for curve in own:
            common = {
                "quantity": quantity,
                "environment": curve.environment,
                "method": curve.method.label,
                "runs": curve.runs,
                "in_progress": curve.in_progress,
            }
            band = curve.band
            for x, estimate, low, high in zip(curve.x, band.estimate, band.low, band.high, strict=True):
                yield common | {"x": float(x), "estimate": float(estimate), "low": float(low), "high": float(high)}


def _share_points(found: Sequence[Shares]) -> Iterable[dict[str, Any]]:
    for shares in found:
        common = {"environment": shares.environment, "method": shares.method.label, "runs": shares.runs}
        for term, values in shares.terms.items():
            for step, share in zip(shares.steps, values, strict=True):
                yield common | {"step": float(step), "term": term, "share": float(share)}


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
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, np.floating) else value
