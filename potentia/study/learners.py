"""The learners that a study file can name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from gymnasium import spaces

from potentia.agents.agent import Agent
from potentia.shaping.shaper import Stream
from potentia.study.documents import unknown
from potentia.study.spec import LearnerSpec

Make = Callable[..., Agent]

ROLLOUT_STEPS = "rollout_steps"
"""The one setting that every learner has: how many steps of each environment it learns from at once."""

_DEFAULT_STEPS = 128


def _ppo(config: dict[str, Any], observations: Any, actions: Any, streams: Mapping[str, Stream], seed: int) -> Agent:
    from potentia.agents.ppo import PPO, PPOConfig  # noqa: PLC0415 - torch is slow to import, and only a run needs it

    use_streams = config.pop("streams", True)
    return PPO(observations, actions, PPOConfig(**config), streams=streams if use_streams else None, seed=seed)


def _grid_ppo(
    config: dict[str, Any], observations: Any, actions: Any, streams: Mapping[str, Stream], seed: int
) -> Agent:
    from potentia.agents.grid_ppo import GridPPO, GridPPOConfig  # noqa: PLC0415

    del streams
    return GridPPO(observations, actions, GridPPOConfig(**config), seed=seed)


def _element_ppo(
    config: dict[str, Any], observations: Any, actions: Any, streams: Mapping[str, Stream], seed: int
) -> Agent:
    from potentia.agents.element_ppo import ElementPPO, ElementPPOConfig  # noqa: PLC0415

    used = streams if config.pop("streams", True) else None
    return ElementPPO(observations, actions, ElementPPOConfig(**config), streams=used, seed=seed)


def _random(config: dict[str, Any], observations: Any, actions: Any, streams: Mapping[str, Stream], seed: int) -> Agent:
    from potentia.agents.random_agent import RandomAgent  # noqa: PLC0415

    del config, observations, streams
    return RandomAgent(actions, seed=seed)


def _q_learning(
    config: dict[str, Any], observations: Any, actions: Any, streams: Mapping[str, Stream], seed: int
) -> Agent:
    from potentia.agents.tabular import QLearning  # noqa: PLC0415

    del streams
    if not isinstance(observations, spaces.Discrete) or not isinstance(actions, spaces.Discrete):
        raise TypeError(
            f"q_learning needs Discrete observations and actions, got {observations} and {actions}; use the learner ppo"
        )
    return QLearning(int(observations.n), int(actions.n), seed=seed, **config)


def _q_learning_fields() -> set[str]:
    return {"learning_rate", "epsilon", "temperature", "target", "initial"}


def _ppo_fields() -> set[str]:
    from potentia.agents.ppo import PPOConfig  # noqa: PLC0415

    return {field.name for field in dataclasses.fields(PPOConfig)} | {"streams"}


def _grid_ppo_fields() -> set[str]:
    from potentia.agents.grid_ppo import GridPPOConfig  # noqa: PLC0415

    return {field.name for field in dataclasses.fields(GridPPOConfig)} - {"recurrent", "max_kl", "value_clip"}


def _element_ppo_fields() -> set[str]:
    from potentia.agents.element_ppo import ElementPPOConfig  # noqa: PLC0415

    return ({field.name for field in dataclasses.fields(ElementPPOConfig)} | {"streams"}) - {"recurrent", "shared"}


_LEARNERS: dict[str, tuple[Make, Callable[[], set[str]]]] = {
    "ppo": (_ppo, _ppo_fields),
    "grid_ppo": (_grid_ppo, _grid_ppo_fields),
    "element_ppo": (_element_ppo, _element_ppo_fields),
    "q_learning": (_q_learning, _q_learning_fields),
    "random": (_random, set),
}


def learner_problems(spec: LearnerSpec, where: str) -> list[str]:
    """What is wrong with a learner of a study file, one line each."""
    if spec.type not in _LEARNERS:
        return [f"{where}.type: {unknown('learner', spec.type, _LEARNERS)}"]
    return setting_problems(spec.type, spec.config, f"{where}.config")


def setting_problems(learner: str, config: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with a learner's settings, one line each."""
    known = _LEARNERS[learner][1]() | {ROLLOUT_STEPS}
    return [f"{where}.{name}: {unknown('setting', name, known)}" for name in config if name not in known]


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
    given = {name: value for name, value in {**spec.config, **overrides}.items() if name != ROLLOUT_STEPS}
    config = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return _LEARNERS[spec.type][0](config, observation_space, action_space, streams, seed)
