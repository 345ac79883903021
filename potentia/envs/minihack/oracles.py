"""How many actions are left to success, computed in the true state.

Monsters are not foreseen: distances are exact as long as none stands in the way. Traps are walked around
where there is a way around, and boulders too. Where there is none, each costs a step like bare floor.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from potentia.envs.minihack.hidden_state import HiddenState
from potentia.envs.minihack.stock_game import nethack
from potentia.envs.minihack.walking import (
    NEIGHBOURS,
    UNREACHABLE,
    Abilities,
    Field,
    Terrain,
    can_stay_in_place,
    cell_index,
    distances,
    survey,
)

BOULDER, SKELETON_KEY, WAND_OF_COLD = 447, 196, 403
_SQUEEZING_LOAD = 600
_FIELDS_KEPT = 64
_ZAP_ACTIONS, _RAY_REACH = 3, 7


class Question(NamedTuple):
    """A question that the game is waiting on, for example "In what direction?".

    Attributes:
        command: the NetHack command that led to it.
        direction: whether it is a direction that is asked for.
    """

    command: int
    direction: bool


class Oracle(Protocol):
    """Knows the distance to success from any state of its task."""

    def distance(self, state: HiddenState, question: Question | None) -> int:
        """The number of actions left, -1 if there is no way.

        Args:
            state: the true state, not a successful one.
            question: what the game is waiting to be told, if anything.
        """


class FieldCache:
    """Remembers distance fields by what they were computed from. Most steps change nothing on the map."""

    def __init__(self) -> None:
        self._fields: OrderedDict[object, tuple[Terrain, Field]] = OrderedDict()

    def get(self, key: object, make: Callable[[], tuple[Terrain, Field]]) -> tuple[Terrain, Field]:
        """The terrain and field under `key`, made if it is new."""
        known = self._fields.get(key)
        if known is None:
            known = self._fields[key] = make()
            if len(self._fields) > _FIELDS_KEPT:
                self._fields.popitem(last=False)
        return known


class WalkOracle:
    """Distance to the stairs down on foot, through doors.

    Args:
        actions: the NetHack commands that the task offers.
    """

    def __init__(self, actions: Iterable[int]) -> None:
        command = nethack().Command
        offered = {int(action) for action in actions}
        self._kick, self._search = command.KICK in offered, command.SEARCH in offered
        self._kick_command, self._open_command = int(command.KICK), int(command.OPEN)
        self._cache = FieldCache()

    def distance(self, state: HiddenState, question: Question | None) -> int:
        """See `Oracle.distance`."""
        hero = cell_index(*state.hero())
        # Few levels have anything to be careful about, so the careful map is tried first and mostly is the
        # only one.
        obstacles = self.obstacles(state)
        terrain, field = self._field(state, obstacles)
        if field[hero] >= UNREACHABLE and obstacles:
            terrain, field = self._field(state, ())
        return _settle(field[hero], self._answer(terrain, field, hero, question))

    def obstacles(self, state: HiddenState) -> tuple[int, ...]:
        """The cells of traps and boulders."""
        traps = [cell_index(trap.column, trap.row) for trap in state.traps()]
        boulders = [cell_index(item.column, item.row) for item in state.items() if item.kind == BOULDER]
        return tuple(sorted({*traps, *boulders}))

    def abilities(self, state: HiddenState) -> Abilities:
        """What the hero can do, given the task's actions and what is carried."""
        load = sum(item.weight for item in state.inventory())
        return Abilities(self._kick, self._search, load <= _SQUEEZING_LOAD)

    def _field(self, state: HiddenState, obstacles: tuple[int, ...]) -> tuple[Terrain, Field]:
        def make() -> tuple[Terrain, Field]:
            terrain = survey(state.map, self.abilities(state)).without(obstacles)
            return terrain, distances(terrain, dict.fromkeys(terrain.goals, 0))

        return self._cache.get((state.map, obstacles), make)

    def _answer(self, terrain: Terrain, field: Field, hero: int, question: Question | None) -> int:
        """How much an open question changes the distance."""
        if hero in terrain.goals:
            # On the stairs without having arrived there: success is noticed after the next action that ends
            # here.
            return 1 if self._search or can_stay_in_place(terrain, hero) else 2
        if question is None:
            return 0
        onward = [hero + step for step in NEIGHBOURS if field[hero] == terrain.cost[hero + step] + field[hero + step]]
        if question.command == self._kick_command and any(door in terrain.locked for door in onward):
            return -1  # of a kick's two actions one is spent
        closed = [door for door in onward if terrain.straight_only[door] and terrain.cost[door] == 2]
        if question.command == self._open_command and closed:
            return 0  # opening by command takes one action more than walking into the door
        return 1


class KeyOracle:
    """Distance when a key must be picked up and applied to a locked door, from any cell beside it.

    Applying the key unlocks and opens the door in one action, as the stock KeyRoom tasks have it.
    """

    def __init__(self) -> None:
        self._cache = FieldCache()

    def distance(self, state: HiddenState, question: Question | None) -> int:
        """See `Oracle.distance`."""
        carried = any(item.kind == SKELETON_KEY for item in state.inventory())
        keys = () if carried else _cells_of(state, SKELETON_KEY)

        def make() -> tuple[Terrain, Field]:
            terrain = survey(state.map, Abilities())
            return terrain, self._plan(terrain, carried, keys)

        terrain, field = self._cache.get((state.map, carried, keys), make)
        hero = cell_index(*state.hero())
        waiting = 0
        if hero in terrain.goals:
            waiting = 1 if can_stay_in_place(terrain, hero) else 2
        return _settle(field[hero], waiting + (question is not None))

    def _plan(self, terrain: Terrain, carried: bool, keys: tuple[int, ...]) -> Field:
        goals = dict.fromkeys(terrain.goals, 0)
        opened = terrain.with_entrances(dict.fromkeys(terrain.locked, 1), straight_only=True)
        beyond = distances(opened, goals)
        unlocking = {
            door + step: beyond[door + step] + 1
            for door in terrain.locked
            for step in NEIGHBOURS
            if terrain.cost[door + step]
        }
        with_key = distances(terrain, unlocking | goals)
        if carried:
            return with_key
        return distances(terrain, {key: with_key[key] + 1 for key in keys} | goals)


class FreezeOracle:
    """Distance when lava or water one cell wide must be frozen with a carried wand of cold.

    A zap takes three actions (command, wand, direction) and reaches at least seven cells. Where the ray goes
    after it has frozen the crossing, back at the hero perhaps, is not foreseen.
    """

    def __init__(self) -> None:
        self._cache = FieldCache()
        self._zap = int(nethack().Command.ZAP)

    def distance(self, state: HiddenState, question: Question | None) -> int:
        """See `Oracle.distance`."""
        charged = any(item.kind == WAND_OF_COLD and item.bonus > 0 for item in state.inventory())
        hero = cell_index(*state.hero())

        def make() -> tuple[Terrain, Field]:
            terrain = survey(state.map, Abilities())
            after_zap = self._crossings(terrain) if charged else {}
            zapping = {cell: left + _ZAP_ACTIONS for cell, left in after_zap.items()}
            return terrain, distances(terrain, zapping | dict.fromkeys(terrain.goals, 0))

        terrain, field = self._cache.get((state.map, charged), make)
        left = field[hero]
        if question is None:
            return _settle(left, 0)
        if question.command == self._zap and charged:
            after_zap = self._crossings(terrain).get(hero, UNREACHABLE)
            left = min(left + 1, after_zap + _ZAP_ACTIONS - (2 if question.direction else 1))
            return _settle(left, 0)
        return _settle(left, 1)

    def _crossings(self, terrain: Terrain) -> dict[int, int]:
        """Actions left after the best zap from each cell that a zap helps from."""
        best: dict[int, int] = {}
        for frozen in terrain.wet:
            crossed = terrain.with_entrances({frozen: 1}, straight_only=False)
            beyond = distances(crossed, dict.fromkeys(terrain.goals, 0))
            for step in NEIGHBOURS:
                for paces in range(1, _RAY_REACH + 1):
                    cell = frozen + paces * step
                    if not terrain.cost[cell]:
                        break
                    if beyond[cell] < best.get(cell, UNREACHABLE):
                        best[cell] = beyond[cell]
        return best


def _cells_of(state: HiddenState, kind: int) -> tuple[int, ...]:
    return tuple(sorted(cell_index(item.column, item.row) for item in state.items() if item.kind == kind))


def _settle(distance: int, extra: int) -> int:
    return -1 if distance >= UNREACHABLE else distance + extra


def make_oracle(kind: str, actions: Iterable[int]) -> Oracle | None:
    """The oracle of a kind named in the catalogue, or None for "none".

    Args:
        kind: see `catalogue.Task.oracle`.
        actions: the NetHack commands that the task offers.
    """
    if kind == "walk":
        return WalkOracle(actions)
    if kind == "key":
        return KeyOracle()
    if kind == "freeze":
        return FreezeOracle()
    return None
