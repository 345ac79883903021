"""The learners that a study file can name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from gymnasium import spaces

from potentia.agents.agent import Agent
from potentia.shaping.shaper import Stream
from potentia.study.documents import unknown
from potentia.study.spec import LearnerSpec

ROLLOUT_STEPS = "rollout_steps"
"""The one setting that every learner has: how many steps of each environment it learns from at once."""

_DEFAULT_STEPS = 128


_STREAMS = "streams"
"""Whether the learner values the shaper's streams apart; the other setting that every learner has."""

_LEARNERS = {
    "ppo": "potentia.agents.ppo:PPO",
    "grid_ppo": "potentia.agents.grid.grid_ppo:GridPPO",
    "element_ppo": "potentia.agents.elements.element_ppo:ElementPPO",
    "q_learning": "potentia.agents.tabular:QLearning",
    "random": "potentia.agents.random_agent:RandomAgent",
}


def _learner_class(name: str) -> Any:
    """The class; torch is slow to import, and only a run needs it."""
    module, _, attribute = _LEARNERS[name].partition(":")
    return getattr(import_module(module), attribute)


def learner_problems(spec: LearnerSpec, where: str) -> list[str]:
    """What is wrong with a learner of a study file, one line each."""
    if spec.type not in _LEARNERS:
        return [f"{where}.type: {unknown('learner', spec.type, _LEARNERS)}"]
    return setting_problems(spec.type, spec.config, f"{where}.config")


def setting_problems(learner: str, config: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with a learner's settings, one line each."""
    config_class = _learner_class(learner).Config
    known = {field.name for field in dataclasses.fields(config_class)} | {ROLLOUT_STEPS, _STREAMS}
    renamed = getattr(config_class, "renamed", {})
    return [
        f"{where}.{name}: {f'write {renamed[name]}' if name in renamed else unknown('setting', name, known)}"
        for name in config
        if name not in known
    ]


def rollout_steps(spec: LearnerSpec, overrides: Mapping[str, Any]) -> int:
    """How many steps of each environment the learner learns from at once."""
    return int({**spec.config, **overrides}.get(ROLLOUT_STEPS, _DEFAULT_STEPS))


def make_learner(
    spec: LearnerSpec,
    overrides: Mapping[str, Any],
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    *,
    streams: Mapping[str, Stream],
    seed: int,
) -> Agent:
    """A fresh learner, with a world's overrides of its settings."""
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in spec.config.items()}
    settings |= {name: tuple(value) if isinstance(value, list) else value for name, value in overrides.items()}
    settings.pop(ROLLOUT_STEPS, None)
    used = streams if settings.pop(_STREAMS, True) else None
    make = _learner_class(spec.type)
    agent: Agent = make(observation_space, action_space, make.Config(**settings), streams=used, seed=seed)
    return agent
