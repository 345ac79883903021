"""The agent that every learner must beat."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces

from potentia.agents.action_masks import ACTION_MASK, choice_counts, possible
from potentia.arrays import host_array
from potentia.collect import Actor
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream
from potentia.trees import Tree, leaves, map_tree


@dataclass(frozen=True)
class RandomAgentConfig:
    """`RandomAgent` has no settings."""


class RandomAgent:
    """Actions drawn uniformly from a space, or from the possible ones. The agent learns nothing.

    If observations have the key ``"action_mask"`` and actions are ``Discrete`` or ``MultiDiscrete``, each choice is
    drawn among the actions that it marks (`potentia.agents.action_masks`).

    Args:
        observation_space: The space of one observation.
        action_space: The space of one action.
        config: There is nothing to set.
        streams: Not used: it learns from no reward.
        device: Not used: it computes nothing.
        seed: Seeds the draws.
    """

    Config: ClassVar[type[RandomAgentConfig]] = RandomAgentConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: RandomAgentConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        del streams, device
        self.config = config or RandomAgentConfig()
        self.observation_space, self.action_space = observation_space, action_space
        self.rng = np.random.default_rng(seed)
        self.policy = None

    def init(self, num_envs: int) -> Tree:
        """It has no memory."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Actions ``(N, ...)`` that do not depend on ``obs``, but for its mask."""
        counts = choice_counts(self.action_space)
        if counts and isinstance(obs, dict) and ACTION_MASK in obs:
            return _draw_possible(self.action_space, host_array(obs[ACTION_MASK]), counts, self.rng), carry
        (_, leaf), *_ = leaves(obs)
        return _draw(self.action_space, leaf.shape[0], self.rng), carry

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """Another random agent. There is no greedy one."""
        del greedy
        return RandomAgent(self.observation_space, self.action_space, seed=seed)

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """Nothing."""
        del rollout
        return {}

    def state_dict(self) -> dict[str, Any]:
        """The state of its generator."""
        return {"rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.rng.bit_generator.state = state["rng"]


def _draw(space: spaces.Space[Any], count: int, rng: np.random.Generator) -> Tree:
    if isinstance(space, spaces.Discrete):
        return rng.integers(space.start, space.start + space.n, count)
    if isinstance(space, spaces.MultiDiscrete):
        return rng.integers(space.start, space.start + space.nvec, (count, *space.shape))
    space = copy.deepcopy(space)  # the caller's space, and its generator, may be shared
    space.seed(int(rng.integers(2**31)))
    return map_tree(lambda *parts: np.stack(parts), *(space.sample() for _ in range(count)))


def _draw_possible(
    space: Any, mask: np.ndarray[Any, Any], counts: list[int], rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    if mask.shape[-1] != sum(counts):
        raise ValueError(f"the mask must have {sum(counts)} entries for {space}, got the shape {mask.shape}")
    rank = np.where(possible(mask, counts), rng.random(mask.shape), -1.0)
    parts = np.split(rank, np.cumsum(counts)[:-1], axis=-1)
    index = np.stack([part.argmax(-1) for part in parts], -1).reshape(len(mask), *space.shape)
    return np.asarray(index + space.start)
