"""A single environment over a `TransitionModel`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.envs.exact.dynamics import EVENTS, info_tables, offered_by, start_tables, successor_tables
from potentia.envs.exact.model import TransitionModel
from potentia.envs.exact.observations import encode_states, state_space
from potentia.envs.exact.solve import Optimum, optimum, return_within
from potentia.envs.exact.streams import UniformStream
from potentia.envs.info_keys import flag, number, whole
from potentia.envs.world import World

__all__ = ["TabularWorld"]


_FORMS: dict[str, Callable[[Any], Any]] = {"caption": str, "state_hash": whole, "success": flag}


class TabularWorld(World, gym.Env[Any, Any]):
    """An enumerable world whose tensors, optimum and anchors are known exactly.

    The info after a reset and after every step describes the state reached: ``success``, and what was asked for of
    ``caption``, ``state_hash`` (its index), ``distance`` (fewest steps to success in the support graph, -1.0 if there
    is no way), ``potential`` (-distance / largest distance, -1.0 if there is no way), ``subgoals`` and
    the model's own columns.

    Args:
        model: The world's tensors and time limit.
        observation: "index" for Discrete(S), or "one_hot" for a float32 vector of length S.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        time_limit: Replaces the model's limit if given.

    Raises:
        ValueError: If the observation or an info key is unknown.
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012 - the attribute that Gymnasium prescribes

    def __init__(
        self,
        model: TransitionModel,
        *,
        observation: str = "index",
        info_keys: Sequence[str] | None = None,
        time_limit: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.model = model if time_limit is None else replace(model, time_limit=time_limit)
        self.observation_space = state_space(self.model.num_states, observation)
        self.action_space = spaces.Discrete(self.model.num_actions)
        self.render_mode = render_mode
        self._observation = observation
        self._stream = UniformStream()
        self._seeded = False
        self._state = self._elapsed = 0
        # Plain lists: reading one number from an array costs several times as much.
        self._successor, self._cumulative, self._reward = (t.tolist() for t in successor_tables(self.model))
        self._starts, self._start_cumulative = (t.tolist() for t in start_tables(self.model))
        self.chance = any(len(branches) > 1 for row in self._cumulative for branches in row)
        self.offer(offered_by(self.model), ("success",), info_keys)

    def _describe(self) -> None:
        tables = info_tables(self.model, self.info_keys)
        self._tables: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
            key: (_FORMS.get(key, number), table.tolist()) for key, table in tables.items()
        }
        self._events = {name: inside.tolist() for name, inside in self.model.events.items()}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draw a start state. Without a seed the random stream goes on."""
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self._stream.seed(self.np_random)
            self._seeded = True
        index = 0 if len(self._starts) == 1 else bisect_right(self._start_cumulative, self._stream.draw())
        self._state, self._elapsed = self._starts[index], 0
        return self._observe(), self._info(self._state)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action. The last step of the limit is truncated unless the state is terminal.

        Raises:
            ValueError: If the action is not one of the world's.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"action must be in 0..{self.model.num_actions - 1}, got {action!r}")
        before, action_index = self._state, int(action)
        cumulative = self._cumulative[before][action_index]
        branch = 0 if len(cumulative) == 1 else bisect_right(cumulative, self._stream.draw())
        self._state = self._successor[before][action_index][branch]
        self._elapsed += 1
        terminated = bool(self.model.terminal[self._state])
        limit = self.model.time_limit
        truncated = not terminated and limit is not None and self._elapsed >= limit
        reward = self._reward[before][action_index][branch]
        return self._observe(), reward, terminated, truncated, self._info(before)

    def render(self) -> Any:
        """The description of the present state, in render mode "ansi"."""
        return self.model.names[self._state] if self.render_mode == "ansi" else None

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return self._info(self._state) if self._seeded else {}

    def save(self) -> tuple[int, int, int]:
        """The state, the steps so far and the random stream, for `restore`."""
        return self._state, self._elapsed, self._stream.state

    def restore(self, saved: tuple[int, int, int]) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state. Returns what is seen there and its info."""
        self._state, self._elapsed, self._stream.state = saved
        self._seeded = True
        return self._observe(), self._info(self._state)

    @property
    def time_limit(self) -> int | None:
        """The model's."""
        return self.model.time_limit

    def optimum(self, discount: float) -> Optimum:
        """V*, Q* and the optimal actions at this discount."""
        return optimum(self.model, discount)

    @cached_property
    def optimal_return(self) -> float | None:
        """Largest expected undiscounted return of an episode within the time limit. It is None without a limit."""
        return None if self.model.time_limit is None else return_within(self.model, self.model.time_limit)

    @cached_property
    def random_return(self) -> float | None:
        """Expected undiscounted return of random actions within the time limit. It is None without a limit."""
        if self.model.time_limit is None:
            return None
        uniform = np.full((self.model.num_states, self.model.num_actions), 1.0 / self.model.num_actions)
        return return_within(self.model, self.model.time_limit, uniform)

    def _observe(self) -> Any:
        return encode_states(np.array([self._state]), self.model.num_states, self._observation)[0]

    def _info(self, before: int) -> dict[str, Any]:
        state = self._state
        info: dict[str, Any] = {key: form(table[state]) for key, (form, table) in self._tables.items()}
        if EVENTS in self.info_keys:
            info[EVENTS] = {name: inside[state] and not inside[before] for name, inside in self._events.items()}
        return info
