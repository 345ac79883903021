"""What the ``info`` of a compiled world tells of its true state: hash, events, distance and potential."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, BOX, DOOR, EMPTY, KEY, KIND, LOCKED, OPEN
from potentia.envs.grid.levels.build import at, is_door
from potentia.envs.grid.levels.level import NO_AIM, SEARCHED, Family
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION

EVENTS = (
    "picked_up_key", "picked_up_ball", "picked_up_box", "picked_up_object", "picked_up_target", "picked_up_wrong",
    "dropped_object", "opened_box", "opened_door", "unlocked_door", "passed_door", "reached_goal", "reached_target",
    "reached_match", "reached_mismatch", "put_near", "fell_into_lava", "collided",
)  # fmt: skip
"""Names of events, in the order of their bits."""

AHEAD, CELL, CARRIED_BEFORE, POSITION_BEFORE = range(4)
"""What is kept of the state before a step: the cell in front and what was in it, what was carried, where."""
_AGENT_PLACE, _CARRIED_PLACE, _TASK_PLACE = 1 << 21, 1 << 20, 1 << 22


def event_bits(family: Family) -> dict[str, int]:
    """The events that are told in a family of levels, and the bit of each."""
    return {name: 1 << EVENTS.index(name) for name in family.events}


class Description(NamedTuple):
    """A row for each world.

    Attributes:
        cells_hash: ``(N,)`` uint64: the part of the hash that only changes with the cells.
        state_hash: ``(N,)`` int64: XOR over what is where (Zobrist 1970). The time is not part of it.
        events: ``(N,)`` uint32: what happened in the step, bits in the order of `EVENTS`.
        table: ``(N, 4 * width * height)`` int16: distances of all poses, see `potentia.envs.grid.distance`.
        stale: ``(N,)`` bool: the table is of another situation.
        lacking: ``(N,)`` bool: the distance has to wait for a new table.
        distance: ``(N,)`` float64: fewest actions to success. It is -1 if there is no way, or the episode failed.
        potential: ``(N,)`` float64: -distance / (4 * (width + height)), not below -1. It is -1 for no way.
    """

    cells_hash: Any
    state_hash: Any
    events: Any
    table: Any
    stale: Any
    lacking: Any
    distance: Any
    potential: Any

    @classmethod
    def of(cls, num_envs: int, poses: int) -> Description:
        """One of N worlds. ``poses`` is 0 where no distance is wanted."""
        return cls(
            cells_hash=np.zeros(num_envs, np.uint64),
            state_hash=np.zeros(num_envs, np.int64),
            events=np.zeros(num_envs, np.uint32),
            table=np.zeros((num_envs, poses), np.int16),
            stale=np.ones(num_envs, bool),
            lacking=np.zeros(num_envs, bool),
            distance=np.zeros(num_envs),
            potential=np.zeros(num_envs),
        )


@part
def _mix(place, token):  # type: ignore[no-untyped-def]
    """64 well mixed bits of a place and what is there (SplitMix64's finaliser)."""
    z = np.uint64(place) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(token) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@part
def _hash_of_cells(world, n, plan):  # type: ignore[no-untyped-def]
    whole = np.uint64(0)
    for y in range(plan.height):
        for x in range(plan.width):
            place = at(x, y, plan)
            if world.cells[n, place] != EMPTY:
                whole ^= _mix(place, world.cells[n, place])
    if not plan.moves:  # else the task is where the things are that move
        for k in range(world.task.shape[1]):
            whole ^= _mix(_TASK_PLACE + k, world.task[n, k])
    return whole


@part
def change_of_hash(place, was, now):  # type: ignore[no-untyped-def]
    """What to XOR to the hash of the cells when one of them changes."""
    before = _mix(place, was) if was != EMPTY else np.uint64(0)
    after = _mix(place, now) if now != EMPTY else np.uint64(0)
    return before ^ after


@part
def hash_of_state(cells_hash, agent, n):  # type: ignore[no-untyped-def]
    """The hash of a state, from that of its cells."""
    hashed = cells_hash ^ _mix(_CARRIED_PLACE, agent[n, CARRIED])
    return np.int64(hashed ^ _mix(_AGENT_PLACE, 4 * agent[n, POSITION] + agent[n, DIRECTION]))


@part
def _events(world, n, before, success, failed):  # type: ignore[no-untyped-def]
    """The events of a step, from what it changed."""
    cells, agent = world.cells, world.agent
    was, now = before[n, CELL], cells[n, before[n, AHEAD]]
    carried, had = agent[n, CARRIED], before[n, CARRIED_BEFORE]
    taken = carried if had == 0 else 0
    kind, here = KIND[taken], agent[n, POSITION]
    moved = here != before[n, POSITION_BEFORE]
    opened = is_door(now, OPEN) and KIND[was] == DOOR and not is_door(was, OPEN)
    happened = (  # in the order of EVENTS
        kind == KEY,
        kind == BALL,
        kind == BOX,
        taken != 0,
        success and taken != 0,
        failed and taken != 0,
        had != 0 and carried == 0,
        taken == 0 and KIND[was] == BOX and now != was,
        opened,
        opened and is_door(was, LOCKED),
        moved and KIND[cells[n, here]] == DOOR,
        success,
        success,
        success,
        failed,
        success,
        failed and moved,
        failed,
    )
    bits = 0
    for k in range(len(happened)):
        bits |= int(happened[k]) << k
    return bits


# Inlined by LLVM, not pasted by Numba: in a parallel loop that would lose what is written through a tuple.
@part(forceinline=True)
def note_step(world, d, n, plan, before, over, success):  # type: ignore[no-untyped-def]
    """Notes what a step of world n did to its cells, and its events. Returns whether there was a step."""
    cells = world.cells
    d.events[n] = 0
    d.lacking[n] = False
    ahead = before[n, AHEAD]
    if ahead < 0:
        return False
    d.events[n] = _events(world, n, before, success, over and not success)
    was, now = before[n, CELL], cells[n, ahead]
    if plan.moves:
        d.cells_hash[n] = _hash_of_cells(world, n, plan)
    elif was != now:
        d.cells_hash[n] ^= change_of_hash(ahead, was, now)
        d.stale[n] = True
    return True


@part(forceinline=True)
def note_reset(world, d, n, plan):  # type: ignore[no-untyped-def]
    """Notes that world n is another."""
    d.events[n] = 0
    d.stale[n] = True
    d.cells_hash[n] = _hash_of_cells(world, n, plan)


@part(forceinline=True)
def measure(world, d, n, plan, aim, over, success):  # type: ignore[no-untyped-def]
    """Brings the hash of world n up to date, and its distance and potential, unless they have to wait for a table."""
    agent = world.agent
    d.state_hash[n] = hash_of_state(d.cells_hash[n], agent, n)
    if aim == NO_AIM:
        return
    if over:
        tell_distance(d.distance, d.potential, n, plan, 0 if success else -1)
    elif d.stale[n] or aim == SEARCHED:
        d.lacking[n] = True
    else:
        tell_distance(d.distance, d.potential, n, plan, steps_of(d.table, agent, n, plan))


@part(forceinline=True)
def steps_of(table, agent, n, plan):  # type: ignore[no-untyped-def]
    """The distance that the table of world n has for the pose of its agent."""
    place = agent[n, POSITION]
    x, y = place % plan.stride - MARGIN, place // plan.stride - MARGIN
    return table[n, (y * plan.width + x) * 4 + agent[n, DIRECTION]]


@part(forceinline=True)
def tell_distance(distance, potential, n, plan, steps):  # type: ignore[no-untyped-def]
    """Tells a distance of world n and the potential that it gives."""
    distance[n] = steps
    farthest = 4.0 * (plan.width + plan.height)
    potential[n] = max(0.0 - steps / farthest, -1.0) if steps >= 0 else -1.0
