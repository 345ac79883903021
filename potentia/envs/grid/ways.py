"""Shortest ways backwards from success, each of so many actions and through certain doors.

A way of s actions through a set D of doors takes s + |D & closed| actions where some doors are closed: each of those it
has to open once. A pose (cell and direction) keeps each way that is the shortest for some closed doors. That is all but
those that another one beats whichever doors are closed: (s, D) beats (t, E) if s + |D - E| <= t (a label setting search
for several criteria: Martins 1984). There are hardly more than two or three, whereas n doors are closed in 2 ** n ways.

The ways of a phase begin with success, or with what leads to the next phase, in the order of their lengths.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.levels.level import BESIDE_IT
from potentia.envs.grid.rules import next_to

FIRST, HELD, OPENED, FREE, ASIDE = range(5)
"""The phases, see `potentia.envs.grid.distance`, and a room for ways around a key that was put down."""
PHASES = 5
NOWHERE = -1
MOST_DOORS = 30
"""Doors that ways tell apart. Further ones have to be opened each time."""
BLOCKED, BARE, CLEAR, SHUT, DOOR = range(5)
"""What the ground is. Things can be put down where it is bare. The doors have the numbers that follow."""
KINDS, SUCCESS = 63, 64
"""The bits that say what the ground is, and that success is here."""
NODE, STEPS, DOORS, AFTER = range(4)
"""What a way is: its phase and pose, its actions but for the opening of doors, the doors, the way found before it."""


class Ways(NamedTuple):
    """The ways that are kept of R worlds. A row is that of one world.

    Attributes:
        known: ``(R, 8)`` int32: of which situation they are, see `potentia.envs.grid.distance`.
        marks: ``(R, 2 * size)`` int8: its ground, and that of the present one.
        head: ``(R, 5 * poses + 2)`` int32: by phase and pose, the way found last, or -1. The last but one is for what
            succeeds. The last is not 0 if there was no room for all ways.
        pool: ``(R, room, 4)`` int32: the ways.
    """

    known: Any
    marks: Any
    head: Any
    pool: Any

    @classmethod
    def of(cls, rows: int, size: int, room: int) -> Ways:
        """With room for so many ways in each of the rows."""
        return cls(
            np.zeros((rows, 8), np.int32), np.zeros((rows, 2 * size), np.int8),
            np.zeros((rows, PHASES * 4 * size + 2), np.int32), np.zeros((rows, room, 4), np.int32),
        )  # fmt: skip

    @staticmethod
    def rows_for(num_envs: int, size: int, room: int, most_bytes: int) -> int:
        """A row for each world, or as many as there is memory for."""
        bytes_each = 4 * (8 + PHASES * 4 * size + 2 + 4 * room) + 2 * size
        return min(num_envs, max(1, most_bytes // bytes_each))

    @property
    def room(self) -> int:
        """How many ways a row has room for."""
        return int(self.pool.shape[1])


class Map(NamedTuple):
    """Where ways are looked for. Around it is a margin of what is blocked.

    Attributes:
        aim: How success is reached.
        stride: How far a cell is from the one below it.
        poses: Cells, with the margin, times directions.
    """

    aim: int
    stride: int
    poses: int


class Leg(NamedTuple):
    """What makes a phase.

    Attributes:
        phase: Its number.
        next: That of the next one.
        key: A cell where nobody can stand in it, or ``NOWHERE``.
        lock: Another one.
        use: The cell that leads to the next phase, if it is taken or toggled, or ``NOWHERE``.
        forget: The doors that are open then.
    """

    phase: int
    next: int
    key: int
    lock: int
    use: int
    forget: Any


@part(forceinline=True)
def count_bits(bits):  # type: ignore[no-untyped-def]
    """How many bits are set."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@part(forceinline=True)
def can_stand(c, leg, ground):  # type: ignore[no-untyped-def]
    """Whether the agent can be in a cell, if its door is open."""
    return ground[c] & KINDS != BLOCKED and c != leg.key and c != leg.lock  # noqa: PLR1714 - no tuple on a device


@part(forceinline=True)
def turned(node, turn):  # type: ignore[no-untyped-def]
    """A phase and pose, with another direction."""
    return (node & ~3) | ((node + turn) & 3)


@part(forceinline=True)
def is_beaten(node, steps, doors, head, pool):  # type: ignore[no-untyped-def]
    """Whether a way that is known is no longer than another one, whichever doors are closed."""
    k = head[node]
    while k >= 0:
        further = np.int64(pool[k, DOORS]) & ~doors
        if pool[k, STEPS] <= steps and (further == 0 or pool[k, STEPS] + count_bits(further) <= steps):
            return True
        k = pool[k, AFTER]
    return False


@part(forceinline=True)
def add_way(node, steps, doors, last, head, pool):  # type: ignore[no-untyped-def]
    """Adds a way, unless it is beaten. Returns how many there are."""
    if is_beaten(node, steps, doors, head, pool):
        return last
    if last == len(pool):
        head[-1] = 1
        return last
    pool[last, NODE], pool[last, STEPS], pool[last, DOORS] = node, steps, doors
    pool[last, AFTER] = head[node]
    head[node] = last
    return last + 1


@part(forceinline=True)
def step_into(c, doors, ground):  # type: ignore[no-untyped-def]
    """The doors on a way that goes on from a cell, and the actions to get there from the next one."""
    on = np.int64(ground[c]) & KINDS
    if on >= DOOR:
        return doors | np.int64(1) << (on - DOOR), 1
    return doors, 2 if on == SHUT else 1


@part
def begin_at_success(leg, here, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds the ways of one action."""
    one, none = np.int64(1), np.int64(0)
    for c in range(len(ground)):
        if can_stand(c, leg, ground):
            for d in range(4):
                if _is_in_reach(c, d, here, ground):
                    last = add_way(leg.phase * here.poses + 4 * c + d, one, none, last, head, pool)
    return last


@part(forceinline=True)
def _is_in_reach(c, d, here, ground):  # type: ignore[no-untyped-def]
    """Whether an action at a pose succeeds, in the right phase."""
    if here.aim != BESIDE_IT:
        return ground[next_to(c, d, here.stride)] & SUCCESS != 0
    for side in range(4):  # noqa: SIM110 - any() of a generator is not compiled
        if ground[next_to(c, side, here.stride)] & SUCCESS:
            return True
    return False


@part
def spread(leg, here, later, end, first, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds all ways of a phase: before its ways ``first`` to ``last``, and before ``later`` to ``end`` of the next.

    Returns how many ways there are.
    """
    while True:
        while later < end and (first == last or pool[later, STEPS] < pool[first, STEPS]):
            last = _before_use(later, leg, here, last, ground, head, pool)
            later += 1
        if first == last:
            return last
        last = _before(first, leg, here, last, ground, head, pool)
        first += 1


@part(forceinline=True)
def _before(k, leg, here, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds the ways that turn or step, and go on as way k."""
    node, steps, doors = np.int64(pool[k, NODE]), np.int64(pool[k, STEPS]) + 1, np.int64(pool[k, DOORS])
    c, d = (node - leg.phase * here.poses) >> 2, node & 3
    last = add_way(turned(node, 1), steps, doors, last, head, pool)
    last = add_way(turned(node, 3), steps, doors, last, head, pool)
    behind = next_to(c, (d + 2) & 3, here.stride)
    if can_stand(behind, leg, ground):
        doors, cost = step_into(c, doors, ground)
        last = add_way(leg.phase * here.poses + 4 * behind + d, steps - 1 + cost, doors, last, head, pool)
    return last


@part(forceinline=True)
def _before_use(k, leg, here, last, ground, head, pool):  # type: ignore[no-untyped-def]
    """Adds the way, if there is one, that does what leads to the next phase, and goes on as its way k."""
    pose = np.int64(pool[k, NODE]) - leg.next * here.poses
    ahead = next_to(pose >> 2, pose & 3, here.stride)
    if _can_be_put_down(k, ahead, ground, head, pool) if leg.phase == OPENED else ahead == leg.use:
        doors = np.int64(pool[k, DOORS]) & ~leg.forget
        last = add_way(leg.phase * here.poses + pose, np.int64(pool[k, STEPS]) + 1, doors, last, head, pool)
    return last


@part(forceinline=True)
def _can_be_put_down(k, ahead, ground, head, pool):  # type: ignore[no-untyped-def]
    """Whether the key can be put down before way k, which is no longer than one that begins with a turn.

    A key put down in front of the agent lies on no shortest way that begins with a turn: the cell in front is reached
    by one step, and in any direction by three actions, but from another side only by six.
    """
    return ground[ahead] & KINDS == BARE and is_beaten_by_turning(k, head, pool)


@part(forceinline=True)
def is_beaten_by_turning(k, head, pool):  # type: ignore[no-untyped-def]
    """Whether way k is beaten by one that begins with a turn."""
    node, steps, doors = np.int64(pool[k, NODE]), np.int64(pool[k, STEPS]) - 1, np.int64(pool[k, DOORS])
    if is_beaten(turned(node, 1), steps, doors, head, pool):
        return True
    return is_beaten(turned(node, 3), steps, doors, head, pool)
