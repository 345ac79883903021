"""What probes find, and its table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from potentia.judges.question import Answer

__all__ = ["Finding", "found", "table"]


@dataclass(frozen=True)
class Finding:
    """What a probe found.

    Attributes:
        name: The probe.
        value: The number. NaN where no answer was valid.
        ideal: What a good judge has.
        questions: How many questions were put.
        invalid: The share of them without a valid answer.
    """

    name: str
    value: float
    ideal: float
    questions: int
    invalid: float


def found(name: str, ideal: float, values: Sequence[float], answers: Sequence[Answer]) -> Finding:
    """The finding whose number is the mean of some values."""
    mean = math.fsum(values) / len(values) if len(values) else math.nan
    return Finding(name, mean, ideal, len(answers), sum(not answer.valid for answer in answers) / len(answers))


def table(findings: Mapping[str, Sequence[Finding]]) -> str:
    """A Markdown table: a row for each probe, a column for each judge.

    Args:
        findings: What `potentia.judges.probes.probe` found, by the judge's name.
    """
    ideals = {finding.name: finding.ideal for some in findings.values() for finding in some}
    lines = ["| probe | ideal | " + " | ".join(findings) + " |", "|---" * (2 + len(findings)) + "|"]
    for name, ideal in ideals.items():
        cells = [_cell({finding.name: finding for finding in some}.get(name)) for some in findings.values()]
        lines.append(f"| {name} | {ideal:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(finding: Finding | None) -> str:
    if finding is None:
        return ""
    if math.isnan(finding.value):
        return "-"
    number = f"{finding.value:.2f}" if finding.value == 0 or abs(finding.value) >= 0.005 else f"{finding.value:.1g}"
    return number if not finding.invalid else f"{number} ({finding.invalid:.0%} invalid)"
