"""What the ``info`` of a compiled world tells of its true state: hash, events, distance and potential."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from potentia.envs.grid.cells import BALL, BOX, DOOR, EMPTY, KEY, KIND, LOCKED, OPEN
from potentia.envs.grid.compiling import SOURCES
from potentia.envs.grid.distance import NO_AIM, solve
from potentia.envs.grid.levels.build import at, is_door
from potentia.envs.grid.levels.catalogue import Kind
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, World

EVENTS = (
    "picked_up_key", "picked_up_ball", "picked_up_box", "picked_up_object", "picked_up_target", "picked_up_wrong",
    "dropped_object", "opened_box", "opened_door", "unlocked_door", "passed_door", "reached_goal", "reached_target",
    "reached_match", "reached_mismatch", "put_near", "fell_into_lava", "collided",
)  # fmt: skip
"""Names of events, in the order of their bits."""

_DOOR = ("opened_door", "passed_door")
_KEY = ("picked_up_key", "unlocked_door")
_GOAL = ("reached_goal",)
_LAVA = (*_GOAL, "fell_into_lava")
_MAZE = ("picked_up_key", "picked_up_ball", "picked_up_box", "dropped_object", "opened_box", "unlocked_door", *_DOOR)
EVENTS_OF: dict[Kind, tuple[str, ...]] = {
    Kind.EMPTY: _GOAL,
    Kind.DOOR_KEY: (*_KEY, *_DOOR, *_GOAL),
    Kind.FOUR_ROOMS: _GOAL,
    Kind.LAVA_GAP: _LAVA,
    Kind.DIST_SHIFT: _LAVA,
    Kind.CROSSING: _LAVA,
    Kind.MULTI_ROOM: (*_DOOR, *_GOAL),
    Kind.UNLOCK: _KEY,
    Kind.UNLOCK_PICKUP: (*_MAZE, "picked_up_target"),
    Kind.KEY_CORRIDOR: (*_KEY, *_DOOR, "dropped_object", "picked_up_target"),
    Kind.OBSTRUCTED_MAZE: (*_MAZE, "picked_up_target"),
    Kind.RED_BLUE_DOORS: _DOOR,
    Kind.LOCKED_ROOM: (*_KEY, *_DOOR, *_GOAL),
    Kind.MEMORY: ("reached_match", "reached_mismatch"),
    Kind.FETCH: ("picked_up_target", "picked_up_wrong"),
    Kind.GO_TO_DOOR: ("reached_target",),
    Kind.GO_TO_OBJECT: ("reached_target",),
    Kind.PUT_NEAR: ("picked_up_object", "put_near"),
    Kind.DYNAMIC_OBSTACLES: (*_GOAL, "collided"),
    Kind.PLAYGROUND: (*_MAZE,),
}
"""Which of them are told in which kind of level."""


def event_bits(kind: Kind) -> dict[str, int]:
    """The events that are told in a kind of level, and the bit of each."""
    return {name: 1 << EVENTS.index(name) for name in EVENTS_OF[kind]}


AHEAD, CELL, CARRIED_BEFORE, POSITION_BEFORE = range(4)
"""What is kept of the state before a step: the cell in front and what was in it, what was carried, where."""
_DYNAMIC = int(Kind.DYNAMIC_OBSTACLES)
_AGENT_PLACE, _CARRIED_PLACE, _TASK_PLACE = 1 << 21, 1 << 20, 1 << 22


class Description(NamedTuple):
    """A row for each world.

    Attributes:
        cells_hash: ``(N,)`` uint64: the part of the hash that only changes with the cells.
        state_hash: ``(N,)`` int64: XOR over what is where (Zobrist 1970); the time is not part of it.
        events: ``(N,)`` uint32: what happened in the step, bits in the order of `EVENTS`.
        table: ``(N, 4 * width * height)`` int16: distances of all poses, see `potentia.envs.grid.distance`.
        stale: ``(N,)`` bool: the table is of another situation.
        distance: ``(N,)`` float64: fewest actions to success; -1 if there is no way, or the episode failed.
        potential: ``(N,)`` float64: -distance / (4 * (width + height)), not below -1; -1 for no way.
    """

    cells_hash: Any
    state_hash: Any
    events: Any
    table: Any
    stale: Any
    distance: Any
    potential: Any

    @classmethod
    def of(cls, num_envs: int, poses: int) -> Description:
        """One of N worlds; ``poses`` is 0 where no distance is wanted."""
        return cls(
            np.zeros(num_envs, np.uint64), np.zeros(num_envs, np.int64), np.zeros(num_envs, np.uint32),
            np.zeros((num_envs, poses), np.int16), np.ones(num_envs, bool), np.zeros(num_envs), np.zeros(num_envs),
        )  # fmt: skip


@njit
def _mix(place, token):  # type: ignore[no-untyped-def]
    """64 well mixed bits of a place and what is there (SplitMix64's finaliser)."""
    z = np.uint64(place) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(token) * np.uint64(0xD1B54A32D192ED03)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit
def _hash_of_cells(world, n, plan):  # type: ignore[no-untyped-def]
    whole = np.uint64(0)
    for y in range(plan.height):
        for x in range(plan.width):
            place = at(x, y, plan)
            if world.cells[n, place] != EMPTY:
                whole ^= _mix(place, world.cells[n, place])
    if plan.kind != _DYNAMIC:  # whose task is where the balls are
        for k in range(world.task.shape[1]):
            whole ^= _mix(_TASK_PLACE + k, world.task[n, k])
    return whole


@njit
def _events(world, n, before, success, failed):  # type: ignore[no-untyped-def]
    """The events of a step from what changed, one bit each in the order of `EVENTS`."""
    cells, agent = world.cells, world.agent
    was, now = before[n, CELL], cells[n, before[n, AHEAD]]
    carried, had = agent[n, CARRIED], before[n, CARRIED_BEFORE]
    taken = carried if had == 0 else 0
    kind, here = KIND[taken], agent[n, POSITION]
    moved = here != before[n, POSITION_BEFORE]
    opened = is_door(now, OPEN) and KIND[was] == DOOR and not is_door(was, OPEN)
    bits = 0
    bits |= (kind == KEY) << 0 | (kind == BALL) << 1 | (kind == BOX) << 2 | (taken != 0) << 3
    bits |= (success and taken != 0) << 4 | (failed and taken != 0) << 5
    bits |= (had != 0 and carried == 0) << 6
    bits |= (taken == 0 and KIND[was] == BOX and now != was) << 7
    bits |= opened << 8 | (opened and is_door(was, LOCKED)) << 9
    bits |= (moved and KIND[cells[n, here]] == DOOR) << 10
    bits |= success << 11 | success << 12 | success << 13 | failed << 14 | success << 15
    return bits | (failed and moved) << 16 | failed << 17


# Inlined by LLVM, not pasted by Numba: in a parallel loop that would lose what is written through a tuple.
@njit(forceinline=True)
def note_step(world, d, n, plan, before, over, success):  # type: ignore[no-untyped-def]
    """Notes what a step of world n did to its cells, and its events; returns whether there was a step."""
    cells = world.cells
    d.events[n] = 0
    ahead = before[n, AHEAD]
    if ahead < 0:
        return False
    d.events[n] = _events(world, n, before, success, over and not success)
    was, now = before[n, CELL], cells[n, ahead]
    if plan.kind == _DYNAMIC:
        d.cells_hash[n] = _hash_of_cells(world, n, plan)
    elif was != now:
        d.cells_hash[n] ^= (_mix(ahead, was) if was != EMPTY else np.uint64(0)) ^ (
            _mix(ahead, now) if now != EMPTY else np.uint64(0)
        )
        d.stale[n] = True
    return True


@njit(forceinline=True)
def note_reset(world, d, n, plan):  # type: ignore[no-untyped-def]
    """Notes that world n is another."""
    d.events[n] = 0
    d.stale[n] = True
    d.cells_hash[n] = _hash_of_cells(world, n, plan)


@njit(forceinline=True)
def lacks_table(d, n, aim, over):  # type: ignore[no-untyped-def]
    """Whether the distances of world n have to be computed; if so, they are about to be."""
    lacks = aim != NO_AIM and not over and d.stale[n]
    if lacks:
        d.stale[n] = False
    return lacks


@njit
def measure(world, d, n, plan, aim, over, success):  # type: ignore[no-untyped-def]
    """Brings hash, distance and potential of world n up to date."""
    agent, place = world.agent, world.agent[n, POSITION]
    hashed = d.cells_hash[n] ^ _mix(_CARRIED_PLACE, agent[n, CARRIED])
    d.state_hash[n] = np.int64(hashed ^ _mix(_AGENT_PLACE, 4 * place + agent[n, DIRECTION]))
    if aim == NO_AIM:
        return
    steps = 0 if success else -1
    if not over:
        x, y = place % plan.stride - MARGIN, place // plan.stride - MARGIN
        steps = d.table[n, (y * plan.width + x) * 4 + agent[n, DIRECTION]]
    d.distance[n] = steps
    farthest = 4.0 * (plan.width + plan.height)
    d.potential[n] = max(0.0 - steps / farthest, -1.0) if steps >= 0 else -1.0


@lru_cache
def compile_describe(parallel: bool) -> tuple[Any, Any]:
    """The description of all worlds after a step, and of those of a mask after a reset."""
    key = 2 * SOURCES + parallel

    @njit(cache=True, parallel=parallel, error_model="numpy")
    def after_step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, terminated, success, before,
        cells_hash, state_hash, events, table, stale, distance, potential, plan, aim,
    ):  # fmt: skip
        if key < 0:
            return
        for n in prange(len(success)):
            world = World(cells, agent, task, rng, paper)
            d = Description(cells_hash, state_hash, events, table, stale, distance, potential)
            if note_step(world, d, n, plan, before, terminated[n], success[n]):
                if lacks_table(d, n, aim, terminated[n]):
                    solve(cells, agent, task, n, plan, aim, table)
                measure(world, d, n, plan, aim, terminated[n], success[n])

    @njit(cache=True, parallel=parallel, error_model="numpy")
    def after_reset(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, mask,
        cells_hash, state_hash, events, table, stale, distance, potential, plan, aim,
    ):  # fmt: skip
        if key < 0:
            return
        for n in prange(len(mask)):
            if mask[n]:
                world = World(cells, agent, task, rng, paper)
                d = Description(cells_hash, state_hash, events, table, stale, distance, potential)
                note_reset(world, d, n, plan)
                if lacks_table(d, n, aim, False):
                    solve(cells, agent, task, n, plan, aim, table)
                measure(world, d, n, plan, aim, False, False)

    return after_step, after_reset
