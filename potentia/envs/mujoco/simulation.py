"""What worlds simulated by MuJoCo have in common: a sparse reward, a limit, seeds, and a state that can be kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from potentia.envs.info_keys import flag, number
from potentia.envs.mujoco.snapshot import Snapshot, put, take
from potentia.envs.world import World
from potentia.limits import check_at_least

__all__ = ["Saved", "SimulatedWorld"]

Obs = NDArray[np.float64]
Saved = tuple[Snapshot, dict[str, Any], Mapping[str, Any]]
"""The simulation, what the world itself remembers, and its random numbers."""


class SimulatedWorld(World, gym.Env[Obs, NDArray[np.float32]]):
    """A simulated task: the reward is 1 on the step on which it is first done, and 0 elsewhere.

    Subclasses set the spaces, call `simulate`, and say what `_begin`, `_advance`, `_success` and `_tell` do.

    Attributes:
        kept: The names of the attributes that are part of the state.

    Args:
        max_steps: The time limit.
        terminate_on_success: Whether success ends the episode. Else it goes on to the limit, and pays nothing more.
        render_mode: "rgb_array" or None.
    """

    chance = False
    kept: tuple[str, ...] = ("_steps", "_paid", "_running", "_obs")
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 50}  # type: ignore[misc]
    observation_space: spaces.Box
    action_space: spaces.Box

    def __init__(self, *, max_steps: int, terminate_on_success: bool, render_mode: str | None) -> None:
        check_at_least(1, max_steps=max_steps)
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f'render_mode must be None or "rgb_array", got {render_mode!r}')
        self.max_steps, self.terminate_on_success, self.render_mode = int(max_steps), terminate_on_success, render_mode
        self._steps, self._paid, self._running, self._begun = 0, False, False, False
        self._obs: Obs = np.zeros(0)

    def simulate(self, model: Any, data: Any, objects: Sequence[gym.Env[Any, Any]]) -> None:
        """Notes MuJoCo's model and data, and the environments whose attributes are part of the state."""
        self._model, self._data, self._objects = model, data, tuple(objects)

    @property
    def time_limit(self) -> int:
        """``max_steps``."""
        return self.max_steps

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Obs, dict[str, Any]]:
        """Begins an episode. Its task is drawn from this world's own random numbers."""
        super().reset(seed=seed, options=options)
        for inside in self._objects:
            inside.np_random = self.np_random
        self._obs = self._bounded(self._begin())
        self._steps, self._paid, self._running, self._begun = 0, False, True, True
        return self._obs.copy(), self.info_now()

    def step(self, action: NDArray[np.float32]) -> tuple[Obs, float, bool, bool, dict[str, Any]]:
        """Acts for one step of control. Actions are clipped to their bounds.

        Raises:
            ResetNeeded: If no episode is running.
            ValueError: If the action has another shape, or is not finite.
        """
        if not self._running:
            raise ResetNeeded("no episode is running: call reset() first")
        action = np.asarray(action, np.float32)
        if action.shape != self.action_space.shape or not np.isfinite(action).all():
            raise ValueError(f"an action must be finite, of shape {self.action_space.shape}, got {action}")
        self._obs = self._bounded(self._advance(np.clip(action, self.action_space.low, self.action_space.high)))
        self._steps += 1
        success = self._success()
        reward = float(success and not self._paid)
        self._paid |= success
        terminated = success and self.terminate_on_success
        truncated = not terminated and self._steps >= self.max_steps
        self._running = not (terminated or truncated)
        return self._obs.copy(), reward, terminated, truncated, self.info_now()

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        if not self._begun:
            return {}
        return {key: flag(self._success()) if key == "success" else self._tell(key) for key in self.info_keys}

    def save(self) -> Saved:
        """See `Restorable.save`. It raises ``ResetNeeded`` before the first reset."""
        if not self._begun:
            raise ResetNeeded("there is no state before the first reset: call reset() first")
        own = {name: copy.deepcopy(getattr(self, name)) for name in self.kept}
        return take(self._model, self._data, self._objects), own, self.np_random.bit_generator.state

    def restore(self, saved: Saved) -> tuple[Obs, dict[str, Any]]:
        """See `Restorable.restore`."""
        if not self._begun:
            self.reset(seed=0)  # the objects get the attributes that only a reset makes
        snapshot, own, random = saved
        put(self._model, self._data, self._objects, snapshot)
        self.np_random.bit_generator.state = random
        for name, value in own.items():
            setattr(self, name, copy.deepcopy(value))
        return self._obs.copy(), self.info_now()

    def render(self) -> Any:
        """A picture ``(H, W, 3)``."""
        raise NotImplementedError

    def _bounded(self, obs: Obs) -> Obs:
        return np.clip(obs, self.observation_space.low, self.observation_space.high)

    def _begin(self) -> Obs:
        """Draws a task and begins it. Returns what is seen."""
        raise NotImplementedError

    def _advance(self, action: NDArray[np.float32]) -> Obs:
        """Simulates a step. Returns what is seen."""
        raise NotImplementedError

    def _success(self) -> bool:
        """Whether the task is done in this state."""
        raise NotImplementedError

    def _tell(self, key: str) -> Any:
        """The info of a key that this world offers, other than success."""
        raise NotImplementedError


def share(part: float) -> np.float64:
    """A number of [0, 1] as an info holds it."""
    return number(min(max(part, 0.0), 1.0))
