"""A world made for tests: a corridor of five cells that shows itself in every way that there is."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

LENGTH = 5
HOSTILE = "</script><img src=x onerror=\"window.hacked='caption'\"><!--<script>"


class Corridor(gym.Env[Any, Any]):
    """Action 1 goes right, 0 left; 0.5 for reaching cell 2 first, 1 for the last cell, which ends the episode."""

    metadata = {"render_modes": ["rgb_array", "ansi"]}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        render_mode: str | None = None,
        *,
        says: bool = True,
        hostile: bool = False,
        fails_at: int | None = None,
        limit: int = 20,
    ) -> None:
        self.render_mode, self._says, self._hostile, self._fails_at, self._limit = (
            render_mode, says, hostile, fails_at, limit,
        )  # fmt: skip
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Discrete(LENGTH)
        self.mission = HOSTILE if hostile else "reach the end"
        self.cell = self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.cell = self.steps = 0
        return self.cell, self._info(0)

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        before = self.cell
        self.cell = max(0, before + (1 if action else -1))
        self.steps += 1
        reward = 1.0 if self.cell == LENGTH - 1 else 0.5 if (before, self.cell) == (1, 2) else 0.0
        cut = self.steps >= self._limit or self.steps == self._fails_at
        return self.cell, reward, self.cell == LENGTH - 1, cut, self._info(before)

    def action_text(self, action: Any) -> str:
        name = "go right" if action else "go left"
        return name + HOSTILE if self._hostile else name

    def render(self) -> Any:
        if self.render_mode == "ansi":
            line = "." * self.cell + "@" + "." * (LENGTH - 1 - self.cell)
            return HOSTILE + line if self._hostile else line
        frame = np.zeros((4, 4 * LENGTH, 3), np.uint8)
        frame[:, 4 * self.cell : 4 * self.cell + 4] = (255, 0, 0)
        return frame

    def _info(self, before: int) -> dict[str, Any]:
        if not self._says:
            return {}
        caption = f"cell {self.cell}" + (HOSTILE if self._hostile else "")
        name = "reached_two" + (HOSTILE if self._hostile else "")
        info: dict[str, Any] = {
            "caption": caption,
            "state_hash": 2**60 + self.cell,
            "distance": float(LENGTH - 1 - self.cell),
            "success": self.cell == LENGTH - 1,
            "subgoals": {name: (before, self.cell) == (1, 2)},
            "checklist": {"left": 1.0 - self.cell / 4},
        }
        if self._fails_at is not None:
            info["failure"] = "renderer crashed" if self.steps == self._fails_at else ""
        return info
