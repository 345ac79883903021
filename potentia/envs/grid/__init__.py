"""MiniGrid's worlds at the speed of the hardware: the rules are written once, as scalar functions, and compiled.

What is named here is imported when it is first used, so that to register the ids costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from potentia.envs.grid.registration import register

if TYPE_CHECKING:
    from potentia.envs.grid.cuda_env import CudaGridVectorEnv
    from potentia.envs.grid.env import GridEnv
    from potentia.envs.grid.levels import LEVELS, find_level
    from potentia.envs.grid.levels.ascii_map import level_of_map
    from potentia.envs.grid.levels.level import Family, Level
    from potentia.envs.grid.minigrid_state import from_minigrid
    from potentia.envs.grid.vector import GridVectorEnv
    from potentia.envs.grid.worlds import GridWorlds

__all__ = [
    "LEVELS", "CudaGridVectorEnv", "Family", "GridEnv", "GridVectorEnv", "GridWorlds", "Level", "find_level",
    "from_minigrid", "level_of_map", "register",
]  # fmt: skip

_HOMES = {
    "CudaGridVectorEnv": "cuda_env",
    "GridEnv": "env",
    "GridVectorEnv": "vector",
    "GridWorlds": "worlds",
    "LEVELS": "levels",
    "Family": "levels.level",
    "Level": "levels.level",
    "find_level": "levels",
    "level_of_map": "levels.ascii_map",
    "from_minigrid": "minigrid_state",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
