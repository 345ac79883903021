"""Who acts best in an enumerable world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.exact.solve import optimum
from potentia.envs.exact.world import TabularWorld
from potentia.envs.experts import StateExpert

__all__ = ["ExactExpert"]

_DISCOUNT = 0.999


class ExactExpert(StateExpert):
    """``argmax over a of Q*(s, a)`` at a discount of 0.999, the first of those that are best."""

    def __init__(self, envs: Sequence[Any]) -> None:
        super().__init__(envs)
        self._policy = optimum(envs[0].unwrapped.model, _DISCOUNT).policy

    def _choose(self, obs: Any) -> NDArray[np.int64]:
        bases = [env.unwrapped for env in self.envs]
        states = [[base._state] if isinstance(base, TabularWorld) else base._dynamics.state for base in bases]
        return self._policy[np.concatenate(states)]
