"""The exact number of actions to success in the true state of a MiniGrid task."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from potentia.envs.minigrid.pose_search import NOWHERE, Board, LazyExit, Poses, PoseTable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DistanceOracle"]

HELD = -1
"""Place of the key while the agent carries it."""
GONE = 0
"""Place of a key that does not exist."""

_Configuration = tuple[int, int, int]


class DistanceOracle:
    """Shortest distances in one episode, one table over all poses for each configuration met.

    A configuration is (place of the key, closed doors, locked doors), cells as bits. A table is computed when
    its configuration is first met, by a backward search whose ways out are success and the steps into other
    configurations: taking the key, dropping it, opening or unlocking a door. It is exact because

    - a way out into another configuration has that configuration's exact cost, and is only left out where a
      lower bound shows that it cannot be shorter;
    - closing an open door, dropping a key that hinders nothing, and taking up again a key just dropped never
      make a way shorter, since the agent could do all the same without it;
    - a key dropped in front of the agent lies on no shortest way that begins with a turn, so that only where
      every shortest way begins with a step the dropped key has to be searched for as an obstacle.

    It covers tasks with at most one movable object beside the target. In tasks with moving obstacles these
    are
    ignored: the distance is that of the empty room.

    Args:
        game: The MiniGrid environment, just reset.
        kind: The ``oracle`` of its `Task`.
    """

    def __init__(self, game: Any, kind: str) -> None:
        self.kind = kind
        self._game = game
        self._board = Board(game.width)
        self._tables: dict[tuple[_Configuration, int], PoseTable] = {}
        self._bounds: dict[_Configuration, PoseTable] = {}
        self._free_tables: dict[tuple[int, int, int], PoseTable] = {}
        self._key: Any = None
        self._key_index = -1
        self._target = 0
        self._doors: list[tuple[int, Any]] = []
        self._floor = self._empty = 0
        self._goal = 0
        self._scan()

    def distance(self) -> int | None:
        """Fewest actions to success from the present, not terminal state; None if there is no way."""
        x, y = self._game.agent_pos
        cell = 1 << (int(y) * self._game.width + int(x))
        if self.kind == "pickup" and not self._target_is_there():
            return None
        return self._table(self._configuration(), cell).distance(cell, int(self._game.agent_dir))

    def _scan(self) -> None:
        """Read the map: what stays where it is, the doors, the key, the target."""
        game = self._game
        for index, thing in enumerate(game.grid.grid):
            cell = 1 << index
            if thing is None:
                self._empty |= cell
            elif thing.type == "floor":
                self._floor |= cell
            elif thing.type == "goal":
                self._goal |= cell
            elif thing.type == "door":
                self._doors.append((cell, thing))
            elif self._is_target(thing):
                self._target |= cell
                self._target_index, self._target_thing = index, thing
            elif thing.type == "key" and self.kind in {"goal", "unlock", "pickup"}:
                self._key, self._key_index = thing, index
                self._empty |= cell
            elif self.kind == "goal_past_obstacles" and thing.type == "ball":
                self._empty |= cell
        if self.kind == "memory":
            # Both ends of the corridor end the episode; the right one is the goal.
            self._goal = self._cell(game.success_pos)
            self._empty &= ~(self._goal | self._cell(game.failure_pos))
        if self.kind == "beside":
            self._target = self._cell(game.target_pos)

    def _is_target(self, thing: Any) -> bool:
        if self.kind == "pickup":
            return thing is self._game.obj
        return self.kind == "fetch" and (thing.type, thing.color) == (
            self._game.targetType,
            self._game.targetColor,
        )

    def _cell(self, position: Any) -> int:
        x, y = (int(v) for v in position)
        return 1 << (y * int(self._game.width) + x)

    def _target_is_there(self) -> bool:
        return bool(self._game.grid.grid[self._target_index] is self._target_thing)

    def _configuration(self) -> _Configuration:
        closed = locked = 0
        for cell, door in self._doors:
            if door.is_locked:
                locked |= cell
            elif not door.is_open:
                closed |= cell
        return self._key_place(), closed, locked

    def _key_place(self) -> int:
        if self._key is None:
            return GONE
        if self._game.carrying is self._key:
            return HELD
        if self._game.grid.grid[self._key_index] is not self._key:
            x, y = self._key.cur_pos
            self._key_index = int(y) * self._game.width + int(x)
        return 1 << self._key_index

    def _open(self, closed: int, locked: int) -> int:
        """The doors that stand open."""
        return sum(cell for cell, _ in self._doors) & ~(closed | locked)

    def _free(self, closed: int, locked: int, obstacle: int = 0) -> PoseTable:
        """Distances when nothing is left to do but to walk, through ``closed`` doors too, to success."""
        at = (closed, locked, obstacle)
        if at not in self._free_tables:
            stand = (self._empty | self._floor | self._open(0, locked)) & ~obstacle
            exits = {1: [self._success(stand, closed)]}
            self._free_tables[at] = self._board.search(stand, closed, exits)
        return self._free_tables[at]

    def _success(self, stand: int, closed: int) -> Poses:
        """The poses from which one action succeeds, hands being free and nothing but doors in the way."""
        if self.kind == "beside":
            beside = self._board.facing(self._target, stand)
            cells = beside[0] | beside[1] | beside[2] | beside[3]
            return cells, cells, cells, cells
        if self.kind == "red_then_blue":
            red = self._cell_of(self._game.red_door)
            return NOWHERE if red & closed else self._board.facing(self._cell_of(self._game.blue_door), stand)
        return self._board.facing(self._target or self._goal, stand)

    def _cell_of(self, door: Any) -> int:
        cells: list[int] = [cell for cell, thing in self._doors if thing is door]
        return cells[0]

    def _table(self, at: _Configuration, cell: int) -> PoseTable:
        """Distances in a configuration from all poses that can be walked to from ``cell``."""
        key, closed, locked = at
        if self.kind == "red_then_blue":
            return self._red_then_blue(closed)
        if self.kind == "beside":
            return self._free(0, closed | locked)
        if self.kind == "goal" and key == HELD:
            # The key opens the locked door as a toggle opens a closed one, and may stay in the hand.
            return self._free(closed | self._matching(locked), locked & ~self._matching(locked))
        if key == GONE:
            return self._free(closed, locked)
        stand = self._standing(key, closed, locked)
        region = self._board.connected(cell, stand) if closed else stand
        if (known := self._tables.get((at, region))) is None:
            known = self._tables[at, region] = self._solve(at, region)
        return known

    def _standing(self, key: int, closed: int, locked: int) -> int:
        return (self._empty | self._floor | self._open(closed, locked)) & ~max(key, 0)

    def _solve(self, at: _Configuration, region: int) -> PoseTable:
        """The table of a configuration in which the key may still have to be taken, used or put down."""
        key, closed, locked = at
        exits: dict[int, list[Poses]] = {}
        if key == HELD:
            lazy = self._unlocking(closed, locked, region, exits)
            if self.kind == "pickup":
                lazy += self._dropping(closed, locked, region, exits)
        else:
            exits[1] = [self._success(region, closed)]
            lazy = self._ways(self._board.facing(key, region), partial(self._after, (HELD, closed, locked)))
        for door, _ in self._doors:
            if door & closed and any(poses := self._board.facing(door, region)):
                opened = (key, closed & ~door, locked)
                lazy += self._ways(poses, partial(self._after, opened), self._bound(*at).distance)
        return self._board.search(region, 0, exits, lazy)

    def _bound(self, key: int, closed: int, locked: int) -> PoseTable:
        """At least so many actions.

        Until the key is next taken, used or put down each closed door costs a toggle; then all count as open.
        """
        if (known := self._bounds.get((key, closed, locked))) is not None:
            return known
        stand = self._standing(key, 0, locked)
        exits: dict[int, list[Poses]] = {}
        if key == HELD:
            lazy = self._unlocking(0, locked, stand, exits)
            if self.kind == "pickup":
                lazy += self._dropping(0, locked, stand, exits)
        else:
            exits[1] = [self._success(stand, closed)]
            lazy = self._ways(self._board.facing(key, stand), partial(self._after, (HELD, 0, locked)))
        bound = self._bounds[key, closed, locked] = self._board.search(stand, closed, exits, lazy)
        return bound

    def _unlocking(self, closed: int, locked: int, stand: int, exits: dict[int, list[Poses]]) -> list[LazyExit]:
        """Toggling the door that the key in the hand unlocks."""
        door = self._matching(locked)
        poses = self._board.facing(door, stand)
        if self.kind == "unlock":
            exits.setdefault(1, []).append(poses)
            return []
        return self._ways(poses, partial(self._after, (HELD, closed, locked & ~door)))

    def _matching(self, locked: int) -> int:
        """Of the locked doors, those that the key unlocks."""
        fitting: list[int] = [c for c, door in self._doors if c & locked and door.color == self._key.color]
        return sum(fitting)

    def _dropping(self, closed: int, locked: int, stand: int, exits: dict[int, list[Poses]]) -> list[LazyExit]:
        """Putting the key down in front, after which one only walks to the target."""
        lazy: list[LazyExit] = []
        layers = self._free(closed, locked).layers
        may = self._board.facing(self._empty, stand)
        for steps, layer in enumerate(layers, 1):
            nearer = layers[steps - 2] if steps > 1 else NOWHERE
            drop = [layer[d] & may[d] for d in range(4)]
            turning = [drop[d] & (nearer[d - 1] | nearer[d - 3]) for d in range(4)]
            exits.setdefault(steps + 1, []).append((turning[0], turning[1], turning[2], turning[3]))
            for direction in range(4):
                for cell in _bits(drop[direction] & ~turning[direction]):
                    ahead = self._board.ahead(cell, direction)
                    walk = partial(self._walk_around, closed, locked, ahead)
                    lazy.append(LazyExit(direction, cell, steps + 2, partial(walk, cell, direction)))
        return lazy

    def _walk_around(self, closed: int, locked: int, dropped: int, cell: int, direction: int) -> int | None:
        """Cost of putting the key down on ``dropped`` and walking from there to success."""
        rest = self._free(closed, locked, dropped).distance(cell, direction)
        return None if rest is None else rest + 1

    def _after(self, at: _Configuration, cell: int, direction: int) -> int | None:
        """Cost of an action that changes the configuration to ``at`` and leaves the agent where it is."""
        rest = self._table(at, cell).distance(cell, direction)
        return None if rest is None else rest + 1

    def _ways(
        self,
        poses: Poses,
        cost: Callable[[int, int], int | None],
        bound: Callable[[int, int], int | None] | None = None,
    ) -> list[LazyExit]:
        """Ways out of ``poses``; without a bound their cost is computed at once."""
        lazy: list[LazyExit] = []
        for direction in range(4):
            for cell in _bits(poses[direction]):
                least = (bound or cost)(cell, direction)
                if least is not None:
                    lazy.append(LazyExit(direction, cell, least, partial(cost, cell, direction)))
        return lazy

    def _red_then_blue(self, closed: int) -> PoseTable:
        """The red door is opened first; opening the blue one before it fails."""
        red, blue = self._cell_of(self._game.red_door), self._cell_of(self._game.blue_door)
        if not closed & red:
            return self._free(0, blue)
        stand = self._empty
        opened = self._ways(self._board.facing(red, stand), partial(self._after, (GONE, closed & ~red, 0)))
        return self._board.search(stand, 0, {}, opened)


def _bits(cells: int) -> list[int]:
    """The single cells of a set."""
    single: list[int] = []
    while cells:
        single.append(cells & -cells)
        cells &= cells - 1
    return single
