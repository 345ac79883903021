"""Exact distances in the compiled worlds: the fewest actions to success in the true state, keys and doors included.

What is ahead of the agent is a matter of *phases*, of which a way passes through some in this order:

- ``FIRST``: the key lies where it lies, and the door that it opens is locked, or no longer is. Or there is no key.
- ``HELD``: the agent holds the key before the locked door is open.
- ``OPENED``: it holds the key, and the door is no longer locked.
- ``FREE``: it has put the key down, where that is in no one's way.

`potentia.envs.grid.ways` finds the ways of each phase, from those of the next one. They say which doors they pass, so
they remain the same whichever doors are open, and, but for the first phase, wherever the key lies. So they are kept,
and found anew only when something else than a door has changed: in most steps that change a door or take the key, what
is known already is counted again for the doors that are closed now.

Closing a door, or putting the key down before the locked door is open, never makes a way shorter.

Levels with several things to carry (BlockedUnlockPickup, ObstructedMaze, GoToObject, PutNear) have no distance here:
see `potentia.envs.grid.state_search`. In Dynamic-Obstacles it is that of the room without obstacles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, EMPTY, FLOOR, GOAL, KEY, KIND, LOCKED, LOOK, OPEN
from potentia.envs.grid.cells import DOOR as A_DOOR
from potentia.envs.grid.levels.build import at
from potentia.envs.grid.levels.level import (
    AT_GOAL,
    BESIDE_IT,
    FETCH_ONE,
    OPEN_IT,
    RED_THEN_BLUE,
    STAND_THERE,
    TAKE_IT,
)  # fmt: skip
from potentia.envs.grid.put_down import put_down_in_the_way
from potentia.envs.grid.rules import CARRIED
from potentia.envs.grid.ways import (
    AFTER,
    BARE,
    BLOCKED,
    CLEAR,
    DOOR,
    DOORS,
    FIRST,
    FREE,
    HELD,
    KINDS,
    MOST_DOORS,
    NOWHERE,
    OPENED,
    SHUT,
    STEPS,
    SUCCESS,
    Leg,
    Map,
    begin_at_success,
    count_bits,
    spread,
)  # fmt: skip

# Of which situation ways are known: whether any are; the key's colour, and what was locked; where the key lay, and what
# was locked, for the first phase; where the ways of the other phases end.
_VALID, _COLOR, _LOCK, _FIRST_KEY, _FIRST_LOCK, _END_FREE, _END_OPENED, _END_LATER = range(8)
_UNKNOWN = -2


class Situation(NamedTuple):
    """What lies between the agent and success, beside the ground.

    Attributes:
        phase: The phase.
        closed: The doors that are closed, bit k for number k + 1.
        key: Where the key lies: the number of its cell, row by row. It is -1 if the key lies nowhere.
        lock: Where the door is that has to be unlocked. It is -1 if there is none.
        color: The colour of the key. It is -1 if there is none.
    """

    phase: int
    closed: Any
    key: int
    lock: int
    color: Any


@part(forceinline=True)
def _number(x, y, plan):  # type: ignore[no-untyped-def]
    """The number of a cell in a map with a margin. A row's margin is left of the next one, too."""
    return (y + 1) * (plan.width + 1) + x


@part
def size_of(plan):  # type: ignore[no-untyped-def]
    """The number of cells, with the margin."""
    return (plan.width + 1) * (plan.height + 2)


@part
def _key_of(cells, carried, n, plan):  # type: ignore[no-untyped-def]
    """Where the key lies, and its colour, also if it is carried. Both are -1 for none."""
    key, color = NOWHERE, np.int64(-1)
    if KIND[carried] == KEY:
        color = np.int64(LOOK[carried] >> 8 & 0xFF)
    for y in range(plan.height):
        for x in range(plan.width):
            cell = cells[n, at(x, y, plan)]
            if KIND[cell] == KEY:
                key = _number(x, y, plan)
                color = np.int64(LOOK[cell] >> 8 & 0xFF)
    return key, color


@part
def survey(cells, agent, task, n, plan, aim, ground):  # type: ignore[no-untyped-def]
    """Reads the map: what the ground is, whatever the doors' states, and where success is."""
    has_key = aim == AT_GOAL or aim == TAKE_IT or aim == OPEN_IT
    key, lock, doors, closed, color, locked = NOWHERE, NOWHERE, 0, np.int64(0), np.int64(-1), False
    if has_key:
        key, color = _key_of(cells, agent[n, CARRIED], n, plan)
    ground[:] = BLOCKED
    for y in range(plan.height):
        for x in range(plan.width):
            place, c = at(x, y, plan), _number(x, y, plan)
            cell = cells[n, place]
            kind, state = KIND[cell], LOOK[cell] >> 16 & 0xFF
            opens = kind == A_DOOR and (state != LOCKED or np.int64(LOOK[cell] >> 8 & 0xFF) == color)
            is_aim = kind == GOAL and aim == AT_GOAL
            if cell == EMPTY or (kind == KEY and has_key):
                ground[c] = BARE
            elif kind == FLOOR or (kind == BALL and plan.moves) or (opens and state == OPEN and aim == BESIDE_IT):
                ground[c] = CLEAR
            elif opens and aim != BESIDE_IT and doors < MOST_DOORS:
                ground[c] = DOOR + doors
                closed |= np.int64(state != OPEN) << doors
                doors += 1
            elif opens and aim != BESIDE_IT:
                ground[c] = CLEAR if state == OPEN else SHUT
            if opens and state == LOCKED:
                lock = c
            if (aim == TAKE_IT or aim == FETCH_ONE) and cell == task[n, 0]:
                is_aim = True
                ground[c] = BLOCKED
            elif (aim == BESIDE_IT or aim == OPEN_IT) and place == task[n, 0]:
                is_aim = True
            elif aim == STAND_THERE and (place == task[n, 0] or place == task[n, 1]):
                is_aim = place == task[n, 0]
                ground[c] = BLOCKED
            elif aim == RED_THEN_BLUE and place == task[n, 0]:
                ground[c] = CLEAR
                lock, locked = c, state != OPEN
            elif aim == RED_THEN_BLUE and place == task[n, 1]:
                ground[c] = BLOCKED
                is_aim = True
            if is_aim:
                ground[c] |= SUCCESS
    phase = FIRST
    if aim == RED_THEN_BLUE:
        phase = FIRST if locked else OPENED
    elif color >= 0 and key < 0:
        phase = HELD if lock >= 0 else OPENED
    return Situation(phase, closed, key, lock, color)


@part
def _find_later(now, here, known, ground, head, pool):  # type: ignore[no-untyped-def]
    """Finds the ways of all phases but the first."""
    none = last = np.int64(0)
    head[:], head[-1] = -1, 0
    if now.color >= 0 and here.aim == TAKE_IT:
        leg = Leg(FREE, FREE, NOWHERE, NOWHERE, NOWHERE, none)
        last = begin_at_success(leg, here, last, ground, head, pool)
        last = spread(leg, here, none, none, none, last, ground, head, pool)
    end_free = last
    if now.color >= 0 or here.aim == RED_THEN_BLUE:
        leg = Leg(OPENED, FREE, NOWHERE, NOWHERE, NOWHERE, none)
        if here.aim == AT_GOAL or here.aim == RED_THEN_BLUE:
            last = begin_at_success(leg, here, last, ground, head, pool)
        last = spread(leg, here, none, end_free, end_free, last, ground, head, pool)
        if here.aim == TAKE_IT:
            begin = last
            last = put_down_in_the_way(here, last, ground, head, pool)
            last = spread(leg, here, none, none, begin, last, ground, head, pool)
    end_opened = last
    if now.color >= 0 and now.lock >= 0:
        on = np.int64(ground[now.lock]) & KINDS
        leg = Leg(HELD, OPENED, NOWHERE, now.lock, now.lock, np.int64(1) << (on - DOOR) if on >= DOOR else none)
        if here.aim == AT_GOAL or here.aim == OPEN_IT:
            last = begin_at_success(leg, here, last, ground, head, pool)
        last = spread(leg, here, end_free, end_opened, end_opened, last, ground, head, pool)
    known[_COLOR], known[_LOCK] = now.color, now.lock
    known[_END_FREE], known[_END_OPENED], known[_END_LATER] = end_free, end_opened, last


@part
def _find_first(now, here, known, ground, head, pool):  # type: ignore[no-untyped-def]
    """Finds the ways of the first phase."""
    for pose in range(here.poses):
        head[FIRST * here.poses + pose] = -1
    first = np.int64(known[_END_LATER])
    begin, end, after = np.int64(known[_END_OPENED]), first, HELD
    if now.color < 0 or now.lock < 0:
        begin, end, after = np.int64(known[_END_FREE]), begin, OPENED
    use = now.lock if here.aim == RED_THEN_BLUE else now.key
    leg, last = Leg(FIRST, after, now.key, now.lock, use, np.int64(0)), first
    if here.aim != OPEN_IT and here.aim != RED_THEN_BLUE:
        last = begin_at_success(leg, here, last, ground, head, pool)
    spread(leg, here, begin, end, first, last, ground, head, pool)
    known[_FIRST_KEY], known[_FIRST_LOCK] = now.key, now.lock


@part
def _are_known(now, size, known, marks):  # type: ignore[no-untyped-def]
    """Whether the ways of all phases but the first are known. The ground is written down, as that of what will be."""
    same = known[_VALID] == 1 and known[_COLOR] == now.color and (now.lock < 0 or now.lock == known[_LOCK])
    for k in range(size):
        same = same and marks[k] == marks[size + k]
        marks[k] = marks[size + k]
    return same


@part
def solve(cells, agent, task, n, plan, aim, table, known, marks, head, pool):  # type: ignore[no-untyped-def]
    """Writes into ``table[n]`` the distance of every pose in the present situation. It is -1 where there is no way.

    Of the ways that are known those are used that are still right. Returns whether there was room for all ways.
    """
    size = size_of(plan)
    ground, here = marks[size:], Map(aim, plan.width + 1, 4 * size)
    now = survey(cells, agent, task, n, plan, aim, ground)
    if not _are_known(now, size, known, marks):
        _find_later(now, here, known, ground, head, pool)
        known[_VALID], known[_FIRST_KEY], known[_FIRST_LOCK] = 1, _UNKNOWN, _UNKNOWN
    if now.phase == FIRST and (known[_FIRST_KEY] != now.key or known[_FIRST_LOCK] != now.lock):
        _find_first(now, here, known, ground, head, pool)
    if head[-1] != 0:
        known[_VALID] = 0
        return False
    for y in range(plan.height):
        for x in range(plan.width):
            for d in range(4):
                node = now.phase * here.poses + 4 * _number(x, y, plan) + d
                table[n, 4 * (y * plan.width + x) + d] = _fewest(node, now.closed, head, pool)
    return True


@part
def _fewest(node, closed, head, pool):  # type: ignore[no-untyped-def]
    """The fewest actions from a pose, or -1."""
    k, fewest = head[node], -1
    while k >= 0:
        steps = pool[k, STEPS] + count_bits(np.int64(pool[k, DOORS]) & closed)
        fewest = steps if fewest < 0 else min(fewest, steps)
        k = pool[k, AFTER]
    return fewest
