"""Exact walking distances on a NetHack map, by its rules of movement.

A step goes to any of the eight neighbours, but never diagonally through an open or closed door. Walking into
a closed door opens it, which costs an action. A locked door needs a kick and a direction, a hidden one a
search. Actions that may fail (a stuck door, a kick, a search) are counted as if the first attempt succeeds.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.minihack.hidden_state import COLUMNS, terrain_and_state

UNREACHABLE = 1 << 20

_STONE_TO_WALLS = range(13)
_TREE, _HIDDEN_DOOR, _HIDDEN_CORRIDOR, _POOL = 13, 14, 15, 16
_LAVA, _IRON_BARS, _DOOR, _CORRIDOR, _STAIRS = 20, 21, 22, 23, 25
_WET = (16, 17, 18, 19, _LAVA)
_BROKEN, _OPEN, _CLOSED, _LOCKED = 1, 2, 4, 8
_STAIRS_DOWN = 2

# Cells carry a border of one, so that a neighbour is an offset and never off the map.
_WIDTH = COLUMNS + 2
_STRAIGHT = (-_WIDTH, _WIDTH, -1, 1)
_DIAGONAL = (-_WIDTH - 1, -_WIDTH + 1, _WIDTH - 1, _WIDTH + 1)
NEIGHBOURS = _STRAIGHT + _DIAGONAL

Field = list[int]
"""Actions left from each cell (bordered, flat). It is `UNREACHABLE` where there is no way."""


def cell_index(column: int, row: int) -> int:
    """The place of a cell in a `Field`."""
    return (row + 1) * _WIDTH + column + 1


@dataclass(frozen=True)
class Abilities:
    """What the hero can do to get on, from the task's actions and the hero's load.

    Attributes:
        kick: can break a locked door (two actions: kick, direction).
        search: can find hidden doors and corridors (one action).
        squeeze: can pass diagonally between two rocks. NetHack allows it up to a load of 600.
    """

    kick: bool = False
    search: bool = False
    squeeze: bool = True


@dataclass(frozen=True)
class Terrain:
    """A level as far as walking is concerned. All sequences are bordered and flat, as `cell_index` numbers them.

    Attributes:
        cost: actions that entering a cell takes. It is 0 where it cannot be entered.
        straight_only: cells that are entered and left in straight lines only.
        rock: cells that block squeezing past.
        locked: cells of locked doors.
        wet: cells of water and lava.
        goals: cells of stairs down.
        squeeze: as in `Abilities`.
    """

    cost: list[int]
    straight_only: list[bool]
    rock: list[bool]
    locked: tuple[int, ...]
    wet: tuple[int, ...]
    goals: tuple[int, ...]
    squeeze: bool

    def with_entrances(self, costs: Mapping[int, int], *, straight_only: bool) -> Terrain:
        """The same level with some cells made enterable, at the given costs."""
        cost, straight = self.cost.copy(), self.straight_only.copy()
        for cell, price in costs.items():
            cost[cell], straight[cell] = price, straight_only
        return Terrain(cost, straight, self.rock, (), self.wet, self.goals, self.squeeze)

    def without(self, cells: Iterable[int]) -> Terrain:
        """The same level with some cells closed to the hero."""
        cost = self.cost.copy()
        for cell in cells:
            cost[cell] = 0
        return Terrain(cost, self.straight_only, self.rock, self.locked, self.wet, self.goals, self.squeeze)


def survey(drawn: bytes, abilities: Abilities) -> Terrain:
    """Reads a level.

    Args:
        drawn: `HiddenState.map`.
        abilities: what the hero can do.
    """
    terrain, state = terrain_and_state(drawn)
    cost = np.ones(terrain.shape, np.int64)
    cost[np.isin(terrain, (*_STONE_TO_WALLS, _TREE, _HIDDEN_DOOR, _HIDDEN_CORRIDOR, _IRON_BARS, *_WET))] = 0
    door = terrain == _DOOR
    hidden = terrain == _HIDDEN_DOOR
    # A hidden door's low state bits describe its wall. Once found it is closed unless it is locked.
    locked = (door | hidden) & (state & _LOCKED > 0)
    closed = (door & (state & _CLOSED > 0)) | (hidden & ~locked)
    kick_price = 3 if abilities.kick else 0
    cost[door & closed] = 2
    cost[door & locked] = kick_price
    if abilities.search:
        cost[hidden & closed] = 3
        cost[hidden & locked] = kick_price + 1 if kick_price else 0
        cost[terrain == _HIDDEN_CORRIDOR] = 2
    straight = closed | (door & (state & _OPEN > 0)) | (locked & (not abilities.kick))
    return Terrain(
        cost=_bordered(cost, 0),
        straight_only=_bordered(straight, False),
        rock=_bordered(terrain < _POOL, True),
        locked=_places(locked & door),
        wet=_places(np.isin(terrain, _WET)),
        goals=_places((terrain == _STAIRS) & (state == _STAIRS_DOWN)),
        squeeze=abilities.squeeze,
    )


def distances(terrain: Terrain, sources: Mapping[int, int]) -> Field:
    """The fewest actions from every cell to any source, plus what that source still costs.

    Dijkstra's algorithm, backwards: the cost of a step is that of the cell which it enters.

    Args:
        terrain: the level.
        sources: actions left at each source cell.
    """
    field = [UNREACHABLE] * len(terrain.cost)
    queue = []
    for cell, left in sources.items():
        if left < UNREACHABLE:
            field[cell] = left
            queue.append((left, cell))
    heapq.heapify(queue)
    cost, straight_only = terrain.cost, terrain.straight_only
    while queue:
        left, cell = heapq.heappop(queue)
        if left > field[cell] or not cost[cell]:
            continue
        left += cost[cell]
        steps = _STRAIGHT if straight_only[cell] else NEIGHBOURS
        for step in steps:
            before = cell + step
            if left < field[before] and (cost[before] or terrain.rock[before] is False):
                if step in _DIAGONAL and not _may_cut_corner(terrain, cell, before, step):
                    continue
                field[before] = left
                heapq.heappush(queue, (left, before))
    return field


def _may_cut_corner(terrain: Terrain, cell: int, before: int, step: int) -> bool:
    if terrain.straight_only[before]:
        return False
    if terrain.squeeze:
        return True
    sideways = 1 if step in (_DIAGONAL[1], _DIAGONAL[3]) else -1
    return not (terrain.rock[cell + sideways] and terrain.rock[cell + step - sideways])


def can_stay_in_place(terrain: Terrain, cell: int) -> bool:
    """Whether the hero can waste an action without moving, by walking into something solid."""
    return any(terrain.rock[cell + step] for step in NEIGHBOURS)


def _bordered(values: NDArray[np.generic], edge: int | bool) -> list[Any]:
    return np.pad(values, 1, constant_values=edge).ravel().tolist()


def _places(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(np.pad(mask, 1).ravel()).tolist())
