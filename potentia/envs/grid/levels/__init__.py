"""The levels: a module for each family says how it is drawn, judged and made, a row of the catalogue each size."""

from __future__ import annotations

from potentia.envs.grid.levels.catalogue import LEVELS, NAMES, find_level

__all__ = ["LEVELS", "NAMES", "find_level"]
