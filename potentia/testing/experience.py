"""Random but lawful experience to try shapers on: rollouts, and a world that makes the same kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.rollout import Rollout
from potentia.testing.invented import invented
from potentia.transitions import NEXT_ACTION, info_keys
from potentia.trees import Tree, leaves, map_tree

NUM_STATES = 6
NUM_ACTIONS = 3
STATE, ACTION = "experience_state", "experience_action"
"""The info columns with the indices of state and action, by which the laws tell what a shaper was shown."""

Info = Mapping[str, Callable[[np.ndarray[Any, Any]], Any]]
"""For each info column, a function from the indices of six states, any shape, to its values."""

_TERMINATED, _BOOTSTRAPPED, _TRUNCATED, _BOTH = range(4)
_GAMMAS = (None, None, 1.0, 0.9)


@dataclass(frozen=True, eq=False)
class Experience:
    """A few states, each with one observation drawn from a space, and what may be asked of them.

    Attributes:
        space: The space that observations are drawn from.
        action_space: The space that three actions are drawn from.
        columns: The info columns that are asked for.
        known: Functions that make some of them, of six states. Of more states every sixth has the same values.
        truncation: What the learner does where an episode is cut: one rule, or both in turn (``"data"``).
        num_states: S.
    """

    space: spaces.Space[Any]
    action_space: spaces.Space[Any] = field(default_factory=lambda: spaces.Discrete(NUM_ACTIONS))
    columns: frozenset[str] = frozenset()
    known: Info = field(default_factory=dict)
    truncation: Literal["data", "bootstrap", "terminal"] = "data"
    num_states: int = NUM_STATES

    def of(self, states: int) -> Experience:
        """The same of another number of states."""
        return replace(self, num_states=states)

    @cached_property
    def observations(self) -> Tree:
        """One observation a state: a tree of arrays ``(S, ...)``."""
        return _samples(self.space, self.num_states)

    @cached_property
    def actions(self) -> Tree:
        """The three actions: a tree of arrays ``(3, ...)``."""
        return _samples(self.action_space, NUM_ACTIONS)

    def act(self, indices: Any) -> Tree:
        """The actions of such indices, any shape."""
        return map_tree(lambda rows: rows[indices], self.actions)

    @cached_property
    def info(self) -> Info:
        """Functions that make the info columns: those known, and others invented."""
        return {key: self._column(key) for key in info_keys(self.columns)}

    def _column(self, key: str) -> Callable[[np.ndarray[Any, Any]], Any]:
        if key not in self.known:
            return invented(key, self.num_states)
        return lambda states: self.known[key](states % NUM_STATES)

    def rollout(
        self,
        rng: np.random.Generator,
        steps: int = 12,
        envs: int = 3,
        *,
        gaps: bool = True,
        calm: int = 0,
        ends: float = 0.25,
        gamma: float | None = None,
    ) -> Rollout:
        """A random rollout whose transitions chain: ``next_obs`` is the next step's ``obs`` until the episode ends.

        All kinds of ends take turns: termination, truncation that is bootstrapped, truncation that is not, and both
        flags at once. If there is one rule at truncation, they keep it.

        Args:
            rng: Draws everything.
            steps: T.
            envs: B.
            gaps: Whether the step after an end is a masked reset step, as in autoreset mode NEXT_STEP.
            calm: In the first environment nothing ends before this step.
            ends: The chance that a step ends its episode.
            gamma: The discount of steps that are not cut off from what follows. By default it is drawn for the whole:
                1, 0.9, or another one at each step, 0 and exactly 1 among them.
        """
        shape = (steps, envs)
        end = rng.random(shape) < ends
        end[:calm, :1] = False
        mask = np.ones(shape, bool)
        before = rng.integers(0, self.num_states, (steps + 1, envs))
        after = rng.integers(0, self.num_states, shape)
        for t in range(steps):
            if gaps and t:
                mask[t] = ~end[t - 1]
            end[t] &= mask[t]
            before[t + 1] = np.where(end[t] & ~gaps, before[t + 1], after[t])
        kind = np.where(end, (np.cumsum(end).reshape(shape) + rng.integers(4)) % 4, -1)
        rule = {"bootstrap": (_TRUNCATED, _BOOTSTRAPPED), "terminal": (_BOOTSTRAPPED, _TRUNCATED)}
        if self.truncation != "data":
            other, own = rule[self.truncation]
            kind = np.where(kind == other, own, kind)
        terminated, truncated = np.isin(kind, (_TERMINATED, _BOTH)), kind > _TERMINATED
        gamma = gamma if gamma is not None else _GAMMAS[rng.integers(len(_GAMMAS))]
        discount = _varied(rng, shape) if gamma is None else np.full(shape, gamma)
        return self.transitions(
            before[:-1],
            rng.integers(0, NUM_ACTIONS, shape),
            after,
            rng.normal(size=shape),
            discount * ~np.isin(kind, (_TERMINATED, _TRUNCATED, _BOTH)),
            terminated,
            truncated,
            mask,
            rng.integers(0, NUM_ACTIONS, shape),
        )

    def transitions(
        self,
        state: np.ndarray[Any, Any],
        action: np.ndarray[Any, Any],
        next_state: np.ndarray[Any, Any],
        reward: np.ndarray[Any, Any],
        discount: np.ndarray[Any, Any],
        terminated: np.ndarray[Any, Any],
        truncated: np.ndarray[Any, Any] | None = None,
        mask: np.ndarray[Any, Any] | None = None,
        last_action: np.ndarray[Any, Any] | None = None,
    ) -> Rollout:
        """A rollout from arrays ``(T, B)`` of the indices of states and actions and of the rest."""
        truncated = np.zeros_like(terminated) if truncated is None else truncated
        ends = terminated | truncated
        following = np.concatenate([action[1:], action[-1:]])
        last = np.arange(len(action))[:, None] == len(action) - 1
        following = following if last_action is None else np.where(ends | last, last_action, following)
        info = {key: column(state) for key, column in self.info.items()}
        info |= {f"next_{key}": column(next_state) for key, column in self.info.items()}
        return Rollout(
            obs=map_tree(lambda rows: rows[state], self.observations),
            action=self.act(action),
            next_obs=map_tree(lambda rows: rows[next_state], self.observations),
            terms={"env": reward},
            discount=discount,
            terminated=terminated,
            truncated=truncated,
            mask=mask if mask is not None else np.ones_like(terminated),
            info=info
            | {
                NEXT_ACTION: self.act(following),
                STATE: state,
                f"next_{STATE}": next_state,
                ACTION: action,
                f"next_{ACTION}": following,
            },
        )


def _samples(space: spaces.Space[Any], number: int) -> Tree:
    """So many samples of a space, as a tree of arrays: all values of a ``Discrete`` one, in order."""
    space.seed(0)
    samples = [space.sample() for _ in range(number)]
    if isinstance(space, spaces.Discrete):
        samples = [int(space.start) + index % int(space.n) for index in range(number)]
    return map_tree(lambda *rows: np.stack([np.asarray(row) for row in rows]), *samples)


def _varied(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    sort = rng.random(shape)
    return np.where(sort < 0.04, 0.0, np.where(sort < 0.25, 1.0, rng.uniform(0.3, 1.0, shape)))


class WalkWorld(gym.Env[Any, Any]):
    """A seeded random walk over the states of an `Experience`.

    Its episodes end in every way, by both flags at once too, within a few steps.

    Args:
        experience: The states.
        calm: How many steps the first episode goes on at least.
    """

    def __init__(self, experience: Experience, calm: int = 0) -> None:
        self.experience, self.calm = experience, calm
        self.observation_space = experience.space
        self.action_space = experience.action_space
        self._state, self._steps = 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Starts in a random state."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self._steps = 0
        self._state = int(self.np_random.integers(self.experience.num_states))
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Moves to a random state that depends on the action."""
        states = self.experience.num_states
        push = int(10 * sum(float(np.sum(leaf)) for _, leaf in leaves(action)))
        self._state = (int(self.np_random.integers(states)) + push) % states
        self._steps += 1
        end, reward = float(self.np_random.random()), float(self.np_random.normal())
        end += self._steps < self.calm
        return self._observation(), reward, end < 0.2, 0.1 <= end < 0.3, self._info()

    def _observation(self) -> Any:
        obs = map_tree(lambda rows: np.array(rows[self._state]), self.experience.observations)
        return int(obs) if isinstance(self.observation_space, spaces.Discrete) else obs

    def _info(self) -> dict[str, Any]:
        return {key: map_tree(_plain, column(np.array(self._state))) for key, column in self.experience.info.items()}


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.ndim else array.item()
