"""What was run, what it cost, what failed, what was promised, and on which machine."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import Cells, Method
from potentia.study.results import STATES, Run
from potentia.study.statistics import sample_size_warning
from potentia.study.statistics.estimates import Floats

_VARIES = 6  # values of a setting that are spelled out before they are only counted


@dataclass(frozen=True)
class CostRow:
    """Mean cost of a completed run; `shaping_share` is the part of the loop's time that shaping took."""

    environment: str
    method: Method
    runs: int
    wall_seconds: float
    steps_per_second: float
    shaping_share: float


@dataclass(frozen=True)
class Shares:
    """Share of |reward| of each term over training, averaged over the completed runs of a cell."""

    method: Method
    runs: int
    steps: Floats
    terms: dict[str, Floats]


def state_counts(cells: Cells) -> dict[str, int]:
    """Number of runs in each state, in a fixed order, states without runs left out."""
    counts = Counter(run.state for run in cells.study.runs)
    known = {state: counts[state] for state in STATES if counts[state]}
    return known | {state: counts[state] for state in sorted(counts) if state not in known}


def warnings(cells: Cells) -> list[str]:
    """Sentences about small samples and unequal cells."""
    sizes = {
        (e, m): len(cells.completed(e, m)) for e in cells.environments for m in cells.methods if (e, m) in cells.runs
    }
    found = []
    filled = [size for size in sizes.values() if size]
    sentence = sample_size_warning(min(filled)) if filled else "No run has completed yet."
    if sentence:
        found.append(f"Smallest cell: {sentence}" if filled else sentence)
    if len(set(sizes.values())) > 1:
        low, high = min(sizes.values()), max(sizes.values())
        found.append(f"Cells differ in their number of completed runs ({low} to {high}).")
    unknown = [e for e in cells.environments if not cells.anchors[e].known]
    if unknown:
        found.append(
            "Unnormalised, because the random policy's or the optimal return is not known: "
            f"{', '.join(unknown)}. Left out of results over all worlds that need a common scale."
        )
    return found


def costs(cells: Cells) -> list[CostRow]:
    """Cost of each cell with completed runs."""
    rows = []
    for environment in cells.environments:
        for method in cells.methods:
            runs = cells.completed(environment, method)
            if not runs:
                continue
            seconds = np.array([run.wall_seconds for run in runs])
            parts = [run.training.profile for run in runs]
            total = sum(sum(profile.values()) for profile in parts)
            shape = sum(profile.get(part, 0.0) for profile in parts for part in ("shape", "update"))
            rate = sum(run.steps_done for run in runs) / seconds.sum() if seconds.sum() > 0 else math.nan
            rows.append(
                CostRow(
                    environment,
                    method,
                    len(runs),
                    float(seconds.mean()),
                    float(rate),
                    shape / total if total else math.nan,
                )
            )
    return rows


def reward_shares(cells: Cells, environment: str) -> list[Shares]:
    """Shares of the shaped methods of a world, on the steps that most of their runs logged."""
    found = []
    for method in cells.methods:
        logs = [run.training for run in cells.completed(environment, method) if run.training.steps.size]
        terms = list(dict.fromkeys(name for log in logs for name in log.shares))
        if len(terms) < 2:
            continue
        steps = logs[0].steps
        means = {
            name: np.mean(
                [
                    np.interp(steps, log.steps, np.nan_to_num(log.shares.get(name, np.zeros(log.steps.size))))
                    for log in logs
                ],
                axis=0,
            )
            for name in terms
        }
        found.append(Shares(method, len(logs), steps, means))
    return found


def contracts(cells: Cells) -> list[tuple[Method, dict[str, str]]]:
    """The contract of each shaped method as its runs' manifests record it."""
    found = []
    for method in cells.methods:
        if method.baseline:
            continue
        runs = [run for e in cells.environments for run in cells.runs.get((e, method), [])]
        contract = next((c for run in runs if (c := _contract(run))), None)
        found.append((method, {k: _text(v) for k, v in contract.items()} if contract else {}))
    return found


def troubles(cells: Cells) -> list[Run]:
    """Runs that did not complete, those that broke first."""
    order = {state: place for place, state in enumerate(("failed", "timeout", "interrupted", "running", "queued"))}
    return sorted((run for run in cells.study.runs if not run.completed), key=lambda run: order.get(run.state, 0))


def provenance(cells: Cells) -> list[tuple[str, str]]:
    """Every setting of the manifests with the values it took, constant ones first."""
    values: dict[str, dict[str, None]] = {}
    for run in cells.study.runs:
        plain = {k: v for k, v in run.manifest.items() if k not in {"contract", "shaper_contract", "shaper"}}
        for key, value in _flat(plain):
            values.setdefault(key, {})[value] = None
    rows = [(key, list(seen)) for key, seen in values.items()]
    rows.sort(key=lambda row: len(row[1]) > 1)
    return [
        (key, "; ".join(seen) if len(seen) <= _VARIES else f"{len(seen)} values: {'; '.join(seen[:3])}; …")
        for key, seen in rows
    ]


def _contract(run: Run) -> Mapping[str, object] | None:
    for key in ("contract", "shaper_contract", "shaper"):
        value = run.manifest.get(key)
        if isinstance(value, Mapping):
            inner = value.get("contract")
            return inner if isinstance(inner, Mapping) else value
    return None


def _flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value) if value else "none"
    return json.dumps(value, default=str, sort_keys=True)
