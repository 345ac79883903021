"""What a study looks like in memory: runs with their evaluations and training logs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from potentia.study.archive import ArchiveMap
from potentia.study.results.certificates import RunCertificate
from potentia.study.results.files import Json, mapping, number, unique
from potentia.study.results.findings import StudyFinding
from potentia.study.results.judging import Judging
from potentia.study.results.searches import Search
from potentia.study.statistics import average_over_training
from potentia.study.statistics.estimates import Floats

_ANCHORS = ("random", "optimal")
STATES = ("completed", "running", "queued", "interrupted", "failed", "timeout")


@dataclass(frozen=True)
class Evaluations:
    """Evaluations on the true reward during one run.

    Attributes:
        steps: (K,) increasing environment steps.
        returns: (K,) mean true return of the episodes.
        success: (K,) success rate in [0, 1], NaN where the world defines none.
        length: (K,) mean episode length in steps.
        episodes: number of episodes of the last evaluation.
    """

    steps: Floats
    returns: Floats
    success: Floats
    length: Floats
    episodes: int


@dataclass(frozen=True)
class Training:
    """What the learner saw during one run, one entry for each logged interval.

    Attributes:
        steps: (K,) increasing environment steps.
        shares: share of |reward| of each term, (K,) each, NaN where a term was not logged.
        true_return: (K,) mean true return of the episodes that ended, NaN where none did.
        shaped_return: (K,) mean shaped return of the same episodes.
        profile: total seconds spent in each part of the loop.
    """

    steps: Floats
    shares: dict[str, Floats]
    true_return: Floats
    shaped_return: Floats
    profile: dict[str, float]


@dataclass(frozen=True)
class Run:
    """One cell of a study as it lies on disk."""

    folder: Path
    run_id: str
    study: str
    environment: str
    shaping: str
    learner: str
    seed: int
    planned_steps: int
    state: str
    error: str | None
    config: Json
    manifest: Json
    status: Json
    result: Json | None
    evaluations: Evaluations
    training: Training
    judging: tuple[Judging, ...] = ()
    search: Search | None = None
    certificate: RunCertificate | None = None

    @property
    def completed(self) -> bool:
        """Whether the run finished and has a final return."""
        return self.state == "completed"

    @property
    def final_return(self) -> float:
        """Mean true return of the final evaluation. It is NaN unless the run completed."""
        return number(mapping(self.result, "final").get("return_mean"))

    @property
    def final_success(self) -> float:
        """Success rate of the final evaluation. It is NaN unless the run completed and the world defines success."""
        return number(mapping(self.result, "final").get("success_rate"))

    @property
    def steps_done(self) -> int:
        """Environment steps taken so far."""
        done = self.result if self.result is not None else self.status
        steps = number(done.get("steps"))
        return int(steps) if math.isfinite(steps) else 0

    @property
    def wall_seconds(self) -> float:
        """Wall-clock seconds of the run. They are NaN unless the run completed."""
        return number(self.result.get("wall_seconds")) if self.result else math.nan

    @property
    def anchors(self) -> tuple[float, float]:
        """Return of the random policy and of the optimum. They are NaN where unknown."""
        preset = mapping(mapping(self.config, "environment"), "anchors")  # may be changed after the run
        found = mapping(self.result, "anchors")
        random, optimal = (preset.get(name) if preset.get(name) is not None else found.get(name) for name in _ANCHORS)
        return number(random), number(optimal)

    @cached_property
    def archive(self) -> ArchiveMap | None:
        """What its search kept, thinned out. It is None unless the run completed and its learner keeps an archive."""
        return ArchiveMap.load(self.folder)

    @cached_property
    def average_return(self) -> float:
        """True return averaged over the evaluations of training (trapezoid rule). It is NaN without evaluations."""
        if not self.evaluations.steps.size:
            return math.nan
        return float(average_over_training(self.evaluations.steps, self.evaluations.returns))


@dataclass(frozen=True)
class Study:
    """All runs of a study, in a fixed order, with the names of its axes."""

    name: str
    folder: Path
    spec: Json
    spec_text: str
    runs: tuple[Run, ...]
    findings: tuple[StudyFinding, ...] = ()

    @property
    def environments(self) -> list[str]:
        """Environment labels, in order of first appearance in the specification (else alphabetical)."""
        return unique(run.environment for run in self.runs)

    @property
    def shapings(self) -> list[str]:
        """Shaping names. The baseline "none" comes first."""
        return unique(run.shaping for run in self.runs)

    @property
    def learners(self) -> list[str]:
        """Learner labels."""
        return unique(run.learner for run in self.runs)

    @property
    def not_started(self) -> int:
        """How many cells of the specification have no run folder yet."""
        axes = [self.spec.get(axis) for axis in ("environments", "shapings", "learners", "seeds")]
        sizes = [axis if isinstance(axis, int) else len(axis) for axis in axes if isinstance(axis, (int, list))]
        return max(math.prod(sizes) - len(self.runs), 0) if len(sizes) == len(axes) else 0

    def select(self, environment: str, shaping: str, learner: str) -> list[Run]:
        """The runs of one cell, ordered by seed."""
        wanted = (environment, shaping, learner)
        return [run for run in self.runs if (run.environment, run.shaping, run.learner) == wanted]
