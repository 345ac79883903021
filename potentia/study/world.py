"""The world of a run: its spaces, its anchors, and as many copies of it as are wanted."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.envs.world import ask_offered, offered_keys
from potentia.study.modules import import_modules, registered
from potentia.study.plan import RunConfig
from potentia.study.spec import EnvironmentSpec


@dataclass(frozen=True)
class World:
    """What one copy of a run's world said of itself.

    Attributes:
        config: The run's configuration.
        spec: The environment's specification, with its wrappers.
        observation_space: The space of one observation.
        action_space: The space of one action.
        info_keys: The keys that its info can have: those of its first, and those that it offers.
        anchors: The returns of a random policy and of the best there is, where known.
        tabular: Whether it is given as tables, so that it can be solved for next to nothing.
    """

    config: RunConfig
    spec: EnvSpec | None
    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    info_keys: frozenset[str]
    anchors: dict[str, float | None]
    tabular: bool = False

    @classmethod
    def probe(cls, config: RunConfig) -> World:
        """Makes one copy, asks it, and closes it.

        Raises:
            ValueError: If a module of the study can't be imported.
        """
        from potentia.audit.transitions import is_tabular  # noqa: PLC0415 - brings much that few worlds need

        if problems := import_modules(config.imports):
            raise ValueError("; ".join(problems))
        environment = config.environment
        env = gym.make(environment.id, max_episode_steps=environment.max_episode_steps, **config.kwargs)
        try:
            _, info = env.reset(seed=0)
            world: Any = env.unwrapped
            preset = environment.anchors
            anchors = {
                "random": preset.random if preset.random is not None else getattr(world, "random_return", None),
                "optimal": preset.optimal if preset.optimal is not None else getattr(world, "optimal_return", None),
            }
            keys = offered_keys(env).union(info)
            spaces = env.observation_space, env.action_space
            return cls(config, env.spec, *spaces, keys, anchors, is_tabular(world))
        finally:
            env.close()

    def make(self, num_envs: int, keys: Iterable[str]) -> VectorEnv[Any, Any, Any]:
        """Copies, unshaped. Worlds of this library are asked for the info ``keys`` that they offer.

        They start anew in the step in which an episode ends, so that no step is wasted on a reset.
        """
        envs = self._make(self.config.environment, dict(self.config.kwargs), num_envs)
        ask_offered(envs, keys)
        return envs

    @staticmethod
    def _make(environment: EnvironmentSpec, kwargs: dict[str, Any], num_envs: int) -> VectorEnv[Any, Any, Any]:
        """By the world's own vector form if it has one.

        Other people's need not take what a study gives: then single copies are stepped one by one.
        """
        mode = AutoresetMode.SAME_STEP
        if environment.max_episode_steps is not None:
            kwargs["max_episode_steps"] = environment.max_episode_steps
        _, name = registered(environment.id)
        spec = gym.spec(name)
        creator = spec.vector_entry_point
        if creator is not None and _takes(creator, {**spec.kwargs, **kwargs, "autoreset_mode": mode}):
            # What is wrong with the world itself, making single copies tells.
            with contextlib.suppress(Exception):
                envs = gym.make_vec(environment.id, num_envs, "vector_entry_point", autoreset_mode=mode, **kwargs)
                if isinstance(envs.metadata.get("autoreset_mode"), AutoresetMode):
                    return envs
                envs.close()
        options = {"autoreset_mode": mode}
        return gym.make_vec(environment.id, num_envs, vectorization_mode="sync", vector_kwargs=options, **kwargs)


def _takes(creator: str | Callable[..., Any], arguments: dict[str, Any]) -> bool:
    """Whether a vector entry point can be called with these arguments."""
    found = load_env_creator(creator) if isinstance(creator, str) else creator
    try:
        inspect.signature(found).bind(num_envs=1, **arguments)
    except (TypeError, ValueError):
        return False
    return True
