"""Named events of the MiniHack tasks, found by comparing the true state before and after an action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from potentia.envs.minihack.hidden_state import HiddenState, terrain_and_state
from potentia.envs.minihack.oracles import SKELETON_KEY

_WET = (16, 17, 18, 19, 20)
_DOOR, _HIDDEN = 22, (14, 15)
_CLOSED, _LOCKED = 4, 8


@dataclass(frozen=True)
class Progress:
    """The counts that events are read from.

    Attributes:
        shut_doors: closed and locked doors on the level.
        locked_doors: locked ones.
        hidden: undiscovered doors and corridors.
        wet: cells of water and lava.
        monsters: living monsters.
        keys: skeleton keys carried.
    """

    shut_doors: int
    locked_doors: int
    hidden: int
    wet: int
    monsters: int
    keys: int


class ProgressReader:
    """Takes the counts, and counts the map anew only when it has changed."""

    def __init__(self, *, monsters: bool, keys: bool) -> None:
        self._monsters, self._keys = monsters, keys
        self._map = b""
        self._counts = (0, 0, 0, 0)

    def read(self, state: HiddenState) -> Progress:
        """The counts as they are now."""
        if state.map is not self._map:
            terrain, flags = terrain_and_state(state.map)
            door = terrain == _DOOR
            self._map = state.map
            self._counts = (
                int((door & (flags & (_CLOSED | _LOCKED) > 0)).sum()),
                int((door & (flags & _LOCKED > 0)).sum()),
                int(np.isin(terrain, _HIDDEN).sum()),
                int(np.isin(terrain, _WET).sum()),
            )
        monsters = sum(1 for _ in state.monsters()) if self._monsters else 0
        keys = sum(item.kind == SKELETON_KEY for item in state.inventory()) if self._keys else 0
        return Progress(*self._counts, monsters, keys)


EVENTS: dict[str, Callable[[Progress, Progress], bool]] = {
    "opened_door": lambda before, after: after.shut_doors < before.shut_doors,
    "unlocked_door": lambda before, after: after.locked_doors < before.locked_doors,
    "found_hidden": lambda before, after: after.hidden < before.hidden,
    "bridged": lambda before, after: after.wet < before.wet,
    "defeated_monster": lambda before, after: after.monsters < before.monsters,
    "picked_up_key": lambda before, after: after.keys > before.keys,
}
"""Each event and when it has just happened. The event `reached_goal`, the task's own success, is added by the world."""
