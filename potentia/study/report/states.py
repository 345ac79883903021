"""How many runs completed, which did not, and what that means for the numbers."""

from __future__ import annotations

from collections import Counter

from potentia.study.report.cells import Cells, Method
from potentia.study.results import STATES, Run
from potentia.study.statistics import sample_size_warning

LOST = frozenset({"failed", "timeout", "interrupted"})
"""States of runs that ended without a result. The others are still to come."""


def state_counts(cells: Cells) -> dict[str, int]:
    """Number of runs in each state, in a fixed order, states without runs left out."""
    counts = Counter(run.state for run in cells.study.runs)
    known = {state: counts[state] for state in STATES if counts[state]}
    return known | {state: counts[state] for state in sorted(counts) if state not in known}


def lost_runs(cells: Cells) -> dict[Method, int]:
    """How many runs of each method ended without a result, over all worlds. Methods without any are left out."""
    counts = {
        method: sum(run.state in LOST for e in cells.environments for run in cells.runs.get((e, method), []))
        for method in cells.methods
    }
    return {method: count for method, count in counts.items() if count}


def troubles(cells: Cells) -> list[Run]:
    """Runs that did not complete, those that broke first."""
    order = {state: place for place, state in enumerate(("failed", "timeout", "interrupted", "running", "queued"))}
    return sorted((run for run in cells.study.runs if not run.completed), key=lambda run: order.get(run.state, 0))


def smallest_cell(cells: Cells) -> int:
    """The fewest completed runs of a cell that has any. The number is 0 where none has."""
    return min((count for count in _sizes(cells) if count), default=0)


def warnings(cells: Cells) -> list[str]:
    """Sentences about small samples and unequal cells."""
    sizes, fewest = _sizes(cells), smallest_cell(cells)
    found = []
    if not fewest:
        found.append("No run has completed yet.")
    elif sentence := sample_size_warning(fewest):
        found.append(f"Smallest cell: {sentence}")
    if len(set(sizes)) > 1:
        found.append(f"Cells differ in their number of completed runs ({min(sizes)} to {max(sizes)}).")
    unknown = [e for e in cells.environments if not cells.anchors[e].known]
    if unknown:
        found.append(
            "Unnormalised, because the random policy's or the optimal return is not known: "
            f"{', '.join(unknown)}. Left out of results over all worlds that need a common scale."
        )
    return found


def _sizes(cells: Cells) -> list[int]:
    """The number of completed runs of each cell that was planned."""
    return [len(cells.completed(e, m)) for e in cells.environments for m in cells.methods if (e, m) in cells.runs]
