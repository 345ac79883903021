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
PHASES = 5
# What the ground is, beside the numbers of closed doors: 1, ..., MOST_DOORS.
_BLOCKED, _CLEAR, _CLOSED, _THE_KEY, _THE_LOCK = -1, 0, 99, 100, 101


def aim_of(level: Level) -> int:
    """How success is reached in a level; ``NO_AIM`` where its distance is not known."""
    blocked = level.kind == Kind.UNLOCK_PICKUP and level.third
    return NO_AIM if blocked else _AIMS.get(level.kind, AT_GOAL)


def most_doors(level: Level) -> int:
    """The most closed doors that a search in a level tells apart, whatever is drawn there."""
    if level.kind == Kind.KEY_CORRIDOR:  # 4 * rows - 2 pairs of rooms; but a locked room has one door
        rows = (level.height - 1) // (level.first - 1)
        return 4 * rows - (3 if rows > 1 else 2)
    return {Kind.DOOR_KEY: 1, Kind.UNLOCK: 1, Kind.UNLOCK_PICKUP: 1, Kind.LOCKED_ROOM: 6}.get(level.kind, 0)


@njit
def survey(cells, agent, task, n, plan, aim, most, ground, success):  # type: ignore[no-untyped-def]
    """Reads the map: the ground, where success is; returns how many doors are closed, the key, the lock, its colour.

    At most so many closed doors are told apart.
    """
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
                ground[c] = doors if doors <= most and color >= 0 else _CLOSED
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
    return (min(doors, most) if color >= 0 else 0), key, lock, color


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
    return ground > 0 and not mask >> (np.int64(ground) - 1) & 1


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
                elif way == 3 and 0 < ground[a] < _CLOSED and mask >> (np.int64(ground[a]) - 1) & 1:
                    after = (mask & ~(1 << (np.int64(ground[a]) - 1))) * poses + pose
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


@njit(inline="always")
def search(  # type: ignore[no-untyped-def]
    cells, n, plan, aim, table, doors, key, lock, color,
    ground, success, dist, queue, late, late_at, drop, drop_first, drop_last, far, far_at, around, seen,
):  # fmt: skip
    """Writes into ``table[n]`` the distance of every pose in the situation surveyed; -1: no way.

    It is pasted into what calls it, and takes arrays by their names: see `potentia.envs.grid.worlds.step_world`. Nodes
    are numbered by phase, closed doors and pose; B is the number of nodes of a phase.

    Args:
        cells: The worlds' cells.
        n: Which world.
        plan: The level's plan.
        aim: How success is reached.
        table: What is written into.
        doors: What `survey` gave, as the next three.
        key: The key's cell.
        lock: The lock's.
        color: The key's colour.
        ground: What `survey` wrote.
        success: The same.
        dist: ``(5 * B,)`` int16: the distance of each node.
        queue: ``(5 * B,)`` int32: nodes in the order of their distances.
        late: ``(5 * B,)`` int32: nodes that come one layer late: steps into closed doors, which cost a toggle, too.
        late_at: ``(5 * B,)`` int16: the layer in which they come.
        drop: ``(2 * B,)`` int32: nodes where the key could be put down in the way, in two lists: at least 2 or 3
            actions more than without it. This and what follows is used with the aim ``TAKE_IT`` only.
        drop_first: ``(2,)`` integers: where the two lists begin.
        drop_last: ``(2,)`` integers: where they end.
        far: ``(B,)`` int32: those of them from which there is a way.
        far_at: ``(B,)`` int16: its length.
        around: ``(B,)`` int32: the queue of a search around a key.
        seen: ``(B,)``: the nodes that it saw.
    """
    width, size = plan.width, plan.width * plan.height
    poses, masks = 4 * size, 1 << doors
    block = masks * poses
    if color >= 0 and key < 0:
        now = _HELD if lock >= 0 else _OPENED
    else:
        now = _LOCKED if lock >= 0 or (key < 0 and aim != RED_THEN_BLUE) else _LYING
    drops = aim == TAKE_IT and color >= 0
    for node in range(PHASES * block):
        dist[node] = -1
    for which in range(2):
        drop_first[which], drop_last[which] = 0, 0
    late_first, late_last, far_last = 0, 0, 0
    last = 0
    for phase in range(PHASES):
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
            on = np.int64(ground[ahead]) if 0 <= ahead < size else _BLOCKED
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
                    drop[which * block + drop_last[which]] = before
                    drop_last[which] += 1
        layer += 1
        while late_first < late_last and late_at[late_first] == layer:
            last = _push(dist, queue, last, late[late_first], layer)
            late_first += 1
        for which in range(2):
            more = 2 + which
            while drop_first[which] < drop_last[which]:
                before = drop[which * block + drop_first[which]]
                if dist[before + block] + more > layer:
                    break
                drop_first[which] += 1
                if dist[before] < 0:
                    cost = _around(before, block, ground, success, width, doors, around, seen)
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
def solve(cells, agent, task, n, plan, aim, table):  # type: ignore[no-untyped-def]
    """`survey` and `search`, in arrays of their own."""
    size = plan.width * plan.height
    ground, success = np.empty(size, np.int8), np.empty(size, np.bool_)
    doors, key, lock, color = survey(cells, agent, task, n, plan, aim, MOST_DOORS, ground, success)
    block = 4 * size << doors
    room = block if aim == TAKE_IT and color >= 0 else 1
    search(
        cells, n, plan, aim, table, doors, key, lock, color, ground, success,
        np.empty(PHASES * block, np.int16), np.empty(PHASES * block, np.int32),
        np.empty(PHASES * block, np.int32), np.empty(PHASES * block, np.int16),
        np.empty(2 * room, np.int32), np.empty(2, np.int64), np.empty(2, np.int64),
        np.empty(room, np.int32), np.empty(room, np.int16), np.empty(room, np.int32), np.empty(room, np.bool_),
    )  # fmt: skip


@njit
def _droppable(cells, n, plan, c, key):  # type: ignore[no-untyped-def]
    """Whether nothing is in a cell when the key is in the hand."""
    return cells[n, at(c % plan.width, c // plan.width, plan)] == EMPTY or c == key
