"""From a study to its runs: each cell's configuration, its identity, and what is wrong with it before it runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from potentia.objects import unknown
from potentia.study.documents import SpecError
from potentia.study.spec import (
    CheckpointSpec,
    EnvironmentSpec,
    EvaluationSpec,
    LearnerSpec,
    ShapingSpec,
    StudySpec,
)

_SECTIONS: dict[str, type[BaseModel]] = {
    "environment": EnvironmentSpec,
    "shaping": ShapingSpec,
    "learner": LearnerSpec,
    "evaluation": EvaluationSpec,
    "checkpoint": CheckpointSpec,
}
_PLAIN = ("study", "folder", "imports", "seed", "steps", "gamma", "device", "seed_namespace", "certify")
_NO_RESULT = ("study", "folder", "imports", "certify")
"""What says where things are found and what is told of a run, and decides no result."""
_READ_FILES = ("path", "demonstrations", "preferences", "goal")
"""The arguments that may name a file, one which is read and never written."""


@dataclass(frozen=True)
class RunConfig:
    """One cell of a study: all that decides its result.

    Attributes:
        study: The study's name. It is not a part of the identity.
        folder: Where relative paths begin, None for the working directory. It is not a part of the identity.
        imports: Modules that register environments. They are not a part of the identity.
        environment: The world.
        shaping: The shaping.
        learner: The learner.
        seed: The seed.
        steps: Transitions in all.
        gamma: The discount factor.
        device: Where the learner and the shapers live.
        seed_namespace: See `StudySpec`.
        evaluation: See `StudySpec`.
        checkpoint: See `StudySpec`.
        certify: See `StudySpec`. It is not a part of the identity.
    """

    study: str
    folder: str | None
    imports: tuple[str, ...]
    environment: EnvironmentSpec
    shaping: ShapingSpec
    learner: LearnerSpec
    seed: int
    steps: int
    gamma: float
    device: str
    seed_namespace: int
    evaluation: EvaluationSpec
    checkpoint: CheckpointSpec
    certify: bool | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The configuration as JSON, without the run's id."""
        parts = {name: getattr(self, name).model_dump(mode="json") for name in _SECTIONS}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {**parts, **plain, "imports": list(self.imports)}

    @cached_property
    def run_id(self) -> str:
        """A hash of what decides the result: the same cell in another study file has the same id.

        A threshold and anchors only say how a result is read, so they can be changed without running again. A file
        counts by what is in it, not by its path.
        """
        identity = {name: value for name, value in self.document.items() if name not in _NO_RESULT}
        environment = self.environment.model_dump(mode="json", exclude={"threshold", "anchors"})
        kwargs = {name: _contents(path) if path else value for name, value, path in self._kwargs_and_files()}
        identity["environment"] = environment | {"kwargs": kwargs}
        for part in ("shaping", "learner"):
            identity[part] = _with_contents(identity[part], Path(self.folder or "."))
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def kwargs(self) -> dict[str, Any]:
        """What ``gymnasium.make`` is given. A text that names a file in the folder becomes its whole path."""
        return {name: str(path) if path else value for name, value, path in self._kwargs_and_files()}

    def _kwargs_and_files(self) -> Iterator[tuple[str, Any, Path | None]]:
        for name, value in self.environment.kwargs.items():
            path = Path(self.folder or ".").absolute() / value if _may_name_a_file(value) else None
            yield name, value, path if path is not None and path.is_file() else None

    @property
    def label(self) -> str:
        """The cell in words."""
        return f"{self.environment.label} · {self.shaping.name} · {self.learner.label} · seed {self.seed}"

    @classmethod
    def parse(cls, document: dict[str, Any]) -> RunConfig:
        """The configuration that `document` gave.

        Raises:
            ValueError: If the document lacks a field, as those of an earlier form of this library do.
        """
        document = {"folder": None, "certify": None} | document
        missing = [name for name in (*_SECTIONS, *_PLAIN) if name not in document]
        if missing:
            raise ValueError(
                f"this configuration of a run lacks {', '.join(missing)}: an earlier version wrote it; run its study "
                "again"
            )
        sections: dict[str, Any] = {name: form.model_validate(document[name]) for name, form in _SECTIONS.items()}
        plain = {name: document[name] for name in _PLAIN}
        return cls(**sections, **plain | {"imports": tuple(document["imports"])})


def _may_name_a_file(value: Any) -> bool:
    """Whether a text looks like the relative path of a file: one line with an ending."""
    return isinstance(value, str) and len(value) < 200 and value.isprintable() and bool(Path(value).suffix)


def _with_contents(value: Any, folder: Path) -> Any:
    """A shaping or a learner in which a hash of what is in a file stands for its path.

    Raises:
        SpecError: If there is no such file: then it can't be said which run this is.
    """
    if isinstance(value, list):
        return [_with_contents(entry, folder) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {key: _with_contents(entry, folder) for key, entry in value.items()}
    for name in _READ_FILES:
        text = value.get(name)
        if not isinstance(text, str) or (name != "path" and not _may_name_a_file(text)):
            continue
        path = folder / Path(text).expanduser()
        if path.is_file():
            found[name] = _contents(path)
        elif value.get("type") == "file":
            raise SpecError("study", [f"there is no file {text!r} (from {folder.absolute()}); put it back"])
    return found


def _contents(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
                            folder=study.folder,
                            imports=tuple(study.imports),
                            environment=environment,
                            shaping=shaping,
                            learner=learner,
                            seed=seed,
                            steps=environment.steps or study.steps,
                            gamma=study.gamma,
                            device=study.device,
                            seed_namespace=study.seed_namespace,
                            evaluation=study.evaluation,
                            checkpoint=study.checkpoint,
                            certify=study.certify,
                        )
                    )
    return runs


def check_study(study: StudySpec, source: str) -> None:
    """Checks all that can be checked without making a world.

    Raises:
        SpecError: With one line for each problem: the field, what was wanted, what came.
    """
    from potentia.study.learners import learner_problems, setting_problems  # noqa: PLC0415 - torch is slow to import
    from potentia.study.modules import environment_problem, import_modules, search_beside, unreachable  # noqa: PLC0415
    from potentia.study.shapings import shaping_problems  # noqa: PLC0415

    search_beside(source, study.folder)
    problems = [f"imports: {problem}" for problem in import_modules(study.imports)]
    found = {index: environment_problem(environment.id) for index, environment in enumerate(study.environments)}
    problems += [f"environments[{index}].id: {problem}" for index, problem in found.items() if problem]
    for index, shaping in enumerate(study.shapings):
        problems += shaping_problems(shaping, f"shapings[{index}]", study.folder)
    for index, learner in enumerate(study.learners):
        wrong = learner_problems(learner, f"learners[{index}]", study.folder)
        problems += wrong
        for place, environment in enumerate(study.environments if not wrong else ()):
            problems += setting_problems(learner, environment.learner, f"environments[{place}].learner", study.folder)
    names = [shaping.name for shaping in study.shapings]
    if study.report.baseline not in names and len(names) > 1:
        problems.append(f"report.baseline: {unknown('shaping', study.report.baseline, names)}")
    if not problems:
        hint = "a run has a process of its own; put the registration into a module and name it: 'imports: [module]'"
        lost = unreachable([environment.id for environment in study.environments], study.imports)
        problems = [f"environments: {name!r} is registered in this process only; {hint}" for name in lost]
    if problems:
        raise SpecError(source, list(dict.fromkeys(problems)))
