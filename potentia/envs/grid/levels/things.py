"""Fetch, GoToObject, PutNear: a room with things in it, and a task about some of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.levels.build import THINGS, beside, free_place, near, put, put_agent_anywhere, room
from potentia.envs.grid.levels.level import FETCH_ONE, SEARCHED, Family, Level, at_least, thing_of
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

FETCH_PHRASES = ("get a", "go get a", "fetch a", "go fetch a", "you must fetch a")


class Things(NamedTuple):
    """How many things there are."""

    number: int


@part
def draw_fetch(world, n, plan, things):  # type: ignore[no-untyped-def]
    """Draws keys and balls, the agent, and which of them is wanted. The task: its code, and how the mission is told."""
    count, rng, task, codes = things.number, world.rng, world.task, world.scratch[n]
    room(world, n, plan)
    for k in range(count):
        kind = integers(rng, n, 0, 2)
        codes[k] = THINGS[kind, integers(rng, n, 0, 6)]
        put(world, n, plan, codes[k])
    put_agent_anywhere(world, n, plan)
    task[n, 0] = codes[integers(rng, n, 0, count)]
    task[n, 1] = integers(rng, n, 0, 5)


@part
def judge_fetch(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent carries a thing like the one wanted. Failure: it carries another."""
    now = world.agent[n, CARRIED]
    if now == 0:
        return outcome
    return SUCCESS if now == world.task[n, 0] else FAILURE


@part
def _different_things(world, n, plan, count, apart):  # type: ignore[no-untyped-def]
    """Draws things of which no two are alike, and if ``apart`` no two near. Returns their codes and their places."""
    rng, codes, places = world.rng, world.scratch[n, :count], world.scratch[n, count : 2 * count]
    room(world, n, plan)
    drawn = 0
    while drawn < count:
        kind = integers(rng, n, 0, 3)
        cell = THINGS[kind, integers(rng, n, 0, 6)]
        known = False
        for k in range(drawn):
            known = known or codes[k] == cell
        if known:
            continue
        while True:
            place = free_place(world, n, plan, 0, 0, plan.width, plan.height)
            close = False
            for k in range(drawn):
                close = close or near(place, places[k], plan)
            if not (apart and close):
                break
        world.cells[n, place] = cell
        codes[drawn], places[drawn] = cell, place
        drawn += 1
    return codes, places


@part
def draw_go_to_object(world, n, plan, things):  # type: ignore[no-untyped-def]
    """Draws the things, the agent, and which is meant. The task: its place and its code."""
    codes, places = _different_things(world, n, plan, things.number, False)
    put_agent_anywhere(world, n, plan)
    meant = integers(world.rng, n, 0, things.number)
    world.task[n, 0], world.task[n, 1] = places[meant], codes[meant]


@part
def judge_go_to(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent says that it is done beside the task's place.

    Failure: it says so elsewhere, or it toggles anything.
    """
    if action == DONE:
        return SUCCESS if beside(world.agent[n, POSITION], world.task[n, 0], plan) else FAILURE
    return FAILURE if action == TOGGLE else outcome


@part
def draw_put_near(world, n, plan, things):  # type: ignore[no-untyped-def]
    """Draws the things, the agent, which to move, and near which. The task: its code, the other's place and code."""
    count, rng = things.number, world.rng
    codes, places = _different_things(world, n, plan, count, True)
    put_agent_anywhere(world, n, plan)
    moved = integers(rng, n, 0, count)
    other = integers(rng, n, 0, count)
    while other == moved:
        other = integers(rng, n, 0, count)
    world.task[n, 0], world.task[n, 1], world.task[n, 2] = codes[moved], places[other], codes[other]


@part
def judge_put_near(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """Success: the agent, which ``carried`` something, drops it near.

    Failure: the agent drops it elsewhere, or takes a wrong one. Dropping fails also where there is no place to drop.
    """
    now = world.agent[n, CARRIED]
    if action == TAKE and now != 0 and now != world.task[n, 0]:
        return FAILURE
    if action == DROP and carried != 0:
        dropped = ahead_of(world, n, plan.stride)
        return SUCCESS if now == 0 and near(dropped, world.task[n, 1], plan) else FAILURE
    return outcome


FETCH = Family("Fetch", draw_fetch, ("picked_up_target", "picked_up_wrong"), FETCH_ONE, judge=judge_fetch)
GO_TO_OBJECT = Family("GoToObject", draw_go_to_object, ("reached_target",), SEARCHED, judge=judge_go_to)
PUT_NEAR = Family("PutNear", draw_put_near, ("picked_up_object", "put_near"), SEARCHED, judge=judge_put_near)


def _fetch_it(task: Sequence[int]) -> str:
    return f"{FETCH_PHRASES[task[1]]} {thing_of(task[0])}"


def go_to_it(task: Sequence[int]) -> str:
    """The mission of going to the task's thing."""
    return f"go to the {thing_of(task[1])}"


def _put_it_near(task: Sequence[int]) -> str:
    return f"put the {thing_of(task[0])} near the {thing_of(task[2])}"


def fetch(size: int, numObjs: int) -> Level:  # noqa: N803 - MiniGrid's name
    """A room of a size, with the walls around, and so many things."""
    return _among_things(FETCH, size, numObjs, 5 * size**2, _fetch_it)


def go_to_object(size: int, numObjs: int) -> Level:  # noqa: N803
    """A room of a size, with the walls around, and so many things."""
    return _among_things(GO_TO_OBJECT, size, numObjs, 5 * size**2, go_to_it)


def put_near(size: int, numObjs: int) -> Level:  # noqa: N803
    """A room of a size, with the walls around, and so many things."""
    return _among_things(PUT_NEAR, size, numObjs, 5 * size, _put_it_near)


def _among_things(family: Family, size: int, count: int, max_steps: int, told: Callable[[Sequence[int]], str]) -> Level:
    at_least(5, size=size)
    return Level(family, size, size, max_steps, told, Things(count), see_through=True, scratch_width=2 * count)
