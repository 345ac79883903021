"""Schedules: functions from the number of steps seen to a number, for `Scale` and `ScheduleDiscount`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Linear:
    """From ``start`` at step 0 straight to ``end`` at step ``steps``, and ``end`` from there on."""

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        if self.steps <= 0:
            raise ValueError(f"a linear schedule needs steps > 0, got {self.steps}")

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.start + (self.end - self.start) * min(step / self.steps, 1.0)


@dataclass(frozen=True)
class Exponential:
    """``end + (start - end) * 2 ** (-step / half_life)``."""

    start: float
    end: float
    half_life: int

    def __post_init__(self) -> None:
        if self.half_life <= 0:
            raise ValueError(f"an exponential schedule needs half_life > 0, got {self.half_life}")

    def __call__(self, step: int) -> float:
        """The value at a step."""
        return self.end + (self.start - self.end) * math.pow(2.0, -step / self.half_life)


@dataclass(frozen=True)
class Horizon:
    """``alpha ** (1 / steps)``: the gamma by which a reward so many steps away counts ``alpha``.

    Attributes:
        steps: A number, or a schedule of it.
        alpha: In [0, 1].

    >>> Horizon(Linear(1, 3, steps=100))(50)  # two steps, and .2 ** (1 / 2)
    0.4472135954999579
    """

    steps: float | Callable[[int], float]
    alpha: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must lie in [0, 1], got {self.alpha}")
        if not callable(self.steps) and not self.steps > 0:
            raise ValueError(f"a horizon must be of more than 0 steps, got {self.steps}")

    def __call__(self, step: int) -> float:
        """The value at a step."""
        steps = self.steps(step) if callable(self.steps) else self.steps
        return float(self.alpha ** (1 / steps))


SCHEDULES: dict[str, Callable[..., Callable[[int], float]]] = {
    "linear": Linear,
    "exponential": Exponential,
    "horizon": Horizon,
}
"""The schedules that a study file can name."""
