"""Tolerant readers of a run's files: what is missing, torn or of another type reads as nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from potentia.study.statistics.estimates import Floats

Json = Mapping[str, Any]


def json_object(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where the file is missing, torn or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def json_lines(path: Path) -> list[Json]:
    """The objects of an append-only file. A line torn by a crash is skipped."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines: list[Json] = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            lines.append(value)
    return lines


def yaml_mapping(text: str) -> Json:
    """A YAML mapping, empty where the text is not one."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def mapping(parent: Json | None, key: str) -> Json:
    """The mapping at a key, empty where there is none."""
    value = (parent or {}).get(key)
    return value if isinstance(value, Mapping) else {}


def column(lines: Iterable[Json], key: str) -> Floats:
    """The numbers at a key of each line, NaN where there is none."""
    return np.array([number(line.get(key)) for line in lines], dtype=np.float64)


def number(value: object) -> float:
    """A JSON number as a float. Everything else becomes NaN."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return math.nan


def unique(names: Iterable[str]) -> list[str]:
    """Names in order of first appearance."""
    return list(dict.fromkeys(names))
