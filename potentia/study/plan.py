"""From a study to its runs: each cell's configuration, its identity, and what is wrong with it before it runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia.study.documents import SpecError, unknown
from potentia.study.learners import learner_problems
from potentia.study.shapings import shaper_problems
from potentia.study.spec import (
    CheckpointSpec,
    EnvironmentSpec,
    EvaluationSpec,
    LearnerSpec,
    ShapingSpec,
    StudySpec,
)


@dataclass(frozen=True)
class RunConfig:
    """One cell of a study: all that decides its result.

    Attributes:
        study: The study's name; not a part of the identity.
        environment: The world.
        shaping: The shaping.
        learner: The learner.
        seed: The seed.
        steps: Transitions in all.
        discount: Gamma.
        seed_namespace: See `StudySpec`.
        evaluation: See `StudySpec`.
        checkpoint: See `StudySpec`.
    """

    study: str
    environment: EnvironmentSpec
    shaping: ShapingSpec
    learner: LearnerSpec
    seed: int
    steps: int
    discount: float
    seed_namespace: int
    evaluation: EvaluationSpec
    checkpoint: CheckpointSpec

    @property
    def document(self) -> dict[str, Any]:
        """The configuration as JSON, without the run's id."""
        parts = {
            name: getattr(self, name).model_dump(mode="json")
            for name in ("environment", "shaping", "learner", "evaluation", "checkpoint")
        }
        plain = {name: getattr(self, name) for name in ("study", "seed", "steps", "discount", "seed_namespace")}
        return {**parts, **plain}

    @property
    def run_id(self) -> str:
        """A hash of what decides the result: the same cell in another study file has the same id.

        A threshold and anchors only say how a result is read, so they can be changed without running again.
        """
        identity = {name: value for name, value in self.document.items() if name != "study"}
        identity["environment"] = self.environment.model_dump(mode="json", exclude={"threshold", "anchors"})
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """The cell in words."""
        return f"{self.environment.label} · {self.shaping.name} · {self.learner.label} · seed {self.seed}"

    @classmethod
    def parse(cls, document: dict[str, Any]) -> RunConfig:
        """The configuration that `document` gave."""
        return cls(
            study=document["study"],
            environment=EnvironmentSpec.model_validate(document["environment"]),
            shaping=ShapingSpec.model_validate(document["shaping"]),
            learner=LearnerSpec.model_validate(document["learner"]),
            seed=document["seed"],
            steps=document["steps"],
            discount=document["discount"],
            seed_namespace=document["seed_namespace"],
            evaluation=EvaluationSpec.model_validate(document["evaluation"]),
            checkpoint=CheckpointSpec.model_validate(document["checkpoint"]),
        )


def runs_of(study: StudySpec) -> list[RunConfig]:
    """Every cell: seeds outermost, so that a study cut short has the same seeds everywhere."""
    runs = []
    for seed in study.seed_list:
        for environment in study.environments:
            for shaping in study.shapings:
                for learner in study.learners:
                    runs.append(
                        RunConfig(
                            study=study.name,
                            environment=environment,
                            shaping=shaping,
                            learner=learner,
                            seed=seed,
                            steps=environment.steps or study.steps,
                            discount=study.discount,
                            seed_namespace=study.seed_namespace,
                            evaluation=study.evaluation,
                            checkpoint=study.checkpoint,
                        )
                    )
    return runs


def check_study(study: StudySpec, source: str) -> None:
    """Checks all that can be checked without making a world.

    Raises:
        SpecError: With one line for each problem: the field, what was wanted, what came.
    """
    problems: list[str] = []
    for index, environment in enumerate(study.environments):
        if environment.id not in gym.registry:
            problems.append(f"environments[{index}].id: {unknown('environment', environment.id, gym.registry)}")
    for index, shaping in enumerate(study.shapings):
        for position, shaper in enumerate(shaping.shapers):
            problems += shaper_problems(shaper, f"shapings[{index}].shapers[{position}]")
    for index, learner in enumerate(study.learners):
        problems += learner_problems(learner, f"learners[{index}]")
    names = [shaping.name for shaping in study.shapings]
    if study.report.baseline not in names and len(names) > 1:
        problems.append(f"report.baseline: {unknown('shaping', study.report.baseline, names)}")
    if problems:
        raise SpecError(source, problems)
