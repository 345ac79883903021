"""Q-learning and SARSA in a table, for worlds whose optimum is known (see `potentia.envs.exact.optimum`)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from gymnasium import spaces

from potentia.arrays import host_array
from potentia.collect import Actor
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream
from potentia.trees import Tree

_NEXT_ACTION = "next_action"


@dataclass(frozen=True)
class QLearningConfig:
    """The settings of `QLearning`.

    Attributes:
        learning_rate: The step size.
        epsilon: The probability of an action drawn uniformly.
        temperature: If positive, other actions are drawn from ``softmax((Q + advice) / temperature)``. 0 means the
            best, with ties broken at random.
        target: Which a' the target uses: the best, or the one taken next.
        initial: The value of each entry at the start.
    """

    learning_rate: float = 0.1
    epsilon: float = 0.1
    temperature: float = 0.0
    target: Literal["best", "taken"] = "best"
    initial: float = 0.0


class QLearning:
    """``Q(s, a) += learning_rate * (reward + discount * Q(s', a') - Q(s, a))``.

    Watkins 1989 (``target="best"``: a' is the best action). Rummery and Niranjan 1994, SARSA (``target="taken"``: a' is
    the action taken next). The discount is the rollout's. Steps are learned from in the order of time, those of all
    environments at one time together.

    With look-ahead advice (Wiewiora, Cottrell and Elkan 2003) the shaped Q is the true one minus the advice, so actions
    are compared by ``Q + advice``. The shaping pays for the action taken next, so the target must be ``"taken"``.

    Args:
        observation_space: ``Discrete``: the states.
        action_space: ``Discrete``.
        config: The settings.
        streams: Must be empty: one table has one discount. With ``None`` their terms are part of the reward.
        device: The table is numpy's: ``"cpu"``.
        seed: Seeds the actions.
        advice: ``(states, actions)``: look-ahead advice, added to Q where actions are compared.

    Raises:
        TypeError: If a space is not ``Discrete``.
        ValueError: If the advice has another shape, or is used with ``target="best"``. Also if there are streams, or
            the device is another.
    """

    Config: ClassVar[type[QLearningConfig]] = QLearningConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: QLearningConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
        advice: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self.config = config or QLearningConfig()
        if not isinstance(observation_space, spaces.Discrete) or not isinstance(action_space, spaces.Discrete):
            raise TypeError(
                f"QLearning needs Discrete observations and actions, got {observation_space} and {action_space}; use "
                "potentia.agents.PPO"
            )
        self._first_state, self._first_action = int(observation_space.start), int(action_space.start)
        shape = (int(observation_space.n), int(action_space.n))
        self.advice = np.zeros(shape) if advice is None else np.asarray(advice, dtype=np.float64)
        if self.advice.shape != shape:
            raise ValueError(f"advice must have shape (states, actions) = {shape}, got {self.advice.shape}")
        target = self.config.target
        if target not in ("best", "taken"):
            raise ValueError(f"target must be 'best' (Q-learning) or 'taken' (SARSA), got {target!r}")
        if advice is not None and target != "taken":
            raise ValueError("look-ahead advice pays for the action taken next, so the target must be 'taken' (SARSA)")
        if streams:
            raise ValueError(
                f"one table has one discount, so it can't value the streams {sorted(streams)} apart; with streams=None "
                "(in a study streams: false) their terms are part of the reward"
            )
        if torch.device(device).type != "cpu":
            raise ValueError(f"the table is on the CPU, got device={str(device)!r}; leave the device out")
        self.values = np.full(shape, float(self.config.initial))
        self.rng = np.random.default_rng(seed)
        self.policy = _Chances(self)

    def init(self, num_envs: int) -> Tree:
        """It has no memory within an episode."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Explores with ``epsilon`` and ``temperature``."""
        action = _choose(self._scores(obs), self.config.epsilon, self.config.temperature, self.rng)
        return action + self._first_action, carry

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor on a copy of the table."""
        frozen = copy.copy(self)
        frozen.policy = _Chances(frozen)
        frozen.values, frozen.rng = self.values.copy(), np.random.default_rng(seed)
        if greedy:
            frozen.config = replace(self.config, epsilon=0.0, temperature=0.0)
        return frozen

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """One pass over the rollout in the order of time. Masked steps do not exist.

        Raises:
            ValueError: If the target needs the column ``next_action`` and the rollout lacks it.
        """
        if self.config.target == "taken" and _NEXT_ACTION not in rollout.info:
            raise ValueError("target='taken' needs info['next_action']; collect with columns=('next_action',)")
        obs, action, reward, discount, next_obs, mask = (
            host_array(column)
            for column in (
                rollout.obs,
                rollout.action,
                rollout.reward,
                rollout.discount,
                rollout.next_obs,
                rollout.mask,
            )
        )
        taken = host_array(rollout.info[_NEXT_ACTION]) if self.config.target == "taken" else None
        total, count = 0.0, 0
        for t in range(rollout.num_steps):
            rows = np.flatnonzero(mask[t])
            state, following = self._states(obs[t, rows]), self._states(next_obs[t, rows])
            entry = state, action[t, rows] - self._first_action
            best = self.values[following].argmax(-1) if taken is None else taken[t, rows] - self._first_action
            error = reward[t, rows] + discount[t, rows] * self.values[following, best] - self.values[entry]
            self._move(np.ravel_multi_index(entry, self.values.shape), error)
            total, count = total + float(np.abs(error).sum()), count + rows.size
        return {"td_error": total / count} if count else {}

    def _move(self, entries: np.ndarray[Any, Any], errors: np.ndarray[Any, Any]) -> None:
        """Moves entries of the table towards their targets.

        Where n environments took one action in one state, the entry moves as far as by n steps one after the other
        towards the mean of their targets: by 1 - (1 - learning_rate)^n of the way. The plain sum of n steps would
        overshoot and diverge once ``n * learning_rate`` is above 2.
        """
        found, place, count = np.unique(entries, return_inverse=True, return_counts=True)
        mean = np.bincount(place.reshape(-1), errors, len(found)) / count
        self.values.ravel()[found] += (1.0 - (1.0 - self.config.learning_rate) ** count) * mean

    def state_dict(self) -> dict[str, Any]:
        """The table and the state of the generator."""
        return {"values": self.values.copy(), "rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            ValueError: If the table has another shape.
        """
        values = np.array(state["values"], dtype=np.float64)
        if values.shape != self.values.shape:
            raise ValueError(f"the saved table must have shape {self.values.shape}, got {values.shape}")
        self.values = values
        self.rng.bit_generator.state = state["rng"]

    def _states(self, obs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The rows of the table."""
        return obs.astype(np.int64) - self._first_state

    def _scores(self, obs: Tree) -> np.ndarray[Any, Any]:
        state = self._states(host_array(obs))
        scores: np.ndarray[Any, Any] = self.values[state] + self.advice[state]
        return scores


class _Chances:
    """How likely the learner's actions are at present: a table has no parameters to differentiate by."""

    def __init__(self, agent: QLearning) -> None:
        self._agent = agent

    def log_prob(self, obs: Tree, action: Any) -> torch.Tensor:
        """``log pi(action | obs)``, ``(N,)`` float64: of the best actions, or by temperature, and of exploring."""
        config, scores = self._agent.config, self._agent._scores(obs)
        if config.temperature > 0:
            weights = np.exp((scores - scores.max(-1, keepdims=True)) / config.temperature)
        else:
            weights = (scores == scores.max(-1, keepdims=True)).astype(np.float64)
        chances = (1 - config.epsilon) * weights / weights.sum(-1, keepdims=True) + config.epsilon / scores.shape[-1]
        taken = host_array(action).astype(np.int64) - self._agent._first_action
        with np.errstate(divide="ignore"):  # an action that is never taken has a logarithm, too
            return torch.from_numpy(np.log(np.take_along_axis(chances, taken[:, None], axis=-1)[:, 0]))

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """There are none."""
        return iter(())


def _choose(
    scores: np.ndarray[Any, Any], epsilon: float, temperature: float, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    if temperature > 0:
        action = (scores / temperature + rng.gumbel(size=scores.shape)).argmax(-1)
    else:
        best = scores == scores.max(-1, keepdims=True)
        action = np.where(best, rng.random(scores.shape), -1.0).argmax(-1)
    uniform = rng.integers(scores.shape[-1], size=len(scores))
    explored: np.ndarray[Any, Any] = np.where(rng.random(len(scores)) < epsilon, uniform, action)
    return explored
