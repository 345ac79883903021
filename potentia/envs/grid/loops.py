"""The loops over worlds that are compiled: each does one thing in many worlds, on one core or on all.

They take arrays one by one and by their names: tuples of them cost more to hand over than sixteen worlds to step, and
only so does the compiler see that they don't overlap, which halves the time of a step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from potentia.compiling import Compiled, compiled, part, prange
from potentia.envs.grid.description import (
    AHEAD,
    CARRIED_BEFORE,
    CELL,
    POSITION_BEFORE,
    Description,
    measure,
    note_reset,
    note_step,
    steps_of,
    tell_distance,
)  # fmt: skip
from potentia.envs.grid.distance import solve
from potentia.envs.grid.levels.level import Family
from potentia.envs.grid.rules import (
    CARRIED,
    DONE,
    PLAYING,
    POSITION,
    STEPS,
    SUCCESS,
    World,
    ahead_of,
    observe_one,
    reward_of,
    step_one,
)  # fmt: skip

NEXT_STEP, SAME_STEP, DISABLED = range(3)
"""What happens to a world that ended, as in Gymnasium."""


@part
def act_as_chosen(world, n, plan, action):  # type: ignore[no-untyped-def]
    """Nothing happens before the agent acts."""
    return action


@part
def judge_by_the_rules(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """An action comes to what the rules say that all levels share."""
    return outcome


def added_rules(family: Family) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What a family does before an action, and how it judges one."""
    return family.prepare or act_as_chosen, family.judge or judge_by_the_rules


@part(inline="always")
def step_world(  # type: ignore[no-untyped-def]
    cells, agent, task, rng, scratch, image, reward, terminated, truncated, success, waiting, fresh, before,
    n, action, mode, plan, offsets, light, prepare, judge,
):  # fmt: skip
    """One action in world n, what it comes to, and what is seen then.

    Nothing happens if its episode has ended. The function is pasted into the loops that call it: what is
    written in a parallel loop is used only if it is written by the loop's own names.
    """
    if waiting[n]:
        reward[n], terminated[n], truncated[n], success[n] = 0.0, False, False, False
        fresh[n], before[n, AHEAD] = mode == NEXT_STEP, -1
    else:
        world = World(cells, agent, task, rng, scratch)
        action = prepare(world, n, plan, action)
        ahead, carried = ahead_of(world, n, plan.stride), agent[n, CARRIED]
        before[n, AHEAD], before[n, CELL] = ahead, cells[n, ahead]
        before[n, CARRIED_BEFORE], before[n, POSITION_BEFORE] = carried, agent[n, POSITION]
        outcome = step_one(world, n, action, plan.stride)
        outcome = judge(world, n, plan, action, carried, outcome)
        observe_one(world, n, image, offsets, light)
        steps = agent[n, STEPS]
        over, late = outcome != PLAYING, steps >= plan.limit
        reward[n] = reward_of(outcome, steps, plan.max_steps)
        terminated[n], truncated[n], success[n] = over, late, outcome == SUCCESS
        waiting[n] = over or late
        fresh[n] = (over or late) and mode == SAME_STEP


@part
def _wrong(actions):  # type: ignore[no-untyped-def]
    for action in actions:  # noqa: SIM110 - any() of a generator is not compiled
        if action < 0 or action > DONE:
            return True
    return False


def step_loop(family: Family, parallel: bool) -> Compiled[..., Any]:
    """The step of all worlds. It returns how many begin anew, or -1 for a wrong action."""
    return _step_loop(*added_rules(family), parallel)


@lru_cache
def _step_loop(prepare: Callable[..., Any], judge: Callable[..., Any], parallel: bool) -> Compiled[..., Any]:
    added = f" ({prepare.__name__}, {judge.__name__})"
    name = f"the steps of grid worlds{' on all cores' if parallel else ''}{added}"

    @compiled(
        name,
        work=lambda cells, *_: 250 * len(cells),
        seconds=7 if parallel else 2,
        parallel=parallel,
        error_model="numpy",
    )
    def step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, image, reward, terminated, truncated, success, waiting, fresh, before,
        actions, mode, plan, offsets, light,
    ):  # fmt: skip
        if _wrong(actions):
            return -1
        begin = 0
        for n in prange(len(actions)):
            step_world(
                cells, agent, task, rng, scratch, image, reward, terminated, truncated, success, waiting, fresh, before,
                n, actions[n], mode, plan, offsets, light, prepare, judge,
            )  # fmt: skip
            begin += fresh[n]
        return begin

    return step


def draw_loop(family: Family) -> Compiled[..., Any]:
    """Draws the worlds of a mask."""
    return _draw_loop(family.draw)


@lru_cache
def _draw_loop(draw_one: Callable[..., None]) -> Compiled[..., Any]:

    def work(cells: Any, agent: Any, task: Any, rng: Any, scratch: Any, waiting: Any, mask: Any, *rest: Any) -> float:
        return float((300 + cells.shape[1]) * mask.sum())

    @compiled(f"the drawing of grid worlds ({draw_one.__name__})", work=work, seconds=2)
    def draw(cells, agent, task, rng, scratch, waiting, mask, plan, parameters):  # type: ignore[no-untyped-def]
        world = World(cells, agent, task, rng, scratch)
        for n in range(len(mask)):
            if mask[n]:
                draw_one(world, n, plan, parameters)
                waiting[n] = False

    return draw


def _cells_of(cells: Any, agent: Any, task: Any, rng: Any, scratch: Any, mask: Any, *rest: Any) -> float:
    """The number of cells in the worlds of a mask."""
    return float(cells.shape[1] * mask.sum())


@compiled("the views of grid worlds", work=lambda cells, agent, task, rng, scratch, image, mask, *_: 200 * mask.sum())
def observe_loop(cells, agent, task, rng, scratch, image, mask, offsets, light):  # type: ignore[no-untyped-def]
    """Writes what is seen in the worlds of a mask."""
    world = World(cells, agent, task, rng, scratch)
    for n in range(len(mask)):
        if mask[n]:
            observe_one(world, n, image, offsets, light)


@lru_cache
def note_step_loop(parallel: bool) -> Compiled[..., Any]:
    """The description of all worlds after a step. It returns how many distances wait for a table."""
    name = f"the description of grid worlds after a step{' on all cores' if parallel else ''}"

    @compiled(
        name,
        work=lambda cells, *_: 50 * len(cells),
        seconds=4 if parallel else 2,
        parallel=parallel,
        error_model="numpy",
    )
    def after_step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, terminated, success, before,
        cells_hash, state_hash, events, table, stale, lacking, distance, potential, plan, aim,
    ):  # fmt: skip
        count = 0
        for n in prange(len(success)):
            world = World(cells, agent, task, rng, scratch)
            d = Description(cells_hash, state_hash, events, table, stale, lacking, distance, potential)
            if note_step(world, d, n, plan, before, terminated[n], success[n]):
                measure(world, d, n, plan, aim, terminated[n], success[n])
            count += lacking[n]
        return count

    return after_step


@compiled("the description of grid worlds after a reset", work=_cells_of, seconds=2)
def note_reset_loop(  # type: ignore[no-untyped-def]
    cells, agent, task, rng, scratch, mask,
    cells_hash, state_hash, events, table, stale, lacking, distance, potential, plan, aim,
):  # fmt: skip
    """The description of the worlds of a mask after they were drawn. It returns how many distances wait for a table."""
    world = World(cells, agent, task, rng, scratch)
    d = Description(cells_hash, state_hash, events, table, stale, lacking, distance, potential)
    count = 0
    for n in range(len(mask)):
        if mask[n]:
            note_reset(world, d, n, plan)
            measure(world, d, n, plan, aim, False, False)
            count += lacking[n]
    return count


@lru_cache
def solve_loop(parallel: bool) -> Compiled[..., Any]:
    """The distances that wait for a table. It returns how many still wait, since there was no room for all ways."""
    name = f"the distances in grid worlds{' on all cores' if parallel else ''}"

    def work(cells: Any, agent: Any, task: Any, table: Any, stale: Any, lacking: Any, *rest: Any) -> float:
        return float(lacking.sum() * 40 * table.shape[1])

    @compiled(name, work=work, seconds=6 if parallel else 3, parallel=parallel, error_model="numpy")
    def solve_all(  # type: ignore[no-untyped-def]
        cells, agent, task, table, stale, lacking, distance, potential, plan, aim,
        known, marks, head, pool,
    ):  # fmt: skip
        waiting, rows = 0, len(known)
        for row in prange(rows):
            for n in range(row, len(lacking), rows):
                if lacking[n]:
                    if solve(cells, agent, task, n, plan, aim, table, known[row], marks[row], head[row], pool[row]):
                        tell_distance(distance, potential, n, plan, steps_of(table, agent, n, plan))
                        stale[n], lacking[n] = False, False
                    waiting += lacking[n]
        return waiting

    return solve_all
