"""What the policies that a search has found do in their world, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from potentia.agents.agent import Agent
from potentia.arrays import host_array
from potentia.collect import Actor
from potentia.shaping.compose import Chain
from potentia.study.trained import Trained
from potentia.trees import Tree


class PolicyWorld(Protocol):
    """A world whose actions are policies, if it lets them be watched."""

    @property
    def acts_in(self) -> tuple[str, dict[str, Any]]:
        """The id and the arguments of the world in which policies act."""
        ...

    def action_of(self, genome: Any, obs: Any) -> Any:
        """What a policy ``(P,)`` does in that world where it sees ``obs``."""
        ...


def in_its_world(trained: Trained) -> Trained:
    """A run of a search as one of the world in which its policies act, unshaped. Another run is as it was."""
    if not hasattr(trained.learner, "archive_map"):
        return trained
    config = trained.config
    policies: Any = gym.make(config.environment.id, disable_env_checker=True, **config.kwargs).unwrapped
    if not hasattr(policies, "acts_in"):
        policies.close()
        return trained
    name, kwargs = policies.acts_in
    environment = config.environment.model_copy(
        update={"id": name, "kwargs": kwargs, "num_envs": 1, "max_episode_steps": None}
    )
    learner: Any = PolicyPlayer(trained.learner, policies)
    return replace(trained, config=replace(config, environment=environment), learner=learner, shaper=Chain())


class PolicyPlayer:
    """Plays the policies that a search would evaluate, one an episode.

    Args:
        search: The search.
        policies: The world whose actions its policies are.
    """

    def __init__(self, search: Agent, policies: PolicyWorld) -> None:
        self.search, self.policies = search, policies

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """The best policy if it is greedy, else some that were kept."""
        return _Plays(self.search.frozen(greedy=greedy, seed=seed), self.policies)


class _Plays:
    """An actor whose memory is the genomes of its policies ``(N, P)``."""

    def __init__(self, drawn: Actor, policies: PolicyWorld) -> None:
        self._drawn, self._policies = drawn, policies

    def init(self, num_envs: int) -> Tree:
        genomes, _ = self._drawn.act(np.zeros((num_envs, 1), np.float32), self._drawn.init(num_envs))
        return host_array(genomes)

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        actions = [self._policies.action_of(genome, seen) for genome, seen in zip(carry, obs, strict=True)]
        return np.stack(actions), carry
