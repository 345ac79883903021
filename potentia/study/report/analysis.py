"""Everything that a report says, computed once and rendered in several formats."""

from __future__ import annotations

from dataclasses import dataclass

from potentia.study.report import bookkeeping
from potentia.study.report.cells import Cells, Method, arrange
from potentia.study.report.comparisons import (
    PairedRow,
    ThresholdRow,
    improvement,
    paired_rows,
    threshold_rows,
)
from potentia.study.report.hacking import HackingRow, hacking_rows
from potentia.study.report.ranking import Ranking, rank_environment, rank_overall
from potentia.study.results import Run, Study
from potentia.study.statistics import Interval


@dataclass(frozen=True)
class Analysis:
    """The numbers of a report."""

    cells: Cells
    counts: dict[str, int]
    warnings: list[str]
    overall: Ranking | None
    rankings: list[Ranking]
    improvements: dict[tuple[Method, Method], Interval]
    paired: list[PairedRow]
    thresholds: list[ThresholdRow]
    hacking: list[HackingRow]
    costs: list[bookkeeping.CostRow]
    contracts: list[tuple[Method, dict[str, str]]]
    troubles: list[Run]
    provenance: list[tuple[str, str]]

    @property
    def finished(self) -> bool:
        """Whether every run completed."""
        return not self.troubles and not self.cells.study.not_started

    @property
    def headline(self) -> Ranking | None:
        """The ranking that answers the question: over all worlds, or that of the only world."""
        if self.overall is not None:
            return self.overall
        return self.rankings[0] if len(self.rankings) == 1 else None


def analyse(study: Study) -> Analysis:
    """Compute everything that a report of this study says."""
    cells = arrange(study)
    pairs = [(first, second) for first in cells.methods for second in cells.methods]
    found = {pair: improvement(cells, *pair) for pair in pairs}
    rankings = [rank_environment(cells, environment) for environment in cells.environments]
    return Analysis(
        cells=cells,
        counts=bookkeeping.state_counts(cells),
        warnings=bookkeeping.warnings(cells),
        overall=rank_overall(cells),
        rankings=rankings,
        improvements={pair: value for pair, value in found.items() if value is not None},
        paired=paired_rows(cells),
        thresholds=threshold_rows(cells),
        hacking=hacking_rows(cells),
        costs=bookkeeping.costs(cells),
        contracts=bookkeeping.contracts(cells),
        troubles=bookkeeping.troubles(cells),
        provenance=bookkeeping.provenance(cells),
    )
