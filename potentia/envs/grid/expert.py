"""Who walks a grid down its exact distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.experts import StateExpert
from potentia.envs.grid.worlds import DISABLED, GridWorlds, has_distance

__all__ = ["GridExpert"]


class GridExpert(StateExpert):
    """``argmin over a of the distance after a``: each action is tried on a copy of the state, all at once.

    The first of equally good actions is taken. Where things move by chance, what is tried is what will happen.

    Raises:
        ValueError: If the level's distance is not known, or the worlds are on a GPU.
    """

    def __init__(self, envs: Sequence[Any]) -> None:
        super().__init__(envs)
        self._worlds: list[GridWorlds] = [env.unwrapped.worlds for env in envs]
        first = self._worlds[0]
        if not isinstance(first, GridWorlds):
            raise ValueError("an expert needs grids on the CPU: make them without device= or on another backend")
        if not has_distance(first.level):
            raise ValueError(f"there is no expert for {_name(envs[0])}: its distance to success is not known")
        self._actions = first.level.actions
        self._count = sum(worlds.num_envs for worlds in self._worlds)
        self._tried = GridWorlds(
            first.level, self._count * self._actions, DISABLED, first.plan.limit, described=True, measured=True
        )
        self._rows = np.repeat(np.arange(self._count), self._actions)
        self._each = np.tile(np.arange(self._actions), self._count)

    def _choose(self, obs: Any) -> NDArray[np.int64]:
        saved = [worlds.save() for worlds in self._worlds]
        whole = saved[0] if len(saved) == 1 else tuple(np.concatenate(parts) for parts in zip(*saved, strict=True))
        tried = self._tried
        tried.restore(whole, self._rows)
        tried.out.waiting[:] = False
        tried.step(self._each)
        distance = np.where(tried.out.success, 0.0, tried.description.distance)
        distance[distance < 0] = np.inf
        best: NDArray[np.int64] = distance.reshape(self._count, self._actions).argmin(1)
        return best


def _name(env: Any) -> str:
    return env.spec.id if env.spec is not None else "this level"
