"""What was proved of each shaping in the worlds that can be solved, over the runs of a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from potentia.study.report.cells import Cells, Method
from potentia.study.results.certificates import RunCertificate
from potentia.study.results.files import unique

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True)
class CertificateRow:
    """The certificates of the completed runs of a cell: the worst of each number, which is None if none was certified.

    `preserved` of `certified` runs keep the optimum. `runs` is how many have a certificate, or a reason why they have
    none. The optimal value is that of the run with the worst regret.
    """

    environment: str
    method: Method
    runs: int
    certified: int
    preserved: int
    worst_regret: float | None
    worst_regret_anywhere: float | None
    optimal_value: float | None
    num_changed: float | None
    num_nodes: float | None
    not_covered: list[str]
    reasons: list[str]


def certificate_rows(cells: Cells) -> list[CertificateRow]:
    """The cells whose completed runs have kept certificates, or why there are none."""
    rows = []
    for environment in cells.environments:
        for method in cells.methods:
            kept = [run.certificate for run in cells.completed(environment, method)]
            found = [one for one in kept if one is not None]
            if found:
                rows.append(_row(environment, method, found))
    return rows


def certificate_notes(rows: Sequence[CertificateRow]) -> list[str]:
    """Every sentence that the rows say beside their numbers, once."""
    return unique(line for row in rows for line in (*row.reasons, *row.not_covered))


def _row(environment: str, method: Method, found: Sequence[RunCertificate]) -> CertificateRow:
    known = [one for one in found if one.certified]
    worst = max(known, key=lambda one: one.worst_regret, default=None)
    widest = max(known, key=lambda one: one.num_changed, default=None)
    return CertificateRow(
        environment,
        method,
        runs=len(found),
        certified=len(known),
        preserved=sum(bool(one.optimum_preserved) for one in known),
        worst_regret=None if worst is None else worst.worst_regret,
        worst_regret_anywhere=max((one.worst_regret_anywhere for one in known), default=None),
        optimal_value=None if worst is None else worst.optimal_value,
        num_changed=None if widest is None else widest.num_changed,
        num_nodes=None if widest is None else widest.num_nodes,
        not_covered=_merged(line for one in known for line in one.not_covered),
        reasons=_merged(f"Not certified: {one.reason}" for one in found if not one.certified),
    )


def _merged(sentences: Iterable[str]) -> list[str]:
    """Sentences that differ in their last number alone become one: "that of seed 0, 1, 2"."""
    numbers: dict[tuple[str, str], list[str]] = {}
    for text in unique(sentences):
        found = _LAST_NUMBER.search(text)
        parts = (text[: found.start()], text[found.end() :]) if found else (text, "")
        numbers.setdefault(parts, []).extend([found[0]] if found else [])
    return [before + ", ".join(own) + after for (before, after), own in numbers.items()]
