"""What a study is: environments x shapings x learners x seeds, read from YAML and checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from potentia.study.documents import SpecError, field_path, read_yaml, unknown

Name = Annotated[str, Field(pattern=r"^[^/\s][^/\n]*$")]
"""A label: not empty, no slash."""
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    """A mapping in a study file: frozen, strictly typed, and with close matches for a field it doesn't know."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        if isinstance(data, dict) and cls.model_config.get("extra") == "forbid":
            for key in data:
                if key not in cls.model_fields:
                    raise ValueError(unknown("field", str(key), cls.model_fields))
        return data


class Anchors(_Section):
    """The returns that normalise a world's score: of a random policy, and of the best there is."""

    random: float | None = None
    optimal: float | None = None


class EnvironmentSpec(_Section):
    """A world of the study.

    Attributes:
        id: Its Gymnasium id; any registered environment will do.
        name: Its label in reports; the id by default.
        kwargs: What ``gymnasium.make`` is given.
        num_envs: How many copies a run steps together.
        max_episode_steps: A time limit other than the registered one.
        steps: A number of steps other than the study's.
        threshold: The true return that counts as solved, for steps-to-threshold.
        anchors: Overrides of the anchors that the world gives itself.
        learner: Overrides of the learners' ``config`` in this world.
    """

    id: str
    name: Name | None = None
    kwargs: dict[str, Any] = {}
    num_envs: Count = 16
    max_episode_steps: Count | None = None
    steps: Count | None = None
    threshold: float | None = None
    anchors: Anchors = Anchors()
    learner: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The name, else the id."""
        return self.name or self.id


class ShaperSpec(_Section):
    """A shaper: its type, its weight (a number or a schedule), and its constructor's arguments beside them."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    type: str
    weight: float | dict[str, Any] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the constructor is given."""
        return dict(self.__pydantic_extra__ or {})


class ShapingSpec(_Section):
    """A shaping: shapers in order under one name; none at all is the baseline."""

    name: Name
    shapers: list[ShaperSpec] = []


class LearnerSpec(_Section):
    """A learner: its type, its label, and overrides of its configuration."""

    type: str
    name: Name | None = None
    config: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The name, else the type."""
        return self.name or self.type


class EvaluationSpec(_Section):
    """How the true return is measured: every so many steps, at step 0 and at the end, on environments of its own."""

    every: Count = 10_000
    episodes: Count = 20
    greedy: bool = False


class CheckpointSpec(_Section):
    """How often a run is saved; environments start anew at each checkpoint, so that a resumed run is the same run."""

    every: Count = 50_000


class ReportSpec(_Section):
    """What the report compares against."""

    baseline: str = "none"


class StudySpec(_Section):
    """A study: each environment with each shaping, learner and seed is one run.

    Attributes:
        name: The folder's name; letters, digits and ``._-``.
        description: A sentence for the list of studies and the report.
        environments: The worlds.
        shapings: The shapings; call the one without shapers ``none``.
        learners: The learners.
        discount: Gamma, written once: learners and shapers read it from the data.
        seeds: A list, or a number n for 0 .. n-1. Seed s gives the same worlds, evaluations and networks in every
            shaping.
        seed_namespace: Another number gives other random streams for the same seeds.
        steps: Transitions in each run.
        evaluation: See `EvaluationSpec`.
        checkpoint: See `CheckpointSpec`.
        timeout: Seconds after which a run is stopped.
        report: See `ReportSpec`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    description: str = ""
    environments: Annotated[list[EnvironmentSpec], Field(min_length=1)]
    shapings: Annotated[list[ShapingSpec], Field(min_length=1)]
    learners: Annotated[list[LearnerSpec], Field(min_length=1)] = [LearnerSpec(type="ppo")]
    discount: Annotated[float, Field(ge=0, le=1)] = 0.99
    seeds: Count | Annotated[list[Seed], Field(min_length=1)] = 5
    seed_namespace: Seed = 0
    steps: Count
    evaluation: EvaluationSpec = EvaluationSpec()
    checkpoint: CheckpointSpec = CheckpointSpec()
    timeout: Annotated[float, Field(gt=0)] | None = None
    report: ReportSpec = ReportSpec()

    @field_validator("seeds", mode="before")
    @classmethod
    def _seed_forms(cls, seeds: Any) -> Any:
        if isinstance(seeds, bool) or not isinstance(seeds, int | list):
            raise ValueError(f"must be a number of seeds or a list of seeds, got {seeds!r}")
        return seeds

    @model_validator(mode="after")
    def _unlike_names(self) -> Self:
        _distinct("environments", "name", (environment.label for environment in self.environments))
        _distinct("shapings", "name", (shaping.name for shaping in self.shapings))
        _distinct("learners", "name", (learner.label for learner in self.learners))
        _distinct("seeds", "seed", map(str, self.seed_list))
        return self

    @property
    def seed_list(self) -> list[int]:
        """The seeds, one by one."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)


def _distinct(field: str, key: str, labels: Iterable[str]) -> None:
    seen: list[str] = []
    for label in labels:
        if label in seen:
            raise ValueError(f"{field}: two have the {key} {label!r}; give one another {key}")
        seen.append(label)


def parse_study(document: dict[str, Any], source: str = "study") -> StudySpec:
    """Checks a document's form.

    Raises:
        SpecError: With one line for each field that is wrong: what was wanted, what came.
    """
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
    return f"{field_path(location)}: {message[0].lower()}{message[1:]}, got {detail['input']!r}"


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
        return parse_study(read_yaml(text, str(source)), str(source))
    bundled = bundled_studies()
    if str(source) not in bundled:
        problem = unknown("study", str(source), bundled) + "; or give the path of a .yaml file"
        raise SpecError(str(source), [problem])
    return parse_study(read_yaml(bundled[str(source)], str(source)), str(source))
