"""What the audit found in a study before it ran: from the file that the study kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from potentia.study.results.files import Json, json_object

FILE = "findings.json"


@dataclass(frozen=True)
class StudyFinding:
    """A `potentia.audit.Finding` as a study kept it.

    Attributes:
        name: A word for the kind of mistake.
        place: Where it stands, "" if the problem says it.
        problem: What is wrong.
        advice: What to do, "" where the problem says it.
        severe: Whether training is wrong with it. Otherwise something is only lost.
    """

    name: str
    place: str
    problem: str
    advice: str
    severe: bool


def read_findings(folder: Path) -> tuple[StudyFinding, ...]:
    """Those of a study's folder, none where it kept none."""
    found = (json_object(folder / FILE) or {}).get("findings")
    entries = found if isinstance(found, list) else []
    return tuple(_finding(entry) for entry in entries if isinstance(entry, dict))


def _finding(entry: Json) -> StudyFinding:
    name, place, problem, advice = (str(entry.get(key) or "") for key in ("name", "place", "problem", "advice"))
    return StudyFinding(name, place, problem, advice, severe=bool(entry.get("severe", True)))
