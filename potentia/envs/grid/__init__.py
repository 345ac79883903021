"""MiniGrid's worlds at the speed of the hardware: the rules are written once, as scalar functions, and compiled."""

from potentia.envs.grid.levels import LEVELS, Level, find_level
from potentia.envs.grid.minigrid_state import from_minigrid
from potentia.envs.grid.vector import GridEnv, GridVectorEnv
from potentia.envs.grid.worlds import GridWorlds

__all__ = ["LEVELS", "GridEnv", "GridVectorEnv", "GridWorlds", "Level", "find_level", "from_minigrid"]
