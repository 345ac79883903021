"""The world of a run: its spaces, its anchors, and as many copies of it as are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv

import potentia  # noqa: F401 - registers the worlds
from potentia.study.plan import RunConfig


@dataclass(frozen=True)
class World:
    """What one copy of a run's world said of itself.

    Attributes:
        config: The run's configuration.
        spec: The environment's specification, with its wrappers.
        observation_space: The space of one observation.
        action_space: The space of one action.
        info_keys: The keys of its info.
        anchors: The returns of a random policy and of the best there is, where known.
    """

    config: RunConfig
    spec: EnvSpec | None
    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    info_keys: frozenset[str]
    anchors: dict[str, float | None]

    @classmethod
    def probe(cls, config: RunConfig) -> World:
        """Makes one copy, asks it, and closes it."""
        environment = config.environment
        env = gym.make(environment.id, max_episode_steps=environment.max_episode_steps, **environment.kwargs)
        try:
            _, info = env.reset(seed=0)
            world: Any = env.unwrapped
            given = environment.anchors
            anchors = {
                "random": given.random if given.random is not None else getattr(world, "random_return", None),
                "optimal": given.optimal if given.optimal is not None else getattr(world, "optimal_return", None),
            }
            return cls(config, env.spec, env.observation_space, env.action_space, frozenset(info), anchors)
        finally:
            env.close()

    def make(self, num_envs: int, keys: Iterable[str]) -> VectorEnv[Any, Any, Any]:
        """Copies, unshaped; one of this library's worlds is asked only for the info that is read.

        They start anew in the step in which an episode ends, so that no step is wasted on a reset.
        """
        environment = self.config.environment
        kwargs = dict(environment.kwargs)
        if environment.id.startswith("potentia/"):
            kwargs["info_keys"] = tuple(sorted(self.info_keys.intersection(keys)))
        if environment.max_episode_steps is not None:
            kwargs["max_episode_steps"] = environment.max_episode_steps
        mode = AutoresetMode.SAME_STEP
        if gym.spec(environment.id).vector_entry_point is not None:
            kwargs["autoreset_mode"] = mode
            return gym.make_vec(environment.id, num_envs, vectorization_mode="vector_entry_point", **kwargs)
        vector_kwargs = {"autoreset_mode": mode}
        return gym.make_vec(environment.id, num_envs, vectorization_mode="sync", vector_kwargs=vector_kwargs, **kwargs)
