"""Exact distances in the compiled worlds: the fewest actions to success in the true state, keys and doors included.

One search from success backwards gives the distance of every pose (cell and direction) in the present situation: what
the agent carries, and which doors are closed. What is ahead of it is a matter of *phases*, of which a way passes
through some in this order:

- ``LOCKED``: the key lies where it lies, the door that it opens is locked; or there is no key;
- ``HELD``: the agent holds the key before the locked door is open;
- ``OPENED``: it holds the key, and the door is no longer locked;
- ``FREE``: it has put the key down, where that is in no one's way;
- ``LYING``: the key lies somewhere, and nothing is locked.

In a level with a key, a node of the search also says which of the closed doors are still closed, since a door that was
opened on the way to the key is open on the way back. Closing a door, or putting the key down before the locked door is
open, never makes a way shorter.

A key put down in front of the agent lies on no shortest way that begins with a turn: the cell in front is reached by
one step, and in any direction by three actions, but from another side only by six. So only where every shortest way
begins with a step a search around the key tells the cost of putting it down, and that only if no other way is as short
as the least that it could be.

Levels with several things to carry (BlockedUnlockPickup, ObstructedMaze, GoToObject, PutNear) have no distance here. In
Dynamic-Obstacles it is that of the room without obstacles.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from potentia.envs.grid.cells import BALL, CLOSED, DOOR, EMPTY, FLOOR, GOAL, KEY, KIND, LOCKED, LOOK, OPEN
from potentia.envs.grid.levels.build import at
from potentia.envs.grid.levels.catalogue import Kind, Level
from potentia.envs.grid.rules import CARRIED, next_to

NO_AIM, AT_GOAL, TAKE_IT, OPEN_IT, STAND_THERE, FETCH_ONE, BESIDE_IT, RED_THEN_BLUE = range(8)
_AIMS = {
    Kind.UNLOCK: OPEN_IT,
    Kind.UNLOCK_PICKUP: TAKE_IT,
    Kind.KEY_CORRIDOR: TAKE_IT,
    Kind.OBSTRUCTED_MAZE: NO_AIM,
    Kind.RED_BLUE_DOORS: RED_THEN_BLUE,
    Kind.MEMORY: STAND_THERE,
    Kind.FETCH: FETCH_ONE,
    Kind.GO_TO_DOOR: BESIDE_IT,
    Kind.GO_TO_OBJECT: NO_AIM,
    Kind.PUT_NEAR: NO_AIM,
    Kind.PLAYGROUND: NO_AIM,
}
MOST_DOORS = 12
"""Closed doors that a search with a key tells apart; further ones count as closed each time."""
_LOCKED, _HELD, _OPENED, _FREE, _LYING = range(5)
_PHASES = 5
# What the ground is, beside the numbers of closed doors: 1, ..., MOST_DOORS.
_BLOCKED, _CLEAR, _CLOSED, _THE_KEY, _THE_LOCK = -1, 0, 99, 100, 101


def aim_of(level: Level) -> int:
    """How success is reached in a level; ``NO_AIM`` where its distance is not known."""
    blocked = level.kind == Kind.UNLOCK_PICKUP and level.third
    return NO_AIM if blocked else _AIMS.get(level.kind, AT_GOAL)


@njit
def _survey(cells, agent, task, n, plan, aim, ground, success):  # type: ignore[no-untyped-def]
    """Reads the map: the ground, where success is, how many doors are closed, the key, the lock."""
    width = plan.width
    carried = agent[n, CARRIED]
    has_key = aim == AT_GOAL or aim == TAKE_IT or aim == OPEN_IT
    key, lock, doors = -1, -1, 0
    color = np.int64(-1)
    if has_key and KIND[carried] == KEY:
        color = np.int64(LOOK[carried] >> 8 & 0xFF)
    for y in range(plan.height):
        for x in range(width):
            cell = cells[n, at(x, y, plan)]
            if has_key and KIND[cell] == KEY:
                key = y * width + x
                color = np.int64(LOOK[cell] >> 8 & 0xFF)
    for y in range(plan.height):
        for x in range(width):
            place = at(x, y, plan)
            cell, c = cells[n, place], y * width + x
            kind, state = KIND[cell], LOOK[cell] >> 16 & 0xFF
            success[c] = False
            ground[c] = _BLOCKED
            if kind == EMPTY or kind == FLOOR or (kind == DOOR and state == OPEN):
                ground[c] = _CLEAR
            elif kind == GOAL:
                success[c] = aim == AT_GOAL
            elif kind == KEY and has_key:
                ground[c] = _THE_KEY
            elif kind == BALL and plan.kind == _DYNAMIC:
                ground[c] = _CLEAR
            elif kind == DOOR and state == LOCKED and np.int64(LOOK[cell] >> 8 & 0xFF) == color:
                ground[c] = _THE_LOCK
                lock = c
            elif kind == DOOR and state == CLOSED and aim != BESIDE_IT:
                doors += 1
                ground[c] = doors if doors <= MOST_DOORS and color >= 0 else _CLOSED
            if (aim == TAKE_IT or aim == FETCH_ONE) and cell == task[n, 0]:
                success[c] = True
                ground[c] = _BLOCKED
            elif aim == BESIDE_IT and place == task[n, 0]:
                success[c] = True
            elif aim == STAND_THERE and (place == task[n, 0] or place == task[n, 1]):
                success[c] = place == task[n, 0]
                ground[c] = _BLOCKED
            elif aim == RED_THEN_BLUE and place == task[n, 0]:
                ground[c] = _CLEAR if state == OPEN else _THE_LOCK
                lock = -1 if state == OPEN else c
            elif aim == RED_THEN_BLUE and place == task[n, 1]:
                ground[c] = _BLOCKED
                success[c] = True
            elif aim == OPEN_IT and place == task[n, 0]:
                success[c] = True
    return (min(doors, MOST_DOORS) if color >= 0 else 0), key, lock, color


_DYNAMIC = int(Kind.DYNAMIC_OBSTACLES)


@njit
def _stands(phase, mask, ground):  # type: ignore[no-untyped-def]
    """Whether the agent can be on such ground."""
    if ground == _CLEAR or ground == _CLOSED:
        return True
    if ground == _THE_KEY:
        return phase != _LOCKED and phase != _LYING
    if ground == _THE_LOCK:
        return phase >= _OPENED
    return ground > 0 and not mask >> (ground - 1) & 1


@njit
def _possible(phase, now, drops, keyed, aim):  # type: ignore[no-untyped-def]
    """Whether a way from the present phase may pass through another."""
    if aim == RED_THEN_BLUE:
        return phase == _LYING or phase == now
    if not keyed:
        return phase == now
    if phase == _FREE:
        return drops
    if phase == _LYING or now == _LYING:
        return now == _LYING and phase >= _OPENED
    return phase >= now


@njit
def _succeeds(aim, phase):  # type: ignore[no-untyped-def]
    """Whether an action in front of the aim succeeds in a phase."""
    if aim == TAKE_IT or aim == FETCH_ONE:
        return phase == _LOCKED or phase >= _FREE
    if aim == OPEN_IT:
        return phase == _HELD
    if aim == RED_THEN_BLUE:
        return phase == _LYING
    return True


@njit
def _around(node, block, ground, success, width, doors, queue, seen):  # type: ignore[no-untyped-def]
    """Fewest actions from a node to the thing wanted, with free hands, past what was put down in front; -1: no way."""
    poses = ground.size * 4
    d = node % 4
    dropped = next_to(node % poses // 4, d, width)
    for k in range(poses << doors):
        seen[k] = False
    queue[0] = node % block
    seen[queue[0]] = True
    first, last, depth = 0, 1, 1
    while first < last:
        end = last
        while first < end:
            node = queue[first]
            first += 1
            mask, pose = node // poses, node % poses
            c, d = pose // 4, pose % 4
            a = next_to(c, d, width)
            if success[a]:
                return depth
            for way in range(4):
                after = -1
                if way == 0:
                    after = mask * poses + c * 4 + (d + 1) % 4
                elif way == 1:
                    after = mask * poses + c * 4 + (d + 3) % 4
                elif way == 2 and a != dropped and _stands(_FREE, mask, ground[a]) and ground[a] != _CLOSED:
                    after = mask * poses + a * 4 + d
                elif way == 3 and 0 < ground[a] < _CLOSED and mask >> (ground[a] - 1) & 1:
                    after = (mask & ~(1 << (ground[a] - 1))) * poses + pose
                if after >= 0 and not seen[after]:
                    seen[after] = True
                    queue[last] = after
                    last += 1
        depth += 1
    return -1


@njit
def _push(dist, queue, last, node, layer):  # type: ignore[no-untyped-def]
    """Gives a node its distance, if it has none, and queues it; returns the new end of the queue."""
    if dist[node] >= 0:
        return last
    dist[node] = layer
    queue[last] = node
    return last + 1


@njit
def solve(cells, agent, task, n, plan, aim, table):  # type: ignore[no-untyped-def]
    """Writes into ``table[n]`` the distance of every pose in the present situation of world n; -1: no way."""
    width, size = plan.width, plan.width * plan.height
    poses = 4 * size
    ground, success = np.empty(size, np.int8), np.empty(size, np.bool_)
    doors, key, lock, color = _survey(cells, agent, task, n, plan, aim, ground, success)
    masks = 1 << doors
    block = masks * poses
    held = color >= 0 and key < 0
    if held:
        now = _HELD if lock >= 0 else _OPENED
    else:
        now = _LOCKED if lock >= 0 or (key < 0 and aim != RED_THEN_BLUE) else _LYING
    dist, queue = np.full(_PHASES * block, -1, np.int16), np.empty(_PHASES * block, np.int32)
    # Nodes that come one layer late: steps into closed doors, which cost a toggle, too.
    late, late_at = np.empty(_PHASES * block, np.int32), np.empty(_PHASES * block, np.int16)
    late_first, late_last = 0, 0
    # Nodes where the key could be put down in the way, in two lists: at least 2 or 3 actions more than without it.
    drops = aim == TAKE_IT and color >= 0
    room = block if drops else 1
    drop, drop_first, drop_last = np.empty((2, room), np.int32), np.zeros(2, np.int64), np.zeros(2, np.int64)
    far, far_at = np.empty(room, np.int32), np.empty(room, np.int16)
    far_last = 0
    scratch, seen = np.empty(room, np.int32), np.empty(room, np.bool_)
    last = 0
    for phase in range(_PHASES):
        if not _possible(phase, now, drops, color >= 0, aim) or not _succeeds(aim, phase):
            continue
        for c in range(size):
            for d in range(4):
                a = next_to(c, d, width)
                if ground[c] == _BLOCKED or a < 0 or a >= size:
                    continue
                if aim == BESIDE_IT:
                    there = False
                    for b in (c - 1, c + 1, c - width, c + width):
                        there = there or (0 <= b < size and success[b])
                else:
                    there = success[a]
                if not there:
                    continue
                for mask in range(masks):
                    if _stands(phase, mask, ground[c]):
                        last = _push(dist, queue, last, phase * block + mask * poses + c * 4 + d, 1)
    first, layer = 0, 1
    while True:
        end = last
        while first < end:
            node = queue[first]
            first += 1
            phase, mask, pose = node // block, node % block // poses, node % poses
            c, d = pose // 4, pose % 4
            ahead = next_to(c, d, width)
            behind = 2 * c - ahead
            for turn in (1, 3):
                before = node - d + (d + turn) % 4
                last = _push(dist, queue, last, before, layer + 1)
            if 0 <= behind < size and _stands(phase, mask, ground[behind]):
                before = node + (behind - c) * 4
                if ground[c] == _CLOSED:
                    if dist[before] < 0:
                        late[late_last], late_at[late_last] = before, layer + 2
                        late_last += 1
                else:
                    last = _push(dist, queue, last, before, layer + 1)
            before = -1
            on = ground[ahead] if 0 <= ahead < size else np.int8(_BLOCKED)
            if 0 < on < _CLOSED and not mask >> (on - 1) & 1:
                before = node + (1 << (on - 1)) * poses
            elif on == _THE_KEY and (phase == _HELD or (phase == _OPENED and now == _LYING)):
                before = node + (_LOCKED - _HELD if phase == _HELD else _LYING - _OPENED) * block
            elif on == _THE_LOCK and phase == _OPENED:
                before = node - block
            elif on == _THE_LOCK and phase == _LYING and aim == RED_THEN_BLUE:
                before = node + (_LOCKED - _LYING) * block
            if before >= 0:
                last = _push(dist, queue, last, before, layer + 1)
            if phase == _FREE and _droppable(cells, n, plan, ahead, key):
                before = node - block
                left, right = dist[node - d + (d + 3) % 4], dist[node - d + (d + 1) % 4]
                if layer > 1 and (left == layer - 1 or right == layer - 1):
                    last = _push(dist, queue, last, before, layer + 1)
                else:
                    which = 0 if layer in (left, right) else 1
                    drop[which, drop_last[which]] = before
                    drop_last[which] += 1
        layer += 1
        while late_first < late_last and late_at[late_first] == layer:
            last = _push(dist, queue, last, late[late_first], layer)
            late_first += 1
        for which in range(2):
            more = 2 + which
            while drop_first[which] < drop_last[which]:
                before = drop[which, drop_first[which]]
                if dist[before + block] + more > layer:
                    break
                drop_first[which] += 1
                if dist[before] < 0:
                    cost = _around(before, block, ground, success, width, doors, scratch, seen)
                    if cost >= 0:
                        far[far_last], far_at[far_last] = before, cost + 1
                        far_last += 1
        waiting = late_first < late_last or drop_first[0] < drop_last[0] or drop_first[1] < drop_last[1]
        for k in range(far_last):
            if dist[far[k]] < 0:
                waiting = True
                if far_at[k] == layer:
                    last = _push(dist, queue, last, far[k], layer)
        if first == last and not waiting:
            break
    here = now * block + (masks - 1) * poses
    for pose in range(poses):
        table[n, pose] = dist[here + pose]


@njit
def _droppable(cells, n, plan, c, key):  # type: ignore[no-untyped-def]
    """Whether nothing is in a cell when the key is in the hand."""
    return cells[n, at(c % plan.width, c // plan.width, plan)] == EMPTY or c == key
