"""The Gymnasium forms of the compiled worlds: many at once, and one with MiniGrid's own observation."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from potentia.envs.grid.levels import find_level
from potentia.envs.grid.rules import VIEW
from potentia.envs.grid.worlds import DISABLED, NEXT_STEP, SAME_STEP, GridWorlds

_MODES = {
    AutoresetMode.NEXT_STEP: NEXT_STEP,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.DISABLED: DISABLED,
}
IMAGE_SPACE = spaces.Box(0, 255, (VIEW, VIEW, 3), np.uint8)
ACTION_SPACE = spaces.Discrete(7)


class GridVectorEnv(VectorEnv[Any, Any, Any]):
    """N worlds of one of MiniGrid's levels, stepped together, with MiniGrid's rules, levels, rewards and limits.

    The observation is MiniGrid's image, ``(N, 7, 7, 3)`` uint8: column, row, (object, colour, state). World i after
    ``reset(seed=s)`` is, reset after reset, what MiniGrid gives after ``reset(seed=s + i)``. ``info`` holds ``success``
    ``(N,)``.

    Args:
        level: A name in `potentia.envs.grid.LEVELS`, such as ``"DoorKey-8x8"``.
        num_envs: N.
        autoreset_mode: When a finished world starts anew.
        max_steps: Another time limit than the level's; it also scales the reward, ``1 - 0.9 * steps / max_steps``.

    Raises:
        ValueError: If there is no such level, or a number is less than 1.
    """

    def __init__(
        self,
        level: str,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_steps: int | None = None,
    ) -> None:
        if num_envs < 1 or (max_steps is not None and max_steps < 1):
            raise ValueError(f"num_envs and max_steps must be at least 1, got {num_envs} and {max_steps}")
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space, self.single_action_space = IMAGE_SPACE, ACTION_SPACE
        self.observation_space = batch_space(IMAGE_SPACE, num_envs)
        self.action_space = batch_space(ACTION_SPACE, num_envs)
        self.worlds = GridWorlds(find_level(level), num_envs, _MODES[self.autoreset_mode], max_steps)
        self._all = np.ones(num_envs, bool)
        self._seeded = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Draws new levels in all worlds, or in those of ``options["reset_mask"]``."""
        mask = (options or {}).get("reset_mask")
        mask = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask, bool)
        if seed is not None or not self._seeded:
            seeds: list[int | None] = list(seed) if isinstance(seed, list) else [None] * self.num_envs
            if isinstance(seed, int):
                seeds = [seed + i for i in range(self.num_envs)]
            if len(seeds) != self.num_envs:
                raise ValueError(f"seed must be one number or {self.num_envs}, one for each world, got {len(seeds)}")
            for n in np.flatnonzero(mask) if self._seeded else range(self.num_envs):
                self.worlds.seed(int(n), seeds[n])
            self._seeded = True
        self.worlds.reset(mask)
        self.worlds.out.success[mask] = False
        return self.worlds.out.image.copy(), self._info()

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One action in each world.

        Raises:
            RuntimeError: If it comes before the first reset.
            ValueError: If an action is not one of 0, ..., 6, or there are not N.
        """
        if not self._seeded:
            raise RuntimeError("step() came before reset(): call reset() first")
        worlds, chosen = self.worlds, np.asarray(actions)
        if chosen.dtype != np.int64 and chosen.dtype.kind in "iu":
            chosen = chosen.astype(np.int64)
        if chosen.shape != (self.num_envs,) or chosen.dtype != np.int64 or not worlds.step(chosen):
            raise ValueError(f"actions must be {self.num_envs} integers in 0..6, got {chosen!r}")
        terminated, truncated = worlds.out.terminated.copy(), worlds.out.truncated.copy()
        info = self._info()
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            done = terminated | truncated
            if done.any():
                info |= {"final_obs": worlds.out.final.copy(), "_final_obs": done, "_final_info": done}
                info["final_info"] = {"success": info["success"], "_success": done}
                info["success"] = np.zeros(self.num_envs, bool)
        return worlds.out.image.copy(), worlds.out.reward.copy(), terminated, truncated, info

    def _info(self) -> dict[str, Any]:
        return {"success": self.worlds.out.success.copy(), "_success": self._all}


class GridEnv(gym.Env[dict[str, Any], int]):
    """One compiled world with MiniGrid's observation: ``image``, ``direction`` and ``mission``. See `from_minigrid`."""

    def __init__(self, worlds: GridWorlds) -> None:
        self.worlds = worlds
        self.action_space = spaces.Discrete(7)  # type: ignore[assignment]  # of np.int64, and so are actions
        self.observation_space = spaces.Dict(
            {"direction": spaces.Discrete(4), "image": IMAGE_SPACE, "mission": spaces.Text(120)}
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Draws a new level."""
        super().reset(seed=seed, options=options)
        if seed is not None:
            self.worlds.seed(0, seed)
        self.worlds.reset()
        return self.observation(), {}

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """One action."""
        worlds = self.worlds
        worlds.out.waiting[0] = False  # MiniGrid goes on after an end, and so does this
        if not worlds.step(np.array([action], np.int64)):
            raise ValueError(f"an action must be one of 0..6, got {action!r}")
        return (
            self.observation(),
            float(worlds.out.reward[0]),
            bool(worlds.out.terminated[0]),
            bool(worlds.out.truncated[0]),
            {},
        )

    def observation(self) -> dict[str, Any]:
        """What the agent sees now."""
        worlds = self.worlds
        return {
            "image": worlds.out.image[0].copy(),
            "direction": int(worlds.state.agent[0, 1]),
            "mission": worlds.mission(0),
        }
