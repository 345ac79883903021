"""The cells of a study: which runs belong to which world and method, and on what scale they are compared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from potentia.study.results import Anchors, Run, Study, world_anchors
from potentia.study.results.files import mapping
from potentia.study.results.labels import distinct_labels
from potentia.study.statistics.estimates import Floats

SEED = 20_211  # any constant: a report of the same data is the same report
RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Method:
    """A shaping with a learner: what is compared. `study` differs only where studies are compared."""

    label: str
    shaping: str
    learner: str
    study: str
    baseline: bool


@dataclass(frozen=True)
class Cells:
    """A study arranged by world and method."""

    study: Study
    environments: tuple[str, ...]
    methods: tuple[Method, ...]
    runs: dict[tuple[str, Method], list[Run]]
    anchors: dict[str, Anchors]

    def completed(self, environment: str, method: Method) -> list[Run]:
        """The runs of a cell that have a final return, by seed."""
        return [run for run in self.runs.get((environment, method), []) if run.completed]

    def returns(self, environment: str, method: Method) -> Floats:
        """(n,) final true returns of the completed runs of a cell."""
        return np.array([run.final_return for run in self.completed(environment, method)])

    def ends(self, environment: str, *, normalised: bool) -> tuple[float, float]:
        """The lowest and the highest score of a world: its anchors, and all that any run of the study came to in it.

        It is how far off a run could be that a cell has not seen, see `potentia.study.statistics.unseen_share`.
        """
        runs = [run for run in self.study.runs if run.environment == environment]
        anchors = self.anchors[environment]
        seen = [run.evaluations.returns for run in runs if run.evaluations.returns.size]
        values = np.concatenate([[anchors.random, anchors.optimal], [run.final_return for run in runs], *seen])
        values = values[np.isfinite(values)]
        if normalised:
            values = anchors.normalised(values)
        return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)

    def baseline_of(self, method: Method) -> Method | None:
        """The unshaped method with the same learner (and study), or None."""
        for other in self.methods:
            if other.baseline and (other.learner, other.study) == (method.learner, method.study):
                return other
        return None

    def comparable(self) -> list[str]:
        """Worlds whose scores are normalised, so that they may be averaged."""
        return [environment for environment in self.environments if self.anchors[environment].known]


def arrange(study: Study) -> Cells:
    """Group the runs of a study into cells."""
    baseline = str(mapping(study.spec, "report").get("baseline") or "none")
    several_learners = len(study.learners) > 1
    methods: dict[tuple[str, str, str], Method] = {}
    runs: dict[tuple[str, Method], list[Run]] = {}
    for run in study.runs:
        key = (run.shaping, run.learner, run.study)
        if key not in methods:
            label = f"{run.shaping} · {run.learner}" if several_learners else run.shaping
            methods[key] = Method(label, *key, baseline=_unshaped(run, baseline))
        runs.setdefault((run.environment, methods[key]), []).append(run)
    environments = tuple(study.environments)
    anchors = {e: world_anchors(run for run in study.runs if run.environment == e) for e in environments}
    return Cells(study, environments, tuple(methods.values()), runs, anchors)


def merge(studies: list[Study]) -> Study:
    """One study out of several: shapings are prefixed with the study's name, labels are made anew."""
    first = studies[0]
    if len(studies) == 1:
        return first
    runs = [replace(run, study=study.name) for study in studies for run in study.runs]
    environments = distinct_labels([run.config.get("environment", {}) for run in runs], "id")
    learners = distinct_labels([run.config.get("learner", {}) for run in runs], "type")
    merged = tuple(
        replace(run, environment=environment, learner=learner, shaping=f"{run.study}: {run.shaping}")
        for run, environment, learner in zip(runs, environments, learners, strict=True)
    )
    text = "\n".join(f"# {study.name}\n{study.spec_text}" for study in studies)
    return Study(
        " and ".join(study.name for study in studies),
        first.folder,
        {"report": mapping(first.spec, "report")},
        text,
        merged,
        tuple(finding for study in studies for finding in study.findings),
    )


def generator(*names: str) -> np.random.Generator:
    """A generator that depends on names only: adding a method moves no other method's interval."""
    return np.random.default_rng([SEED, *(zlib.crc32(name.encode()) for name in names)])


def _unshaped(run: Run, baseline: str) -> bool:
    """Whether a run belongs to the baseline, by the name that its study gives it."""
    return str(mapping(run.config, "shaping").get("name")) == baseline
