"""The learners that a study file can name: each brings its own configuration, and other packages may offer more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, cast

from gymnasium import spaces

from potentia.agents.agent import Agent
from potentia.objects import Kind, ObjectError, Recipe, unknown
from potentia.objects.annotations import parameters
from potentia.objects.reading import paths_from, read_fields
from potentia.shaping.shaper import Stream
from potentia.study.spec import Collecting, LearnerSpec

LEARNERS = Kind(
    "learner",
    (),
    lambda: {
        # Each by its own module: torch is slow to import, and so are compiled loops.
        "asaf": "potentia.agents.asaf:ASAF",
        "cma_mae": "potentia.agents.search.ribs_search:CMAMAE",
        "cma_me": "potentia.agents.search.ribs_search:CMAME",
        "element_ppo": "potentia.agents.elements.element_ppo:ElementPPO",
        "grid_ppo": "potentia.agents.grid.grid_ppo:GridPPO",
        "map_elites": "potentia.agents.search.ribs_search:MAPElites",
        "ppo": "potentia.agents.ppo:PPO",
        "novelty_search": "potentia.agents.search.novelty_search:NoveltySearch",
        "q_learning": "potentia.agents.tabular:QLearning",
        "random": "potentia.agents.random_agent:RandomAgent",
        "random_search": "potentia.agents.search.random_search:RandomSearch",
        "serene": "potentia.agents.search.serene:SERENE",
        "stax": "potentia.agents.search.stax:STAX",
        "taxons": "potentia.agents.search.taxons:TAXONS",
        "sac": "potentia.agents.sac:SAC",
    },
    group="potentia.learners",
)
"""Classes made as ``Learner(observation_space, action_space, config, streams=, device=, seed=)``, whose class attribute
``Config`` is a frozen dataclass."""


_COLLECTING = frozenset(parameters(Collecting))


def learner_problems(spec: LearnerSpec, where: str, folder: str | None = None) -> list[str]:
    """What is wrong with a learner of a study file, one line each. Relative paths begin at ``folder``."""
    if spec.type not in LEARNERS.names:
        return [f"{where}.type: {unknown('learner', spec.type, LEARNERS.names)}"]
    return setting_problems(spec, spec.config, f"{where}.config", folder)


def setting_problems(spec: LearnerSpec, config: Mapping[str, Any], where: str, folder: str | None = None) -> list[str]:
    """What is wrong with a learner's settings, one line each."""
    problems: list[str] = []
    with paths_from(folder):
        recipes = _recipes(spec, config, where, problems)
    for recipe in recipes:
        if not problems:
            try:
                recipe({})
            except ObjectError as error:
                problems.append(str(error))
    return problems


def rollout_steps(spec: LearnerSpec, overrides: Mapping[str, Any]) -> int:
    """How many steps of each environment the learner learns from at once."""
    return _collecting(spec, overrides).rollout_steps


def make_learner(
    spec: LearnerSpec,
    overrides: Mapping[str, Any],
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    *,
    streams: Mapping[str, Stream],
    device: str,
    seed: int,
    folder: str | None = None,
) -> Agent:
    """A fresh learner, with a world's overrides of its settings. Relative paths begin at ``folder``.

    Raises:
        ObjectError: If a setting is wrong.
    """
    problems: list[str] = []
    with paths_from(folder):
        recipes = _recipes(spec, {**spec.config, **overrides}, "config", problems)
    if problems:
        raise ObjectError("; ".join(problems))
    config, collecting = (recipe({}) for recipe in recipes)
    used = streams if collecting.streams else None
    maker = LEARNERS.maker(spec.type)
    made: Agent = maker(observation_space, action_space, config, streams=used, device=device, seed=seed)
    return made


def _collecting(spec: LearnerSpec, overrides: Mapping[str, Any]) -> Collecting:
    settings = {name: value for name, value in {**spec.config, **overrides}.items() if name in _COLLECTING}
    own = getattr(LEARNERS.maker(spec.type), "rollout_steps", Collecting.rollout_steps)
    return Collecting(**{"rollout_steps": own, **settings})


def _recipes(spec: LearnerSpec, config: Mapping[str, Any], where: str, problems: list[str]) -> tuple[Recipe, Recipe]:
    """How the learner's own configuration and the common settings are made."""
    beside = {name: value for name, value in config.items() if name in _COLLECTING}
    own = {name: value for name, value in config.items() if name not in _COLLECTING}
    form = getattr(LEARNERS.maker(spec.type), "Config", None)
    if not is_dataclass(form):
        problems.append(
            f"{where}: the learner {spec.type!r} brings no configuration; its class needs an attribute 'Config', a "
            "frozen dataclass, which may have no fields"
        )
        form = Collecting
    common = read_fields(beside, Collecting, where, problems)
    return read_fields(own, cast(type, form), where, problems, _COLLECTING), common
