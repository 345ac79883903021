"""What a study is: environments x shapings x learners x seeds, as it is written; checked in form before all else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from potentia.objects.kinds import unknown
from potentia.study.documents import SpecError, field_path, read_yaml, value_problems

MOST_RUNS = 100_000
"""The runs that one study may have."""

Name = Annotated[str, Field(pattern=r"^[^/\s\x00-\x1f][^/\x00-\x1f]*$", max_length=200)]
"""A label: not empty, on one line, no slash."""
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Module = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]


class _Section(BaseModel):
    """A mapping in a study file: frozen, strictly typed, and with close matches for a field it doesn't know."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    renamed: ClassVar[dict[str, str]] = {}
    """Fields that had another name."""

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        for key in data if isinstance(data, dict) else ():
            if key in cls.renamed:
                new = cls.renamed[key]
                raise ValueError(f"the field {key!r} is named {new!r}: write {new}: {data[key]!r}")
            if key not in cls.model_fields:
                raise ValueError(unknown("field", str(key), cls.model_fields))
        return data


class Anchors(_Section):
    """The returns that normalise a world's score: of a random policy, and of the best there is.

    Attributes:
        random: The mean return of a policy that acts at random.
        optimal: The return of the best policy, or of the best known.
    """

    random: float | None = None
    optimal: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.random is not None and self.optimal is not None and self.random >= self.optimal:
            raise ValueError(f"random must be less than optimal, got {self.random} and {self.optimal}")
        return self


class EnvironmentSpec(_Section):
    """A world of the study.

    Attributes:
        id: Its Gymnasium id; any registered environment will do, also ``module:Id``, which imports the module first.
        name: Its label in reports; the id by default.
        kwargs: What ``gymnasium.make`` is given.
        num_envs: How many copies a run steps together.
        max_episode_steps: A time limit other than the registered one.
        steps: A number of steps other than the study's.
        threshold: The true return that counts as solved, for steps-to-threshold.
        anchors: Overrides of the anchors that the world gives itself.
        learner: Overrides of the learners' ``config`` in this world.
    """

    id: Annotated[str, Field(min_length=1, max_length=200)]
    name: Name | None = None
    kwargs: dict[str, Any] = {}
    num_envs: Annotated[int, Field(ge=1, le=2**20)] = 16
    max_episode_steps: Count | None = None
    steps: Count | None = None
    threshold: float | None = None
    anchors: Anchors = Anchors()
    learner: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The name, else the id."""
        return self.name or self.id


class ShapingSpec(_Section):
    """A shaping: shapers in order under one name; none at all is the baseline.

    Attributes:
        name: Its label in reports; call the one without shapers ``none``.
        shapers: Each ``{type: ..., argument: value, ...}``, and perhaps ``weight``, a number or a schedule.
    """

    name: Name
    shapers: list[dict[str, Any]] = []

    @field_validator("shapers", mode="before")
    @classmethod
    def _as_data(cls, shapers: Any) -> Any:
        """Shapers of Python in the form that a file has."""
        return _plain(shapers)


class LearnerSpec(_Section):
    """A learner.

    Attributes:
        type: Which one; ``potentia learners`` lists them.
        name: Its label in reports; the type by default.
        config: The settings of its configuration, and those that every learner has.
    """

    type: str
    name: Name | None = None
    config: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The name, else the type."""
        return self.name or self.type


@dataclass(frozen=True)
class Collecting:
    """The settings that every learner has beside its own.

    Attributes:
        rollout_steps: How many steps of each environment it learns from at once. Some learners have a default of their
            own: a search for policies learns from 1, an evaluation of each policy.
        streams: Whether a shaper's terms may have a value head of their own.
    """

    rollout_steps: int = 128
    streams: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.rollout_steps <= 2**20:
            raise ValueError(f"rollout_steps must lie in 1 to {2**20:,}, got {self.rollout_steps}")


class EvaluationSpec(_Section):
    """How the true return is measured, on environments of its own, with nothing learning.

    Attributes:
        every: Steps between evaluations; there is one more at step 0 and one at the end.
        episodes: How many episodes, spread evenly over the environments.
        greedy: Whether the most probable actions are taken instead of drawn ones.
    """

    every: Count = 10_000
    episodes: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    greedy: bool = False


class CheckpointSpec(_Section):
    """How often a run is saved.

    Attributes:
        every: Steps between checkpoints. Environments start anew at each, so that a resumed run is the same run.
    """

    every: Count = 50_000


class ReportSpec(_Section):
    """What the report says.

    Attributes:
        baseline: The name of the shaping that the others are compared with.
    """

    baseline: str = "none"


class StudySpec(_Section):
    """A study: each environment with each shaping, learner and seed is one run.

    Attributes:
        name: The name of the folder of its results; letters, digits and ``._-``.
        folder: Where relative paths in this file begin; the file's own folder by default.
        description: A sentence for the list of studies and the report.
        imports: Modules to import first, because they register environments; found also beside the study's file.
        environments: The worlds.
        shapings: The shapings.
        learners: The learners.
        gamma: The discount factor, written once: learners and shapers read it from the data.
        device: Where the learner and the shapers live: ``cpu``, ``cuda`` or ``cuda:1``.
        seeds: A list, or a number n for 0 .. n-1. Seed s gives the same worlds, evaluations and networks in every
            shaping.
        seed_namespace: Another number gives other random streams for the same seeds.
        steps: Transitions in each run.
        evaluation: How the true return is measured.
        checkpoint: How often a run is saved.
        certify: Where a run that completes keeps a certificate of its shaping, as `potentia.audit.certify` gives it. By
            default in worlds that are given as tables; with true also in those that must be walked; with false nowhere.
        timeout: Seconds after which a run is stopped.
        report: What the report says.
    """

    renamed: ClassVar[dict[str, str]] = {"discount": "gamma"}

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    folder: str | None = None
    description: str = ""
    imports: list[Module] = []
    environments: Annotated[list[EnvironmentSpec], Field(min_length=1)]
    shapings: Annotated[list[ShapingSpec], Field(min_length=1)]
    learners: Annotated[list[LearnerSpec], Field(min_length=1)] = [LearnerSpec(type="ppo")]
    gamma: Annotated[float, Field(ge=0, le=1)]
    device: Annotated[str, Field(pattern=r"^[a-z]+(:\d+)?$")] = "cpu"
    seeds: int | list[int] = 5
    seed_namespace: Seed = 0
    steps: Count
    evaluation: EvaluationSpec = EvaluationSpec()
    checkpoint: CheckpointSpec = CheckpointSpec()
    certify: bool | None = None
    timeout: Annotated[float, Field(gt=0)] | None = None
    report: ReportSpec = ReportSpec()

    @field_validator("seeds", mode="before")
    @classmethod
    def _seed_forms(cls, seeds: Any) -> Any:
        listed = seeds if isinstance(seeds, list) else [seeds]
        if not listed or any(isinstance(seed, bool) or not isinstance(seed, int) for seed in listed):
            raise ValueError(f"must be a number of seeds or a list of seeds, got {seeds!r}")
        most = max(len(listed), seeds if isinstance(seeds, int) else 0)
        if min(listed) < 0 or seeds == 0 or most > MOST_RUNS:
            raise ValueError(f"must be 1 to {MOST_RUNS:,} seeds, each at least 0, got {str(seeds)[:100]}")
        return seeds

    @model_validator(mode="after")
    def _unlike_names(self) -> Self:
        _distinct("environments", "name", (environment.label for environment in self.environments))
        _distinct("shapings", "name", (shaping.name for shaping in self.shapings))
        _distinct("learners", "name", (learner.label for learner in self.learners))
        _distinct("seeds", "seed", map(str, self.seed_list))
        sizes = [len(self.environments), len(self.shapings), len(self.learners), len(self.seed_list)]
        runs = sizes[0] * sizes[1] * sizes[2] * sizes[3]
        if runs > MOST_RUNS:
            product = " x ".join(map(str, sizes))
            raise ValueError(
                f"environments x shapings x learners x seeds = {product} = {runs:,} runs; at most "
                f"{MOST_RUNS:,} can be in one study"
            )
        return self

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one by one."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    from potentia.shaping.objects import to_data  # noqa: PLC0415 - a study in a file has no need of it

    return to_data(value)


def _distinct(field: str, key: str, labels: Iterable[str]) -> None:
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            raise ValueError(f"{field}: two have the {key} {label!r}; give one another {key}")
        seen.add(label)


def parse_study(document: dict[str, Any], source: str = "study") -> StudySpec:
    """Checks a document's form.

    Raises:
        SpecError: With one line for each field that is wrong: what was wanted, what came.
    """
    if problems := value_problems(document):
        raise SpecError(source, problems)
    try:
        return StudySpec.model_validate(document)
    except ValidationError as error:
        raise SpecError(source, [_problem(detail) for detail in error.errors()]) from error


def _problem(detail: Any) -> str:
    # Pydantic names the branch of a union it tried ("int", "constrained-list"); that is not a part of the file.
    location = [part for part in detail["loc"] if isinstance(part, int) or part.isidentifier()]
    if location and location[-1] in ("int", "float", "dict"):
        location = location[:-1]
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "missing":
        return f"{field_path(location)}: this field is required"
    if detail["type"] == "value_error":
        path = field_path(location)
        return f"{path}: {message}" if path else message
    return f"{field_path(location)}: {message[0].lower()}{message[1:]}, got {str(detail['input'])[:100]!r}"


def bundled_studies() -> dict[str, str]:
    """The studies that come with the package: name to YAML text."""
    folder = resources.files("potentia.study").joinpath("bundled")
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    return {entry.name.removesuffix(".yaml"): entry.read_text("utf-8") for entry in sorted(files, key=lambda e: e.name)}


def load_study(source: str | Path) -> StudySpec:
    """Reads a study from a YAML file, or one that comes with the package by its name.

    Raises:
        SpecError: If there is no such study, or it is wrong.
    """
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(str(source), [f"can't be read: {error}"]) from error
        study = parse_study(read_yaml(text, str(source)), str(source))
        return study.model_copy(update={"folder": os.path.realpath(path.parent / (study.folder or ""))})
    bundled = bundled_studies()
    if str(source) not in bundled:
        problem = unknown("study", str(source), bundled) + "; or give the path of a .yaml file"
        raise SpecError(str(source), [problem])
    return parse_study(read_yaml(bundled[str(source)], str(source)), str(source))
