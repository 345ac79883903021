"""A world that does what no world should, after some steps in which it behaves."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

AFTER = 20


class Odd(gym.Env[int, int]):
    """A corridor of four states; ``does`` says what happens at step `AFTER`."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, does: str = "nothing") -> None:
        self.observation_space, self.action_space = gym.spaces.Discrete(4), gym.spaces.Discrete(2)
        self.does, self.steps, self.state = does, 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.state = 0
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        if self.steps >= AFTER and self.does != "nothing":
            getattr(self, f"_{self.does}")()
        self.state = min(self.state + int(action), 3)
        return self.state, float(self.state == 3), self.state == 3, False, {}

    def _hang(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1.0)

    def _leave(self) -> None:
        raise SystemExit(0)

    def _end(self) -> None:
        os._exit(0)

    def _end_75(self) -> None:
        os._exit(75)

    def _talk(self) -> None:
        sys.stdout.write("much to say " * 10_000 + "\n")
        sys.stdout.flush()


class OddNumbers(gym.Env[Any, int]):
    """The same with an observation of numbers, which stop being finite."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self) -> None:
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space, self.steps = gym.spaces.Discrete(2), 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        value = np.nan if self.steps >= AFTER else 0.0
        return np.full(2, value, np.float32), 0.0, self.steps % 5 == 0, False, {}


def clipped() -> gym.Env[int, int]:
    """A world whose own registration clips its reward."""
    return gym.wrappers.ClipReward(Odd(), 0.0, 0.5)


for _name, _world in (("Odd-v0", Odd), ("OddNumbers-v0", OddNumbers), ("OddClipped-v0", clipped)):
    if _name not in gym.registry:
        gym.register(_name, entry_point=_world)
