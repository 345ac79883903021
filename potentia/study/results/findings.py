"""What the audit found in a study before it ran: from the file that the study kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from potentia.study.results.files import json_object

FILE = "findings.json"


@dataclass(frozen=True)
class StudyFinding:
    """A `potentia.audit.Finding` as a study kept it.

    Attributes:
        name: A word for the kind of mistake.
        place: Where it stands, "" if the problem says it.
        problem: What is wrong.
        advice: What to do, "" where the problem says it.
    """

    name: str
    place: str
    problem: str
    advice: str


def read_findings(folder: Path) -> tuple[StudyFinding, ...]:
    """Those of a study's folder, none where it kept none."""
    found = (json_object(folder / FILE) or {}).get("findings")
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    names = ("name", "place", "problem", "advice")
    return tuple(StudyFinding(*(str(entry.get(name) or "") for name in names)) for entry in entries)
