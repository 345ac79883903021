"""Exact distances in the compiled worlds: the fewest actions to success in the true state, keys and doors included.

One search from success backwards gives the distance of every pose (cell and direction) in the present situation: what
the agent carries, and which doors are closed. What is ahead of it is a matter of *phases*, of which a way passes
through some in this order:

- ``LOCKED``: the key lies where it lies, and the door that it opens is locked. Or there is no key.
- ``HELD``: the agent holds the key before the locked door is open.
- ``OPENED``: it holds the key, and the door is no longer locked.
- ``FREE``: it has put the key down, where that is in no one's way.
- ``LYING``: the key lies somewhere, and nothing is locked.

In a level with a key, a node of the search also says which of the closed doors are still closed, since a door that was
opened on the way to the key is open on the way back. Closing a door, or putting the key down before the locked door is
open, never makes a way shorter.

A key put down in front of the agent lies on no shortest way that begins with a turn: the cell in front is reached by
one step, and in any direction by three actions, but from another side only by six. So only where every shortest way
begins with a step a search around the key tells the cost of putting it down, and that only if no other way is as short
as the least that it could be.

Levels with several things to carry (BlockedUnlockPickup, ObstructedMaze, GoToObject, PutNear) have no distance here:
see `potentia.envs.grid.state_search`. In Dynamic-Obstacles it is that of the room without obstacles.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, CLOSED, DOOR, EMPTY, FLOOR, GOAL, KEY, KIND, LOCKED, LOOK, OPEN
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
from potentia.envs.grid.rules import CARRIED, next_to

MOST_DOORS = 12
"""Closed doors that a search with a key tells apart. Further ones count as closed each time."""
_LOCKED, _HELD, _OPENED, _FREE, _LYING = range(5)
PHASES = 5
# What the ground is, beside the numbers of closed doors: 1, ..., MOST_DOORS.
_BLOCKED, _CLEAR, _CLOSED, _THE_KEY, _THE_LOCK = -1, 0, 99, 100, 101


class Situation(NamedTuple):
    """What lies between the agent and success.

    Attributes:
        doors: How many closed doors are told apart, D.
        key: Where the key lies: the number of its cell, row by row. It is -1 if the key lies nowhere.
        lock: Where the locked door is that it opens. It is -1 if there is none.
        color: The colour of the key. It is -1 if there is none.
    """

    doors: int
    key: int
    lock: int
    color: Any


class Space(NamedTuple):
    """How nodes are numbered: by phase, closed doors (bit k: door k + 1 is closed) and pose.

    Attributes:
        width: Columns of the map.
        size: Its cells.
        poses: Cells times directions.
        masks: Ways in which doors may be closed.
        block: Nodes of a phase, B.
    """

    width: int
    size: int
    poses: int
    masks: int
    block: int


class Scratch(NamedTuple):
    """What a search writes on.

    Attributes:
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

    dist: Any
    queue: Any
    late: Any
    late_at: Any
    drop: Any
    drop_first: Any
    drop_last: Any
    far: Any
    far_at: Any
    around: Any
    seen: Any


@part
def _key_of(cells, carried, n, plan):  # type: ignore[no-untyped-def]
    """Where the key lies, and its colour, also if it is carried. Both are -1 for none."""
    key, color = -1, np.int64(-1)
    if KIND[carried] == KEY:
        color = np.int64(LOOK[carried] >> 8 & 0xFF)
    for y in range(plan.height):
        for x in range(plan.width):
            cell = cells[n, at(x, y, plan)]
            if KIND[cell] == KEY:
                key = y * plan.width + x
                color = np.int64(LOOK[cell] >> 8 & 0xFF)
    return key, color


@part
def survey(cells, agent, task, n, plan, aim, most, ground, success):  # type: ignore[no-untyped-def]
    """Reads the map: what the ground is, and where success is. At most so many closed doors are told apart."""
    has_key = aim == AT_GOAL or aim == TAKE_IT or aim == OPEN_IT
    key, lock, doors, color = -1, -1, 0, np.int64(-1)
    if has_key:
        key, color = _key_of(cells, agent[n, CARRIED], n, plan)
    for y in range(plan.height):
        for x in range(plan.width):
            place, c = at(x, y, plan), y * plan.width + x
            cell = cells[n, place]
            kind, state = KIND[cell], LOOK[cell] >> 16 & 0xFF
            success[c] = False
            ground[c] = _BLOCKED
            if kind == EMPTY or kind == FLOOR or (kind == DOOR and state == OPEN) or (kind == BALL and plan.moves):
                ground[c] = _CLEAR
            elif kind == GOAL:
                success[c] = aim == AT_GOAL
            elif kind == KEY and has_key:
                ground[c] = _THE_KEY
            elif kind == DOOR and state == LOCKED and np.int64(LOOK[cell] >> 8 & 0xFF) == color:
                ground[c] = _THE_LOCK
                lock = c
            elif kind == DOOR and state == CLOSED and aim != BESIDE_IT:
                doors += 1
                ground[c] = doors if doors <= most and color >= 0 else _CLOSED
            if (aim == TAKE_IT or aim == FETCH_ONE) and cell == task[n, 0]:
                success[c] = True
                ground[c] = _BLOCKED
            elif (aim == BESIDE_IT or aim == OPEN_IT) and place == task[n, 0]:
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
    return Situation(min(doors, most) if color >= 0 else 0, key, lock, color)


@part
def _phase_of(situation, aim):  # type: ignore[no-untyped-def]
    """The phase of a situation."""
    if situation.color >= 0 and situation.key < 0:
        return _HELD if situation.lock >= 0 else _OPENED
    return _LOCKED if situation.lock >= 0 or (situation.key < 0 and aim != RED_THEN_BLUE) else _LYING


@part
def _stands(phase, mask, ground):  # type: ignore[no-untyped-def]
    """Whether the agent can be on such ground."""
    if ground == _CLEAR or ground == _CLOSED:
        return True
    if ground == _THE_KEY:
        return phase != _LOCKED and phase != _LYING
    if ground == _THE_LOCK:
        return phase >= _OPENED
    return ground > 0 and not mask >> (np.int64(ground) - 1) & 1


@part
def _possible(phase, now, situation, aim):  # type: ignore[no-untyped-def]
    """Whether a way from the present phase may pass through another."""
    if aim == RED_THEN_BLUE:
        return phase == _LYING or phase == now
    if situation.color < 0:
        return phase == now
    if phase == _FREE:
        return aim == TAKE_IT
    if phase == _LYING or now == _LYING:
        return now == _LYING and phase >= _OPENED
    return phase >= now


@part
def _succeeds(aim, phase):  # type: ignore[no-untyped-def]
    """Whether an action in front of the aim succeeds in a phase."""
    if aim == TAKE_IT or aim == FETCH_ONE:
        return phase == _LOCKED or phase >= _FREE
    if aim == OPEN_IT:
        return phase == _HELD
    if aim == RED_THEN_BLUE:
        return phase == _LYING
    return True


@part
def _around(node, block, ground, success, width, doors, queue, seen):  # type: ignore[no-untyped-def]
    """Fewest actions from a node to the thing wanted, with free hands, past what was put down in front.

    It is -1 if there is no way.
    """
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


@part(forceinline=True)
def _push(dist, queue, last, node, layer):  # type: ignore[no-untyped-def]
    """Gives a node its distance, if it has none, and queues it. Returns the new end of the queue."""
    if dist[node] >= 0:
        return last
    dist[node] = layer
    queue[last] = node
    return last + 1


@part(forceinline=True)
def _begin(aim, now, situation, space, ground, success, scratch):  # type: ignore[no-untyped-def]
    """Queues the nodes from which one action succeeds. Returns the queue's end."""
    last = 0
    for phase in range(PHASES):
        if not _possible(phase, now, situation, aim) or not _succeeds(aim, phase):
            continue
        for c in range(space.size):
            for d in range(4):
                if ground[c] == _BLOCKED or not _in_reach(c, d, aim, space, success):
                    continue
                for mask in range(space.masks):
                    if _stands(phase, mask, ground[c]):
                        node = phase * space.block + mask * space.poses + c * 4 + d
                        last = _push(scratch.dist, scratch.queue, last, node, 1)
    return last


@part(forceinline=True)
def _in_reach(c, d, aim, space, success):  # type: ignore[no-untyped-def]
    """Whether an action at a pose succeeds, in the right phase."""
    ahead = next_to(c, d, space.width)
    if ahead < 0 or ahead >= space.size:
        return False
    if aim != BESIDE_IT:
        return success[ahead]
    there = False
    for b in (c - 1, c + 1, c - space.width, c + space.width):
        there = there or (0 <= b < space.size and success[b])
    return there


@part(forceinline=True)
def _before_use(node, phase, mask, on, now, aim, space):  # type: ignore[no-untyped-def]
    """The node before a door ahead was opened, the key ahead was taken or the lock ahead was opened.

    It is -1 if there is none.
    """
    if 0 < on < _CLOSED and not mask >> (on - 1) & 1:
        return node + (1 << (on - 1)) * space.poses
    if on == _THE_KEY and phase == _HELD:
        return node + (_LOCKED - _HELD) * space.block
    if on == _THE_KEY and phase == _OPENED and now == _LYING:
        return node + (_LYING - _OPENED) * space.block
    if on == _THE_LOCK and phase == _OPENED:
        return node + (_HELD - _OPENED) * space.block
    if on == _THE_LOCK and phase == _LYING and aim == RED_THEN_BLUE:
        return node + (_LOCKED - _LYING) * space.block
    return -1


@part(forceinline=True)
def _put_down(node, d, layer, last, space, scratch):  # type: ignore[no-untyped-def]
    """Queues the node before the key was put down, or notes what that may cost. Returns the queue's end."""
    dist, before = scratch.dist, node - space.block
    left, right = dist[node - d + (d + 3) % 4], dist[node - d + (d + 1) % 4]
    if layer > 1 and (left == layer - 1 or right == layer - 1):
        return _push(dist, scratch.queue, last, before, layer + 1)
    which = 0 if layer == left or layer == right else 1
    scratch.drop[which * space.block + scratch.drop_last[which]] = before
    scratch.drop_last[which] += 1
    return last


@part(forceinline=True)
def _look_around(layer, far_last, ground, success, situation, space, scratch):  # type: ignore[no-untyped-def]
    """Finds what it costs to put the key down in the way, where that may be as little as a layer by now.

    Returns how many nodes have such a cost.
    """
    dist = scratch.dist
    for which in range(2):
        while scratch.drop_first[which] < scratch.drop_last[which]:
            before = scratch.drop[which * space.block + scratch.drop_first[which]]
            if dist[before + space.block] + 2 + which > layer:
                break
            scratch.drop_first[which] += 1
            if dist[before] < 0:
                cost = _around(
                    before, space.block, ground, success, space.width, situation.doors, scratch.around, scratch.seen
                )
                if cost >= 0:
                    scratch.far[far_last], scratch.far_at[far_last] = before, cost + 1
                    far_last += 1
    return far_last


@part(forceinline=True)
def search(cells, n, plan, aim, situation, ground, success, scratch, table):  # type: ignore[no-untyped-def]
    """Writes into ``table[n]`` the distance of every pose in the situation surveyed.

    The distance is -1 where there is no way. From success backwards nodes are queued layer by layer,
    a layer being what is as far away.
    """
    size, masks = plan.width * plan.height, 1 << situation.doors
    space = Space(plan.width, size, 4 * size, masks, masks * 4 * size)
    dist, queue, late, late_at, far, far_at = (
        scratch.dist, scratch.queue, scratch.late, scratch.late_at, scratch.far, scratch.far_at
    )  # fmt: skip
    now = _phase_of(situation, aim)
    for node in range(PHASES * space.block):
        dist[node] = -1
    for which in range(2):
        scratch.drop_first[which], scratch.drop_last[which] = 0, 0
    last = _begin(aim, now, situation, space, ground, success, scratch)
    first, layer, late_first, late_last, far_last = 0, 1, 0, 0, 0
    while True:
        end = last
        while first < end:
            node = queue[first]
            first += 1
            phase, mask, pose = node // space.block, node % space.block // space.poses, node % space.poses
            c, d = pose // 4, pose % 4
            ahead = next_to(c, d, space.width)
            behind = 2 * c - ahead
            for turn in (1, 3):
                last = _push(dist, queue, last, node - d + (d + turn) % 4, layer + 1)
            if 0 <= behind < size and _stands(phase, mask, ground[behind]):
                before = node + (behind - c) * 4
                if ground[c] != _CLOSED:
                    last = _push(dist, queue, last, before, layer + 1)
                elif dist[before] < 0:
                    late[late_last], late_at[late_last] = before, layer + 2
                    late_last += 1
            on = np.int64(ground[ahead]) if 0 <= ahead < size else _BLOCKED
            before = _before_use(node, phase, mask, on, now, aim, space)
            if before >= 0:
                last = _push(dist, queue, last, before, layer + 1)
            if phase == _FREE and _droppable(cells, n, plan, ahead, situation.key):
                last = _put_down(node, d, layer, last, space, scratch)
        layer += 1
        while late_first < late_last and late_at[late_first] == layer:
            last = _push(dist, queue, last, late[late_first], layer)
            late_first += 1
        far_last = _look_around(layer, far_last, ground, success, situation, space, scratch)
        waiting = late_first < late_last
        for which in range(2):
            waiting = waiting or scratch.drop_first[which] < scratch.drop_last[which]
        for k in range(far_last):
            if dist[far[k]] < 0:
                waiting = True
                if far_at[k] == layer:
                    last = _push(dist, queue, last, far[k], layer)
        if first == last and not waiting:
            break
    here = now * space.block + (masks - 1) * space.poses
    for pose in range(space.poses):
        table[n, pose] = dist[here + pose]


@part
def solve(cells, agent, task, n, plan, aim, most, table):  # type: ignore[no-untyped-def]
    """`survey` and `search`, with scratch of their own."""
    size = plan.width * plan.height
    ground, success = np.empty(size, np.int8), np.empty(size, np.bool_)
    situation = survey(cells, agent, task, n, plan, aim, most, ground, success)
    block = 4 * size << situation.doors
    room = block if aim == TAKE_IT and situation.color >= 0 else 1
    scratch = Scratch(
        np.empty(PHASES * block, np.int16), np.empty(PHASES * block, np.int32),
        np.empty(PHASES * block, np.int32), np.empty(PHASES * block, np.int16),
        np.empty(2 * room, np.int32), np.empty(2, np.int64), np.empty(2, np.int64),
        np.empty(room, np.int32), np.empty(room, np.int16), np.empty(room, np.int32), np.empty(room, np.bool_),
    )  # fmt: skip
    search(cells, n, plan, aim, situation, ground, success, scratch, table)


@part
def _droppable(cells, n, plan, c, key):  # type: ignore[no-untyped-def]
    """Whether nothing is in a cell when the key is in the hand."""
    return cells[n, at(c % plan.width, c // plan.width, plan)] == EMPTY or c == key
