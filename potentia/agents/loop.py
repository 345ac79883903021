"""One loop for every device: collect, shape, check, learn, update."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from potentia.agents.agent import Agent
from potentia.agents.finite import FiniteWatch, collected, shaped
from potentia.agents.profile import Profile
from potentia.collect import CollectState, collect, collect_episodes
from potentia.rollout import Rollout, Truncation
from potentia.shaping.compose import Chain
from potentia.shaping.fit import Home, require_fit
from potentia.shaping.shaper import Contract, Shaper

ROLLOUTS = Home("a loop of rollouts", policy=True, next_action=True)
EPISODES = Home("a loop of whole episodes", episodes=True, policy=True, next_action=True)
PHASES = ("collect", "shape", "learn", "update")


class Collector(Protocol):
    """Where experience comes from: environments on the host, worlds on a device, whole episodes.

    Attributes:
        home: What it offers shapers.
        num_envs: B of its rollouts.
        device: Where its rollouts are.
    """

    home: Home
    num_envs: int
    device: torch.device

    def begin(self, seed: int | None) -> None:
        """Resets the environments before the next rollout, with a seed or without."""
        ...

    def collect(self, agent: Agent) -> Rollout:
        """The next rollout ``(T, B)`` of the agent's acting."""
        ...


class EnvCollector:
    """Rollouts of a vector environment on the host, by `potentia.collect.collect`.

    Args:
        envs: The environments, unshaped.
        num_steps: T.
        gamma: The learner's discount factor.
        columns: The info columns wanted, or a shaper's contract.
        truncation: What the learner does where an episode is cut.
        device: Where rollouts go, as tensors. None leaves them as they are, NumPy arrays for most environments.
    """

    def __init__(
        self,
        envs: VectorEnv[Any, Any, Any],
        num_steps: int,
        *,
        gamma: float,
        columns: Iterable[str] | Contract = (),
        truncation: Truncation = "bootstrap",
        device: torch.device | str | None = None,
    ) -> None:
        self.envs, self.num_envs, self.num_steps = envs, envs.num_envs, num_steps
        self.home = replace(ROLLOUTS, truncation=truncation)
        self.device = torch.device(device or "cpu")
        self._options: dict[str, Any] = {
            "gamma": gamma, "columns": columns, "truncation": truncation, "device": device
        }  # fmt: skip
        self._state: CollectState | None = None
        self._seed: int | None = None

    def begin(self, seed: int | None) -> None:
        """Resets the environments before the next rollout."""
        self._state, self._seed = None, seed

    def collect(self, agent: Agent) -> Rollout:
        """``num_steps`` steps of each environment."""
        rollout, self._state = collect(
            self.envs, agent, self.num_steps, state=self._state, seed=self._seed, **self._options
        )
        self._seed = None
        return rollout


class EpisodeCollector:
    """Whole episodes, a column each, by `potentia.collect.collect_episodes`, for shapers that need them.

    Args:
        envs: The environments, unshaped.
        num_episodes: B, as many for each of the environments as is possible.
        gamma: The learner's discount factor.
        columns: The info columns wanted, or a shaper's contract.
        truncation: What the learner does where an episode is cut.
        device: As for `EnvCollector`.
    """

    def __init__(
        self,
        envs: VectorEnv[Any, Any, Any],
        num_episodes: int,
        *,
        gamma: float,
        columns: Iterable[str] | Contract = (),
        truncation: Truncation = "bootstrap",
        device: torch.device | str | None = None,
    ) -> None:
        self.envs, self.num_envs = envs, num_episodes
        self.home = replace(EPISODES, truncation=truncation)
        self.device = torch.device(device or "cpu")
        self._options: dict[str, Any] = {
            "gamma": gamma, "columns": columns, "truncation": truncation, "device": device
        }  # fmt: skip
        self._seed: int | None = None

    def begin(self, seed: int | None) -> None:
        """Seeds the environments before the next rollout. Each rollout resets them anyway."""
        self._seed = seed

    def collect(self, agent: Agent) -> Rollout:
        """``num_episodes`` episodes, shorter ones filled up with masked steps."""
        rollout = collect_episodes(self.envs, agent, self.num_envs, seed=self._seed, **self._options)
        self._seed = None
        return rollout


@dataclass(frozen=True)
class Iteration:
    """What one turn of the loop saw and did.

    Attributes:
        rollout: The shaped rollout that was learned from.
        learned: The learner's metrics: numbers, or tensors of one number.
        updated: The shaper's metrics, likewise.
        seconds: How long each of the `PHASES` took.
    """

    rollout: Rollout
    learned: dict[str, Any]
    updated: dict[str, Any]
    seconds: dict[str, float]


def home_of(agent: Agent, shaper: Shaper, home: Home, keys: frozenset[str] | None = None) -> Home:
    """What a collector's home offers with an agent that may have no policy, or not value the shaper's streams."""
    lost = shaper.streams.keys() - getattr(agent, "streams", shaper.streams).keys()
    return replace(home, policy=home.policy and agent.policy is not None, streams=not lost, keys=keys)


class Loop:
    """Collects a rollout, shapes it, lets the agent learn from it, and then the shaper. Every number must be finite.

    On an accelerator nothing waits for the device: what is not finite is found by `check`. Elsewhere it raises at once.

    Args:
        collector: Where experience comes from.
        agent: Acts and learns.
        shaper: Adds rewards, or None.
        steps: How many steps were taken before, for messages.
        keys: The keys of the environments' info. None means that they are not known.

    Attributes:
        profile: Seconds spent to collect, shape, learn and update.

    Raises:
        potentia.shaping.fit.FitError: If the shaper does not fit where it is to run.
    """

    def __init__(
        self,
        collector: Collector,
        agent: Agent,
        shaper: Shaper | None = None,
        *,
        steps: int = 0,
        keys: frozenset[str] | None = None,
    ) -> None:
        self.collector, self.agent, self.shaper = collector, agent, Chain() if shaper is None else shaper
        for finding in require_fit(self.shaper, home_of(agent, self.shaper, collector.home, keys)):
            warnings.warn(finding.message, stacklevel=2)
        if hasattr(agent, "attach"):
            agent.attach(self.shaper)
        self.profile = Profile(PHASES, collector.device)
        self._watch = FiniteWatch(collector.device)
        self._steps: int | Tensor = steps
        self.begin(None)

    @property
    def steps(self) -> int:
        """How many steps were taken, masked ones aside. To read it waits for the device."""
        return int(self._steps)

    def begin(self, seed: int | None) -> None:
        """Starts anew with a reset of the environments. The agent and the shaper keep what they learned."""
        self.collector.begin(seed)
        self._carry = self.shaper.init(self.collector.num_envs)

    def iterate(self) -> Iteration:
        """One rollout and all that is learned from it.

        Raises:
            ValueError: If an observation, a reward term, the discount, a metric or a weight is not finite.
        """
        phase = self.profile.phase
        with phase("collect"):
            rollout = self.collector.collect(self.agent)
            self._watch.rollout(rollout, collected(rollout), self._steps)
        with phase("shape"):
            rollout, self._carry = self.shaper.shape(rollout, self._carry)
            self._watch.rollout(rollout, shaped(rollout), self._steps)
        with phase("learn"):
            learned = self.agent.learn(rollout)
            self._watch.numbers("the learner's", learned, self._steps)
            self._watch.weights("the learner's", self.agent.policy, self._steps)
        with phase("update"):
            updated = self.shaper.update(rollout, policy=self.agent.policy)
            self._watch.numbers("the shaper's", updated, self._steps)
        taken = rollout.mask.sum()
        self._steps = self._steps + (taken if isinstance(taken, Tensor) else int(taken))
        return Iteration(rollout, learned, updated, dict(self.profile.last))

    def check(self) -> None:
        """Waits for the device and raises ``ValueError`` if any number on it was not finite."""
        self._watch.check()
