"""Fetch, GoToObject, PutNear: a room with things in it, and a task about some of them."""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.levels.build import THINGS, beside, free_place, near, put, put_agent_anywhere, room
from potentia.envs.grid.pcg64 import integers
from potentia.envs.grid.rules import (
    CARRIED,
    DONE,
    DROP,
    FAILURE,
    POSITION,
    SUCCESS,
    TAKE,
    TOGGLE,
    ahead_of,
)  # fmt: skip


@njit
def fetch(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws keys and balls, the agent, and which of them is wanted. The task: its code, and how the mission is told."""
    count, rng, task, codes = plan.first, world.rng, world.task, world.paper[n]
    room(world, n, plan)
    for k in range(count):
        kind = integers(rng, n, 0, 2)
        codes[k] = THINGS[kind, integers(rng, n, 0, 6)]
        put(world, n, plan, codes[k])
    put_agent_anywhere(world, n, plan)
    task[n, 0] = codes[integers(rng, n, 0, count)]
    task[n, 1] = integers(rng, n, 0, 5)


@njit
def judge_fetch(world, n, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent carries a thing like the one wanted; failure: another."""
    carried = world.agent[n, CARRIED]
    if carried == 0:
        return outcome
    return SUCCESS if carried == world.task[n, 0] else FAILURE


@njit
def _different_things(world, n, plan, apart):  # type: ignore[no-untyped-def]
    """Draws things of which no two are alike, and if ``apart`` no two near; their codes, then places, on paper."""
    count, rng, paper = plan.first, world.rng, world.paper[n]
    room(world, n, plan)
    drawn = 0
    while drawn < count:
        kind = integers(rng, n, 0, 3)
        cell = THINGS[kind, integers(rng, n, 0, 6)]
        known = False
        for k in range(drawn):
            known = known or paper[k] == cell
        if known:
            continue
        while True:
            place = free_place(world, n, plan, 0, 0, plan.width, plan.height)
            close = False
            for k in range(drawn):
                close = close or near(place, paper[count + k], plan)
            if not (apart and close):
                break
        world.cells[n, place] = cell
        paper[drawn], paper[count + drawn] = cell, place
        drawn += 1


@njit
def go_to_object(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the things, the agent, and which is meant. The task: its place and its code."""
    count, paper = plan.first, world.paper[n]
    _different_things(world, n, plan, False)
    put_agent_anywhere(world, n, plan)
    meant = integers(world.rng, n, 0, count)
    world.task[n, 0], world.task[n, 1] = paper[count + meant], paper[meant]


@njit
def judge_go_to(world, n, plan, action, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent says that it is done beside the task's place; failure: elsewhere, or it toggles anything."""
    if action == DONE:
        return SUCCESS if beside(world.agent[n, POSITION], world.task[n, 0], plan) else FAILURE
    return FAILURE if action == TOGGLE else outcome


@njit
def put_near(world, n, plan):  # type: ignore[no-untyped-def]
    """Draws the things, the agent, which to move, and near which. The task: its code, the other's place and code."""
    count, rng, paper = plan.first, world.rng, world.paper[n]
    _different_things(world, n, plan, True)
    put_agent_anywhere(world, n, plan)
    moved = integers(rng, n, 0, count)
    other = integers(rng, n, 0, count)
    while other == moved:
        other = integers(rng, n, 0, count)
    world.task[n, 0], world.task[n, 1], world.task[n, 2] = paper[moved], paper[count + other], paper[other]


@njit
def judge_put_near(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent, which ``carried`` something, drops it near; failure: elsewhere, or it takes a wrong one.

    Dropping fails also where there is no place to drop.
    """
    now = world.agent[n, CARRIED]
    if action == TAKE and now != 0 and now != world.task[n, 0]:
        return FAILURE
    if action == DROP and carried != 0:
        dropped = ahead_of(world, n, plan.stride)
        return SUCCESS if now == 0 and near(dropped, world.task[n, 1], plan) else FAILURE
    return outcome
