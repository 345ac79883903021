"""What runs cost: time, speed, and the part that shaping took."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import Cells, Method


@dataclass(frozen=True)
class CostRow:
    """Mean cost of a completed run. `shaping_share` is the part of the loop's time that shaping took."""

    environment: str
    method: Method
    runs: int
    wall_seconds: float
    steps_per_second: float
    shaping_share: float


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
