"""The world of a run: its spaces, its anchors, and as many copies of it as are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.world import ask_offered, offered_keys
from potentia.study.plan import RunConfig


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
            keys = offered_keys(env).union(info)
            return cls(config, env.spec, env.observation_space, env.action_space, keys, anchors)
        finally:
            env.close()

    def make(self, num_envs: int, keys: Iterable[str]) -> VectorEnv[Any, Any, Any]:
        """Copies, unshaped; worlds of this library are asked for the info ``keys`` that they offer.

        They start anew in the step in which an episode ends, so that no step is wasted on a reset.
        """
        environment = self.config.environment
        kwargs = dict(environment.kwargs)
        if environment.max_episode_steps is not None:
            kwargs["max_episode_steps"] = environment.max_episode_steps
        mode = AutoresetMode.SAME_STEP
        if gym.spec(environment.id).vector_entry_point is not None:
            kwargs["autoreset_mode"] = mode
            envs = gym.make_vec(environment.id, num_envs, vectorization_mode="vector_entry_point", **kwargs)
        else:
            options = {"autoreset_mode": mode}
            envs = gym.make_vec(environment.id, num_envs, vectorization_mode="sync", vector_kwargs=options, **kwargs)
        ask_offered(envs, keys)
        return envs
