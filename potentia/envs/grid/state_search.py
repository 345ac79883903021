"""Exact distances by a search over the states that can be reached, of a level of which nothing is known but its rules.

From a state that is not known yet, all that can be reached are visited, depth first. An action is taken, and undone
when all has been seen that follows. From the actions that succeed, the fewest actions to them are then counted
backwards, breadth first. What was found is remembered by the states' hashes. So the steps of an episode look theirs up,
and a map that comes again is not searched again.

A state takes 60 bytes, and half a microsecond. Where there are more than `most_states`, the distance can't be had.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from potentia.compiling import Compiled, compiled, part
from potentia.envs.grid.description import change_of_hash, hash_of_state, tell_distance
from potentia.envs.grid.rules import CARRIED, DIRECTION, PLAYING, POSITION, SUCCESS, World, ahead_of, step_one

if TYPE_CHECKING:
    from potentia.envs.grid.levels.level import Level
    from potentia.envs.grid.worlds import GridWorlds

most_states = 1_000_000
"""The largest number of states that is searched."""
_MOST_KEPT = 2_000_000
_FREE, _SUCCEEDS, _LEADS_NOWHERE = -2, -2, -1


@lru_cache(maxsize=8)
def searched_distances(level: Level) -> SearchedDistances:
    """What was found in a level so far, by all worlds of this process."""
    return SearchedDistances()


class SearchedDistances:
    """The distances of all states that were searched in a level, by the hashes of the states.

    Attributes:
        keys: ``(K,)`` int64: the hashes, in a table with open addressing, K a power of two.
        steps: ``(K,)`` int32: the distances, -1 where there is no way, -2 where nothing is.
        size: How many there are.
    """

    def __init__(self) -> None:
        self._make(1 << 10)

    def _make(self, slots: int) -> None:
        self.keys, self.steps, self.size = np.zeros(slots, np.int64), np.full(slots, _FREE, np.int32), 0

    def find(self, worlds: GridWorlds) -> None:
        """Tells the distances of the worlds that lack theirs.

        Raises:
            ValueError: If too many states can be reached.
        """
        d, plan = worlds.description, worlds.plan
        while True:
            n = look_up_loop.run(self.keys, self.steps, d.state_hash, d.lacking, d.distance, d.potential, plan)
            if n < 0:
                return
            self._remember(*_explored(worlds, n))

    def _remember(self, keys: np.ndarray[Any, Any], steps: np.ndarray[Any, Any]) -> None:
        if self.size + len(keys) > _MOST_KEPT:
            self._make(1 << 10)
        if 2 * (self.size + len(keys)) > len(self.keys):
            known = self.steps != _FREE
            old = self.keys[known], self.steps[known]
            self._make(1 << int(4 * (len(old[0]) + len(keys)) - 1).bit_length())
            self.size = insert_loop.run(self.keys, self.steps, *old)
        self.size += insert_loop.run(self.keys, self.steps, keys, steps)


def _explored(worlds: GridWorlds, n: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The hashes of all states that can be reached from that of world n, and their distances.

    Raises:
        ValueError: If there are too many. The world is left as it was in any case.
    """
    state, d = worlds.state, worlds.description
    kept_cells, kept_agent = state.cells[n].copy(), state.agent[n].copy()
    found = Found.of(1024, worlds.level.actions)
    found.keys[0], found.hashes[0], found.path[0, [_STATE, _ACTION]] = d.state_hash[n], d.cells_hash[n], 0
    index_loop.run(found.index, found.keys, 1)
    count, depth, visit = 1, 0, visit_loop(*worlds.added_rules)
    try:
        while depth >= 0 and count < most_states:
            if count == len(found.keys):
                found = found.twice()
                index_loop.run(found.index, found.keys, count)
            count, depth = visit.run(*state, n, worlds.plan, *found, count, depth)
    finally:
        state.cells[n], state.agent[n] = kept_cells, kept_agent
    if depth >= 0:
        raise ValueError(
            f"the distance in {worlds.level.family.name} is found by a search over its states, but more than "
            f"{most_states:,} can be reached from here: leave out distance and potential, or make it smaller"
        )
    return found.keys[:count].copy(), _counted_back(found.after[:count])


class Found(NamedTuple):
    """The states found so far, and the way to the present one.

    Attributes:
        keys: ``(M,)`` int64: the hashes of the states.
        hashes: ``(M,)`` uint64: those of their cells alone.
        after: ``(M, A)`` int32: the number of the state to which each action leads, or -2 for success, or -1.
        path: ``(M, 7)`` int32: of each state on the way to the present one its number, the action last taken there,
            and what that changed.
        index: ``(4 * M,)`` int32: the numbers of the states by their hashes, a table with open addressing.
    """

    keys: Any
    hashes: Any
    after: Any
    path: Any
    index: Any

    @classmethod
    def of(cls, room: int, actions: int) -> Found:
        """With room for so many states."""
        return cls(
            np.zeros(room, np.int64), np.zeros(room, np.uint64), np.full((room, actions), _LEADS_NOWHERE, np.int32),
            np.zeros((room, 7), np.int32), np.full(4 * room, -1, np.int32),
        )  # fmt: skip

    def twice(self) -> Found:
        """The same with twice the room, and an empty index."""
        larger = Found.of(2 * len(self.keys), self.after.shape[1])
        for old, new in zip(self[:4], larger, strict=False):
            new[: len(old)] = old
        return larger


@part
def _slot_of(keys, steps, key):  # type: ignore[no-untyped-def]
    """Where a hash is in a table, or would be."""
    last = np.int64(len(keys) - 1)
    slot = key & last
    while steps[slot] != _FREE and keys[slot] != key:
        slot = (slot + 1) & last
    return slot


@compiled("the looking up of distances", work=lambda keys, steps, state_hash, lacking, *_: 10 * len(lacking))
def look_up_loop(keys, steps, state_hash, lacking, distance, potential, plan):  # type: ignore[no-untyped-def]
    """Tells the distances of the worlds that lack theirs and are known; returns the first that is not, or -1."""
    for n in range(len(lacking)):
        if lacking[n]:
            found = steps[_slot_of(keys, steps, state_hash[n])]
            if found == _FREE:
                return n
            tell_distance(distance, potential, n, plan, found)
            lacking[n] = False
    return -1


@compiled("the remembering of distances", work=lambda keys, steps, new, *_: 3 * len(new))
def insert_loop(keys, steps, new_keys, new_steps):  # type: ignore[no-untyped-def]
    """Remembers distances; returns how many are new."""
    count = 0
    for k in range(len(new_keys)):
        slot = _slot_of(keys, steps, new_keys[k])
        count += steps[slot] == _FREE
        keys[slot], steps[slot] = new_keys[k], new_steps[k]
    return count


@part(forceinline=True)
def _place_of(index, keys, key):  # type: ignore[no-untyped-def]
    """Where the number of a key is in an index, a table with open addressing, or would be."""
    last = np.int64(len(index) - 1)
    place = key & last
    while index[place] >= 0 and keys[index[place]] != key:
        place = (place + 1) & last
    return place


@compiled("the index of states", work=lambda index, keys, count: 3 * count)
def index_loop(index, keys, count):  # type: ignore[no-untyped-def]
    """Puts the numbers of states into an empty index."""
    for k in range(count):
        index[_place_of(index, keys, keys[k])] = k


@part(forceinline=True)
def _note(cells, agent, n, ahead, path, depth):  # type: ignore[no-untyped-def]
    """Notes what an action may change, for `_undo`."""
    path[depth, _AHEAD], path[depth, _CELL] = ahead, cells[n, ahead]
    path[depth, _POSITION], path[depth, _DIRECTION] = agent[n, POSITION], agent[n, DIRECTION]
    path[depth, _CARRIED] = agent[n, CARRIED]


@part(forceinline=True)
def _changed(cells, agent, n, path, depth):  # type: ignore[no-untyped-def]
    """Whether an action changed anything."""
    stays = agent[n, POSITION] == path[depth, _POSITION] and agent[n, DIRECTION] == path[depth, _DIRECTION]
    return not stays or cells[n, path[depth, _AHEAD]] != path[depth, _CELL]


@part(forceinline=True)
def _undo(cells, agent, n, path, depth):  # type: ignore[no-untyped-def]
    """Undoes an action."""
    cells[n, path[depth, _AHEAD]] = path[depth, _CELL]
    agent[n, POSITION], agent[n, DIRECTION] = path[depth, _POSITION], path[depth, _DIRECTION]
    agent[n, CARRIED] = path[depth, _CARRIED]


def _counted_back(after: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The fewest actions to success from each state, -1 for no way, from where each action leads."""
    count = len(after)
    first = np.zeros(count + 1, np.int64)
    first[1:] = np.cumsum(np.bincount(after[after >= 0], minlength=count))
    before, steps = np.zeros(first[-1], np.int32), np.full(count, -1, np.int32)
    count_back_loop.run(after, first, first[:-1].copy(), before, steps, np.zeros(count, np.int32))
    return steps


@compiled("the counting back from success", work=lambda after, *_: 3 * after.size)
def count_back_loop(after, first, filled, before, steps, queue):  # type: ignore[no-untyped-def]
    """Writes the distances of all states; ``before[first[s] : first[s + 1]]`` will be what comes before state s."""
    last = 0
    for s in range(after.shape[0]):
        for a in range(after.shape[1]):
            if after[s, a] >= 0:
                before[filled[after[s, a]]] = s
                filled[after[s, a]] += 1
            elif after[s, a] == _SUCCEEDS and steps[s] < 0:
                steps[s] = 1
                queue[last] = s
                last += 1
    k = 0
    while k < last:
        s = queue[k]
        k += 1
        for edge in range(first[s], first[s + 1]):
            if steps[before[edge]] < 0:
                steps[before[edge]] = steps[s] + 1
                queue[last] = before[edge]
                last += 1


# Where the agent stood, and what was in front of it, before the action that led on.
_AHEAD, _CELL, _POSITION, _DIRECTION, _CARRIED, _STATE, _ACTION = range(7)


@lru_cache
def visit_loop(prepare: Callable[..., Any], judge: Callable[..., Any]) -> Compiled[..., Any]:
    """Visits states until all were, or there is no room for another; returns how many there are, and where it stopped.

    It stopped nowhere, at -1, if all were visited.
    """

    def work(*arrays: Any) -> float:
        found, count = Found._make(arrays[-7:-2]), arrays[-2]
        return 70 * float(len(found.keys) - count)

    @compiled(f"the search over states ({judge.__name__})", work=work, seconds=2)
    def visit(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, n, plan, keys, hashes, after, path, index, count, depth
    ):
        world = World(cells, agent, task, rng, scratch)
        actions = after.shape[1]
        while depth >= 0:
            state, action = path[depth, _STATE], path[depth, _ACTION]
            if action == actions:  # all that follows has been seen
                depth -= 1
                if depth >= 0:
                    _undo(cells, agent, n, path, depth)
                continue
            path[depth, _ACTION] += 1
            _note(cells, agent, n, ahead_of(world, n, plan.stride), path, depth)
            carried = agent[n, CARRIED]
            taken = prepare(world, n, plan, action)
            outcome = judge(world, n, plan, taken, carried, step_one(world, n, taken, plan.stride))
            if outcome == SUCCESS:
                after[state, action] = _SUCCEEDS
            elif outcome == PLAYING and _changed(cells, agent, n, path, depth):
                ahead = path[depth, _AHEAD]
                now = hashes[state] ^ change_of_hash(ahead, path[depth, _CELL], cells[n, ahead])
                key = hash_of_state(now, agent, n)
                place = _place_of(index, keys, key)
                if index[place] < 0 and count == len(keys):
                    _undo(cells, agent, n, path, depth)
                    path[depth, _ACTION] -= 1
                    return count, depth
                if index[place] < 0:
                    index[place], keys[count], hashes[count] = count, key, now
                    after[state, action] = count
                    depth += 1
                    path[depth, _STATE], path[depth, _ACTION] = count, 0
                    count += 1
                    continue
                after[state, action] = index[place]
            _undo(cells, agent, n, path, depth)
        return count, depth

    return visit
