"""Ways on which the key is put down in the way, so that one has to go around it.

Where no shortest way begins with a turn, a search forwards tells what it costs to put the key down in front, but only
if that could be less than what it costs elsewhere.
"""

from __future__ import annotations

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.rules import next_to
from potentia.envs.grid.ways import (
    AFTER,
    ASIDE,
    BARE,
    BLOCKED,
    DOORS,
    FREE,
    KINDS,
    NODE,
    OPENED,
    PHASES,
    STEPS,
    SUCCESS,
    add_way,
    count_bits,
    is_beaten,
    is_beaten_by_turning,
    step_into,
    turned,
)  # fmt: skip

_ENDLESS = 1 << 30


@part
def put_down_in_the_way(here, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds the ways that put the key down in the way, where they are not beaten. Returns how many ways there are."""
    for pose in range(here.poses):
        if head[FREE * here.poses + pose] >= 0:
            ahead = next_to(pose >> 2, pose & 3, here.stride)
            if ground[ahead] & KINDS == BARE and _could_be_shorter(pose, here, head, pool):
                last = _go_around(pose, ahead, here, last, ground, head, pool)
    return last


@part
def _could_be_shorter(pose, here, head, pool):  # type: ignore[no-untyped-def]
    """Whether some way with free hands begins with no turn, and one around the key is not known to be beaten."""
    k, straight = head[FREE * here.poses + pose], False
    while k >= 0 and not straight:
        straight = not is_beaten_by_turning(k, head, pool)
        k = pool[k, AFTER]
    if not straight:
        return False
    for turn in (1, 3):
        k = head[turned(FREE * here.poses + pose, turn)]
        while k >= 0:
            if not is_beaten(
                OPENED * here.poses + pose, np.int64(pool[k, STEPS]) + 2, np.int64(pool[k, DOORS]), head, pool
            ):
                return True
            k = pool[k, AFTER]
    return False


@part
def _most_steps(pose, here, head, pool):  # type: ignore[no-untyped-def]
    """The most actions that a way around the key may take which is not beaten."""
    k, most = head[OPENED * here.poses + pose], np.int64(_ENDLESS)
    while k >= 0:
        most = min(most, pool[k, STEPS] + count_bits(np.int64(pool[k, DOORS])) - 2)
        k = pool[k, AFTER]
    return most


@part
def _go_around(start, key, here, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds the ways from a pose to success around a key that is put down in front."""
    most, first, begin, result = _most_steps(start, here, head, pool), last, last, PHASES * here.poses
    nothing, one = np.int64(0), np.int64(1)
    last = _add_forwards(turned(start, 1), one, nothing, most, here, last, head, pool)
    last = _add_forwards(turned(start, 3), one, nothing, most, here, last, head, pool)
    while first < last:
        pose, steps = np.int64(pool[first, NODE]) - ASIDE * here.poses, np.int64(pool[first, STEPS]) + 1
        doors = np.int64(pool[first, DOORS])
        first += 1
        if pose == here.poses:  # success
            continue
        last = _add_forwards(turned(pose, 1), steps, doors, most, here, last, head, pool)
        last = _add_forwards(turned(pose, 3), steps, doors, most, here, last, head, pool)
        ahead = next_to(pose >> 2, pose & 3, here.stride)
        if ground[ahead] & SUCCESS:
            last = add_way(result, steps, doors, last, head, pool)
        elif ahead != key and ground[ahead] & KINDS != BLOCKED:
            passed, cost = step_into(ahead, doors, ground)
            last = _add_forwards(4 * ahead + (pose & 3), steps - 1 + cost, passed, most, here, last, head, pool)
    for k in range(begin, last):
        head[pool[k, NODE]] = -1
    end = begin
    for k in range(begin, last):
        if pool[k, NODE] == result:
            node, doors = OPENED * here.poses + start, np.int64(pool[k, DOORS])
            end = add_way(node, np.int64(pool[k, STEPS]) + 1, doors, end, head, pool)
    return end


@part
def _add_forwards(pose, steps, doors, most, here, last, head, pool):  # type: ignore[no-untyped-def]
    """Adds a way from the start to a pose, if one with at most so many actions may go on from there to success."""
    k, rest = head[FREE * here.poses + pose], np.int64(_ENDLESS)
    while k >= 0:
        rest = min(rest, np.int64(pool[k, STEPS]))
        k = pool[k, AFTER]
    if rest == _ENDLESS or steps + rest > most:
        return last
    return add_way(ASIDE * here.poses + pose, steps, doors, last, head, pool)
