"""What is wrong with a study before it runs, and what is worth knowing."""

from __future__ import annotations

from potentia.shaping.fit import Finding
from potentia.study.documents import SpecError
from potentia.study.plan import check_study, runs_of
from potentia.study.rehearsal import rehearse
from potentia.study.spec import StudySpec


def study_findings(study: StudySpec, source: str) -> list[Finding]:
    """All that `run_study` would refuse, each a severe finding, and all that it would warn of.

    Args:
        study: The study.
        source: Where it came from: modules are also searched beside it.
    """
    try:
        check_study(study, source)
    except SpecError as error:
        return [Finding("refused", problem, "", place=source) for problem in error.problems]
    refused, warned = rehearse(study, runs_of(study))
    return [*refused, *warned]
