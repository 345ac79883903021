"""What the runs' manifests record: the contract of each shaping, and the code and machine of all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from potentia.study.report.cells import Cells, Method
from potentia.study.results import Run

_VARIES = 6  # values of a setting that are spelled out before they are only counted
_CONTRACT_KEYS = ("contract", "shaper_contract", "shaper")


def contracts(cells: Cells) -> list[tuple[Method, dict[str, str]]]:
    """The contract of each shaped method. It is empty where no run recorded one."""
    found = []
    for method in cells.methods:
        if method.baseline:
            continue
        runs = [run for e in cells.environments for run in cells.runs.get((e, method), [])]
        contract = next((c for run in runs if (c := _contract(run))), None)
        found.append((method, {k: _text(v) for k, v in contract.items()} if contract else {}))
    return found


def provenance(cells: Cells) -> list[tuple[str, str]]:
    """Every setting of the manifests with the values it took, constant ones first."""
    values: dict[str, dict[str, None]] = {}
    for run in cells.study.runs:
        plain = {k: v for k, v in run.manifest.items() if k not in _CONTRACT_KEYS}
        for key, value in _flat(plain):
            values.setdefault(key, {})[value] = None
    rows = [(key, list(seen)) for key, seen in values.items()]
    rows.sort(key=lambda row: len(row[1]) > 1)
    return [
        (key, "; ".join(seen) if len(seen) <= _VARIES else f"{len(seen)} values: {'; '.join(seen[:3])}; …")
        for key, seen in rows
    ]


def _contract(run: Run) -> Mapping[str, object] | None:
    for key in _CONTRACT_KEYS:
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
