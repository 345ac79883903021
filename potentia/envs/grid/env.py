"""One compiled world as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.envs.grid.captions import CaptionWriter
from potentia.envs.grid.description import event_bits
from potentia.envs.grid.levels import find_level
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.pcg64 import generator_of
from potentia.envs.grid.render import render_world
from potentia.envs.grid.rules import DIRECTION, VIEW
from potentia.envs.grid.vector import (
    ACTION_NAMES,
    FREE_KEYS,
    checked_numbers,
    checked_render_mode,
    described_by,
    keys_of,
    space_of,
)  # fmt: skip
from potentia.envs.grid.views import shown_as
from potentia.envs.grid.worlds import DISABLED, GridWorlds
from potentia.envs.info_keys import flag, number, whole
from potentia.envs.world import World


class GridEnv(World, gym.Env[Any, Any]):
    """One of MiniGrid's levels, compiled: its rules, levels, rewards and limits, and an info on the true state.

    It gives what `potentia.envs.grid.GridVectorEnv` gives for a world. That class describes the info.

    Args:
        level: A name in `potentia.envs.grid.LEVELS`, such as ``"DoorKey-8x8"``, or a level.
        observation: "image" for MiniGrid's partial view, ``(7, 7, 3)`` uint8, "dict" for its own dictionary of image,
            direction and mission, "flat", "full", "rgb" or "rgb_view". `potentia.envs.grid.GridVectorEnv` says what
            they are.
        view_size: How many cells wide and deep the view is, an odd number.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        max_steps: Another time limit than the level's. It also scales the reward.
        render_mode: "rgb_array" or None.
        size: Other sizes than the name's, by MiniGrid's names, such as ``size=32``.

    Raises:
        ValueError: If there is no such level, or an option is none.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        level: str | Level,
        *,
        observation: str = "image",
        view_size: int = VIEW,
        info_keys: Sequence[str] | None = None,
        max_steps: int | None = None,
        render_mode: str | None = None,
        **size: int,
    ) -> None:
        self.level = find_level(level, **size) if isinstance(level, str) else level
        self.render_mode = checked_render_mode(render_mode)
        show = shown_as(observation, view_size)
        self.observation_space, self.action_space = (
            space_of(self.level, observation, show), spaces.Discrete(self.level.actions)
        )  # fmt: skip
        checked_numbers(max_steps=max_steps)
        self.worlds: GridWorlds = GridWorlds(self.level, 1, DISABLED, max_steps, show=show)
        self._observed = observation
        self._bits = event_bits(self.level.family)
        self._caption = CaptionWriter()
        self._seeded = False
        self._action = np.zeros(1, np.int64)
        self.chance = self.level.family.moves
        self.offer(keys_of(self.level), FREE_KEYS, info_keys)

    def _describe(self) -> None:
        self.worlds.describe(**described_by(self.info_keys))
        if self._seeded:
            self.worlds.refresh()

    @property
    def time_limit(self) -> int | None:
        """The level's, or ``max_steps``."""
        return self.worlds.plan.limit

    @property
    def action_names(self) -> Sequence[str]:
        """MiniGrid's."""
        return ACTION_NAMES

    def goal_text(self) -> str:
        """The mission."""
        return self.worlds.mission(0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Draws a new level. Without a seed the random numbers go on."""
        if seed is not None or not self._seeded:
            super().reset(seed=seed)
            self.worlds.seed(0, seed)
            self._np_random = generator_of(self.worlds.state.rng[0])
            self._seeded = True
        self.worlds.reset()
        self.worlds.out.success[0] = False
        return self.observe(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One action. It may come after an end, too, as in MiniGrid.

        Raises:
            ValueError: If it is none of 0, ..., 6.
        """
        worlds, out = self.worlds, self.worlds.out
        out.waiting[0] = False
        self._action[0] = action
        if not worlds.step(self._action):
            raise ValueError(f"an action must be one of 0..6, got {action!r}")
        return self.observe(), out.reward.item(), out.terminated.item(), out.truncated.item(), self._info()

    def render(self) -> Any:
        """A picture of the world, as MiniGrid draws it."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return render_world(self.worlds, 0)

    def observe(self) -> Any:
        """What the agent sees now."""
        worlds = self.worlds
        image = worlds.shown[0].copy()
        if self._observed == "dict":
            return {"direction": int(worlds.state.agent[0, DIRECTION]), "image": image, "mission": worlds.mission(0)}
        return image.reshape(-1) if self._observed == "flat" else image

    def save(self) -> tuple[np.ndarray[Any, Any], ...]:
        """A copy of the whole state, random numbers included, for `restore` here or in another copy of the world."""
        return self.worlds.save()

    def restore(self, saved: tuple[np.ndarray[Any, Any], ...]) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state. Returns what is seen there and its info."""
        self.worlds.restore(saved)
        self.worlds.out.success[0] = False
        self._seeded = True
        return self.observe(), self._info()

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        if not self._seeded:
            return {}
        info = self._info()
        return info | {"subgoals": dict.fromkeys(self._bits, False)} if "subgoals" in info else info

    def _info(self) -> dict[str, Any]:
        description, out = self.worlds.description, self.worlds.out
        info: dict[str, Any] = {}
        for key in self.info_keys:
            if key == "success":
                info[key] = flag(out.success.item())
            elif key == "caption":
                info[key] = self._caption(self.worlds.seen[0])
            elif key == "subgoals":
                bits = int(description.events[0])
                info[key] = {name: bool(bits & bit) for name, bit in self._bits.items()}
            elif key == "state_hash":
                info[key] = whole(description.state_hash[0])
            else:
                info[key] = number(getattr(description, key)[0])
        return info
