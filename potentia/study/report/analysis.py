"""Everything that a report says, computed once and rendered in several formats."""

from __future__ import annotations

from dataclasses import dataclass

from potentia.study.report.cells import Cells, Method, arrange
from potentia.study.report.certificates import CertificateRow, certificate_rows
from potentia.study.report.comparisons import (
    PairedRow,
    ThresholdRow,
    improvement,
    paired_rows,
    threshold_rows,
)
from potentia.study.report.costs import CostRow, costs
from potentia.study.report.curves import Curve, coverage_curves, profiles, return_curves, success_curves
from potentia.study.report.hacking import HackingRow, gap_curves, hacking_rows
from potentia.study.report.judges import JudgeRow, judge_rows
from potentia.study.report.manifests import contracts, provenance
from potentia.study.report.ranking import Ranking, rank_environment, rank_overall
from potentia.study.report.reward_shares import Shares, reward_shares
from potentia.study.report.searches import AreaRow, MapOfArchive, SearchRow, archive_maps, area_rows, search_rows
from potentia.study.report.states import lost_runs, smallest_cell, state_counts, troubles, warnings
from potentia.study.results import Run, Study
from potentia.study.statistics import Coverage, Interval, measured_coverage


@dataclass(frozen=True)
class Analysis:
    """The numbers of a report.

    Attributes:
        cells: the runs by world and method.
        counts: number of runs in each state.
        lost: number of runs of each method that ended without a result.
        warnings: sentences about small samples and unequal cells.
        coverage: what nominal intervals from as many runs as the smallest cell has held in trials.
        overall: the ranking over all worlds with known anchors.
        rankings: that of each world.
        curves: lines of the figures, by quantity: "true return", "success rate", "hacking gap", "profile", "coverage".
        shares: what the learner was paid for.
        improvements: P(first > second).
        paired: differences from no shaping, seed by seed.
        thresholds: steps to thresholds.
        hacking: hacking indices.
        costs: time and speed.
        judges: what judges cost, and how good they were.
        searches: what searches for policies have found.
        areas: what they have found in each reward area.
        maps: an archive of each.
        certificates: what was proved of it in worlds that can be solved.
        contracts: what each shaping promises.
        troubles: runs that did not complete.
        provenance: settings of the manifests.
    """

    cells: Cells
    counts: dict[str, int]
    lost: dict[Method, int]
    warnings: list[str]
    coverage: list[Coverage]
    overall: Ranking | None
    rankings: list[Ranking]
    curves: dict[str, list[Curve]]
    shares: list[Shares]
    improvements: dict[tuple[Method, Method], Interval]
    paired: list[PairedRow]
    thresholds: list[ThresholdRow]
    hacking: list[HackingRow]
    costs: list[CostRow]
    judges: list[JudgeRow]
    searches: list[SearchRow]
    areas: list[AreaRow]
    maps: list[MapOfArchive]
    certificates: list[CertificateRow]
    contracts: list[tuple[Method, dict[str, str]]]
    troubles: list[Run]
    provenance: list[tuple[str, str]]

    @property
    def finished(self) -> bool:
        """Whether every run completed."""
        return not self.troubles and not self.cells.study.not_started

    @property
    def all_rankings(self) -> list[Ranking]:
        """The ranking over all worlds, if there is one, and that of each."""
        return ([self.overall] if self.overall is not None else []) + self.rankings

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
    fewest = smallest_cell(cells)
    return Analysis(
        cells=cells,
        counts=state_counts(cells),
        lost=lost_runs(cells),
        warnings=warnings(cells),
        coverage=measured_coverage(fewest) if fewest else [],
        overall=rank_overall(cells),
        rankings=[rank_environment(cells, environment) for environment in cells.environments],
        curves=_curves(cells),
        shares=reward_shares(cells),
        improvements={pair: value for pair, value in found.items() if value is not None},
        paired=paired_rows(cells),
        thresholds=threshold_rows(cells),
        hacking=hacking_rows(cells),
        costs=costs(cells),
        judges=judge_rows(cells),
        searches=search_rows(cells),
        areas=area_rows(cells),
        maps=archive_maps(cells),
        certificates=certificate_rows(cells),
        contracts=contracts(cells),
        troubles=troubles(cells),
        provenance=provenance(cells),
    )


def _curves(cells: Cells) -> dict[str, list[Curve]]:
    worlds = cells.comparable()
    groups = ([worlds] if len(worlds) > 1 else []) + [[environment] for environment in worlds]
    return {
        "true return": [curve for e in cells.environments for curve in return_curves(cells, e)],
        "success rate": [curve for e in cells.environments for curve in success_curves(cells, e)],
        "hacking gap": [curve for e in cells.environments for curve in gap_curves(cells, e)],
        "profile": [curve for names in groups for curve in profiles(cells, names)],
        "coverage": [curve for e in cells.environments for curve in coverage_curves(cells, e)],
    }
