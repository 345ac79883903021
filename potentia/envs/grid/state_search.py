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
from typing import TYPE_CHECKING, Any

import numpy as np

from potentia.compiling import Compiled, compiled, part
from potentia.envs.grid.description import change_of_hash, hash_of_state, tell_distance
from potentia.envs.grid.rules import CARRIED, DIRECTION, PLAYING, POSITION, SUCCESS, World, ahead_of, step_one

if TYPE_CHECKING:
    from potentia.envs.grid.levels.level import Level
    from potentia.envs.grid.worlds import GridWorlds

most_states = 1_000_000
"""The largest number of states that is searched."""
_FEW_STATES = 2_000
"""So many are searched before it is worth to compile the search."""
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
        state, d, plan = worlds.state, worlds.description, worlds.plan
        while True:
            n = look_up_loop.run(self.keys, self.steps, d.state_hash, d.lacking, d.distance, d.potential, plan)
            if n < 0:
                return
            explore = explore_loop(*worlds.added_rules)
            for most in (_FEW_STATES, most_states):
                keys, steps = explore.run(*state, n, d.cells_hash[n], plan, worlds.level.actions, most)
                if len(keys):
                    break
            else:
                raise ValueError(
                    f"the distance in {worlds.level.family.name} is found by a search over its states, but more than "
                    f"{most_states:,} can be reached from here: leave out distance and potential, or make it smaller"
                )
            self._remember(keys, steps)

    def _remember(self, keys: np.ndarray[Any, Any], steps: np.ndarray[Any, Any]) -> None:
        if self.size + len(keys) > _MOST_KEPT:
            self._make(1 << 10)
        if 2 * (self.size + len(keys)) > len(self.keys):
            known = self.steps != _FREE
            old = self.keys[known], self.steps[known]
            self._make(1 << int(4 * (len(old[0]) + len(keys)) - 1).bit_length())
            self.size = insert_loop.run(self.keys, self.steps, *old)
        self.size += insert_loop.run(self.keys, self.steps, keys, steps)


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


@part
def _longer(array):  # type: ignore[no-untyped-def]
    """An array of twice the length, which begins with those numbers."""
    longer = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    longer[: len(array)] = array
    longer[len(array) :] = _LEADS_NOWHERE
    return longer


@part
def _larger_index(index, keys):  # type: ignore[no-untyped-def]
    """An index with twice the room."""
    larger = np.full(2 * len(index), -1, index.dtype)
    for k in range(len(keys)):
        larger[_place_of(larger, keys, keys[k])] = k
    return larger


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


@part
def _count_back(after, count):  # type: ignore[no-untyped-def]
    """The fewest actions to success from each state, from where each action leads."""
    actions = after.shape[1]
    first = np.zeros(count + 1, np.int32)
    for s in range(count):
        for a in range(actions):
            if after[s, a] >= 0:
                first[after[s, a] + 1] += 1
    for s in range(count):
        first[s + 1] += first[s]
    before, filled = np.empty(first[count], np.int32), first[:count].copy()
    steps, queue, last = np.full(count, -1, np.int32), np.empty(count, np.int32), 0
    for s in range(count):
        for a in range(actions):
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
    return steps


# Where the agent stood, and what was in front of it, before the action that led on.
_AHEAD, _CELL, _POSITION, _DIRECTION, _CARRIED, _STATE, _ACTION = range(7)


def _visiting(prepare: Callable[..., Any], judge: Callable[..., Any]) -> Callable[..., Any]:
    """The part of the search that visits states under added rules."""

    @part
    def go_on(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, n, plan, keys, hashes, after, path, index, count, depth
    ):
        """Visits states until all were, or there is no room for another; returns how many, and where it stopped."""
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

    return go_on


@lru_cache
def explore_loop(prepare: Callable[..., Any], judge: Callable[..., Any]) -> Compiled[..., Any]:
    """Visits all states that can be reached from that of world n; returns their hashes and distances.

    Both are empty if there are too many. The world is left as it was.
    """
    go_on = _visiting(prepare, judge)

    @compiled(f"the search over states ({judge.__name__})", work=lambda *arrays: 60 * arrays[-1], seconds=4)
    def explore(cells, agent, task, rng, scratch, n, cells_hash, plan, actions, most):  # type: ignore[no-untyped-def]
        kept_cells, kept_agent = cells[n].copy(), agent[n].copy()
        # Of each state: its key; that of its cells alone; where each action leads. Of each state on the way to the
        # present one: its number, the action last taken, and what that changed.
        keys, hashes = np.empty(1024, np.int64), np.empty(1024, np.uint64)
        after, path = np.full((1024, actions), _LEADS_NOWHERE, np.int32), np.empty((1024, 7), np.int32)
        index = np.full(4096, -1, np.int32)
        keys[0], hashes[0] = hash_of_state(cells_hash, agent, n), cells_hash
        index[_place_of(index, keys, keys[0])], path[0, _STATE], path[0, _ACTION] = 0, 0, 0
        count, depth = 1, 0
        while depth >= 0 and count < most:
            if count == len(keys):
                keys, hashes = np.append(keys, keys), np.append(hashes, hashes)
                after, path, index = _longer(after), _longer(path), _larger_index(index, keys[:count])
            count, depth = go_on(
                cells, agent, task, rng, scratch, n, plan, keys, hashes, after, path, index, count, depth
            )
        cells[n], agent[n] = kept_cells, kept_agent
        if depth >= 0:
            count = 0
        return keys[:count].copy(), _count_back(after, count)

    return explore
