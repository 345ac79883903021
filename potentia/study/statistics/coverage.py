"""How often the nominal intervals cover the truth, as measured by `benchmarks/interval_coverage.py`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

FEW = 10
"""Runs from which on a report gives no warning."""
FEWEST = 5
"""Runs below which a report claims nothing."""
WORLDS = 3
"""The number of worlds that intervals over several were measured with."""


@dataclass(frozen=True)
class Coverage:
    """The measured coverage of one nominal 95 % interval.

    Attributes:
        statistic: what the interval is of.
        runs: the number of runs (in each world) that it was measured with.
        shares: the share of trials in which the interval held the truth, for each kind of data.
    """

    statistic: str
    runs: int
    shares: dict[str, float]

    @property
    def lowest(self) -> float:
        """The coverage on the kind of data that is covered least."""
        return min(self.shares.values())


def measured_coverage(runs: int) -> list[Coverage]:
    """The coverage of each interval of a report at the largest measured number of runs up to `runs`.

    >>> {row.runs for row in measured_coverage(7)}
    {5}
    """
    table = _table()
    sizes = sorted({row.runs for row in table})
    nearest = max((size for size in sizes if size <= runs), default=sizes[0])
    return [row for row in table if row.runs == nearest]


def sample_size_warning(runs: int) -> str | None:
    """A sentence about how far an interval from so few runs can be trusted. It is None from ten runs on."""
    if runs >= FEW:
        return None
    rows = measured_coverage(runs)
    worst = min(rows, key=lambda row: row.lowest)
    kind = min(worst.shares, key=worst.shares.__getitem__)
    held = f"the nominal 95 % interval of the {worst.statistic} held the truth in {worst.lowest:.0%} of trials ({kind})"
    counted = f"{runs} run{'' if runs == 1 else 's'}"
    if runs < FEWEST:
        return f"{counted}: insufficient, do not draw conclusions. At {worst.runs} runs {held}.".replace("%", " %")
    return f"{counted}: few, use ten or more for a claim. At {worst.runs} runs {held} at worst.".replace("%", " %")


def coverage_trials() -> int:
    """The number of trials of each measured share."""
    return int(_document()["trials"])


def _table() -> tuple[Coverage, ...]:
    return tuple(Coverage(row["statistic"], row["runs"], row["shares"]) for row in _document()["rows"])


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files(__package__).joinpath("coverage.json").read_text("utf-8"))
    return document
