"""Random but lawful experience to try shapers on: rollouts, and a world that makes the same kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.rollout import Rollout
from potentia.trees import Tree, map_tree

NUM_STATES = 6
NUM_ACTIONS = 3
STATE = "experience_state"
"""The info column with the index of the state, by which the laws tell what a shaper was shown."""

Info = Mapping[str, Callable[[np.ndarray[Any, Any]], Any]]
"""For each info column, a function from state indices, any shape, to its values."""


@dataclass(frozen=True)
class Experience:
    """Six states, each with one observation drawn from a space, and what may be asked of them.

    Attributes:
        observations: One observation a state: a tree of arrays ``(6, ...)``.
        space: The space they were drawn from.
        info: Functions that make info columns.
    """

    observations: Tree
    space: spaces.Space[Any]
    info: Info

    @classmethod
    def draw(cls, space: spaces.Space[Any], columns: frozenset[str], info: Info, seed: int = 0) -> Experience:
        """Draws six observations from the space, and invents the info columns that are not given."""
        space.seed(seed)
        samples = [space.sample() for _ in range(NUM_STATES)]
        if isinstance(space, spaces.Discrete):
            samples = [int(space.start) + state % int(space.n) for state in range(NUM_STATES)]
        observations = map_tree(lambda *rows: np.stack([np.asarray(row) for row in rows]), *samples)
        keys = {column.removeprefix("next_") for column in columns} - {"action"}
        return cls(observations, space, {key: info.get(key, _invented(key)) for key in sorted(keys)})

    def rollout(self, rng: np.random.Generator, steps: int = 12, envs: int = 3, *, gaps: bool = True) -> Rollout:
        """A random rollout whose transitions chain: ``next_obs`` is the next step's ``obs`` until the episode ends.

        Ends come by termination, by truncation that is bootstrapped and by truncation that is not; discounts vary
        from step to step; with ``gaps``, the step after an end is a masked reset step, as in autoreset mode NEXT_STEP.
        """
        shape = (steps, envs)
        terminated = rng.random(shape) < 0.15
        truncated = (rng.random(shape) < 0.15) & ~terminated
        mask = np.ones(shape, bool)
        before = rng.integers(0, NUM_STATES, (steps + 1, envs))
        after = rng.integers(0, NUM_STATES, shape)
        for t in range(steps):
            if gaps and t:
                mask[t] = ~(terminated[t - 1] | truncated[t - 1])
            terminated[t] &= mask[t]
            truncated[t] &= mask[t]
            ends = terminated[t] | truncated[t]
            if t + 1 < steps:
                before[t + 1] = np.where(ends & ~gaps, before[t + 1], after[t])
        bootstrapped = rng.random(shape) < 0.5
        discount = rng.uniform(0.3, 1.0, shape) * ~(terminated | (truncated & ~bootstrapped))
        return self.transitions(
            before[:-1],
            rng.integers(0, NUM_ACTIONS, shape),
            after,
            rng.normal(size=shape),
            discount,
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
        """A rollout from arrays ``(T, B)`` of state indices and the rest."""
        truncated = np.zeros_like(terminated) if truncated is None else truncated
        ends = terminated | truncated
        follows = np.concatenate([action[1:], action[-1:]])
        last = np.arange(len(action))[:, None] == len(action) - 1
        chosen = follows if last_action is None else np.where(ends | last, last_action, follows)
        info = {key: column(state) for key, column in self.info.items()}
        info |= {f"next_{key}": column(next_state) for key, column in self.info.items()}
        return Rollout(
            obs=map_tree(lambda rows: rows[state], self.observations),
            action=action,
            next_obs=map_tree(lambda rows: rows[next_state], self.observations),
            terms={"env": reward},
            discount=discount,
            terminated=terminated,
            truncated=truncated,
            mask=mask if mask is not None else np.ones_like(terminated),
            info=info | {"next_action": chosen, STATE: state, f"next_{STATE}": next_state},
        )


def _invented(key: str) -> Callable[[np.ndarray[Any, Any]], Any]:
    rng = np.random.default_rng(sum(key.encode()))
    if "hash" in key:
        values: np.ndarray[Any, Any] = rng.integers(-(2**62), 2**62, NUM_STATES)
    elif key in ("caption", "text", "message"):
        values = np.array([f"You see the number {state}." for state in range(NUM_STATES)])
    else:
        values = rng.uniform(-1, 0, NUM_STATES)
    return lambda states: values[states]


class WalkWorld(gym.Env[Any, Any]):
    """A seeded random walk over the six states of an `Experience`, whose episodes end both ways within a few steps."""

    def __init__(self, experience: Experience) -> None:
        self.experience = experience
        self.observation_space = experience.space
        self.action_space = spaces.Discrete(NUM_ACTIONS)
        self._state = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Starts in a random state."""
        super().reset(seed=seed, options=options)
        self._state = int(self.np_random.integers(NUM_STATES))
        return self._observation(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Moves to a random state that depends on the action."""
        self._state = int(self.np_random.integers(NUM_STATES) + action) % NUM_STATES
        end = float(self.np_random.random())
        reward = float(self.np_random.normal())
        return self._observation(), reward, end < 0.15, 0.15 <= end < 0.3, self._info()

    def _observation(self) -> Any:
        obs = map_tree(lambda rows: np.array(rows[self._state]), self.experience.observations)
        return int(obs) if isinstance(self.observation_space, spaces.Discrete) else obs

    def _info(self) -> dict[str, Any]:
        values = {key: np.asarray(column(np.array(self._state))) for key, column in self.experience.info.items()}
        return {key: value if value.ndim else value.item() for key, value in values.items()}
