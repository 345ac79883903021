"""N worlds of one level, stepped together on all cores: the rules, compiled."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from potentia.envs.grid.compiling import SOURCES
from potentia.envs.grid.description import (
    AHEAD,
    CARRIED_BEFORE,
    CELL,
    POSITION_BEFORE,
    Description,
    compile_describe,
)  # fmt: skip
from potentia.envs.grid.distance import NO_AIM, aim_of
from potentia.envs.grid.levels import FIRST_WITH_RULES, Level, draw, judge, prepare
from potentia.envs.grid.levels.catalogue import mission_of
from potentia.envs.grid.pcg64 import any_states, seeded_state
from potentia.envs.grid.rules import (
    CARRIED,
    DONE,
    EVERYTHING,
    LIGHT,
    MARGIN,
    PLAYING,
    POSITION,
    STEPS,
    SUCCESS,
    VIEW,
    Plan,
    World,
    ahead_of,
    observe_one,
    reward_of,
    step_one,
    view_offsets,
)  # fmt: skip

NEXT_STEP, SAME_STEP, DISABLED = range(3)
_PARALLEL_FROM = 128
"""The number of worlds from which waking a second core pays."""


class Output(NamedTuple):
    """What a step writes, a row for each world.

    Attributes:
        image: ``(N, 7, 7, 3)`` uint8: what the agents see.
        final: The same where an episode ended in mode ``SAME_STEP``: what its agent saw last.
        reward: ``(N,)`` float64.
        terminated: ``(N,)`` bool.
        truncated: ``(N,)`` bool.
        success: ``(N,)`` bool.
        waiting: ``(N,)`` bool: ended, and not yet started anew.
        fresh: ``(N,)`` bool: to be drawn anew, in this step.
        before: ``(N, 4)`` int32: of the state before the step, see `potentia.envs.grid.description`; -1 first where no
            step was made.
    """

    image: Any
    final: Any
    reward: Any
    terminated: Any
    truncated: Any
    success: Any
    waiting: Any
    fresh: Any
    before: Any


@njit(inline="always")
def step_world(  # type: ignore[no-untyped-def]
    cells, agent, task, rng, paper, image, reward, terminated, truncated, success, waiting, fresh, before,
    n, action, mode, plan, offsets, light,
):  # fmt: skip
    """One action in world n, what it comes to, and what is seen then; nothing, if its episode has ended.

    It is pasted into the loops that call it, and it takes and writes the arrays by their names: only so does the
    compiler see that they don't overlap, which halves the time, and that what is written in a parallel loop is used.
    """
    if waiting[n]:
        reward[n], terminated[n], truncated[n], success[n] = 0.0, False, False, False
        fresh[n], before[n, AHEAD] = mode == NEXT_STEP, -1
    else:
        world = World(cells, agent, task, rng, paper)
        special = plan.kind >= FIRST_WITH_RULES
        if special:
            action = prepare(world, n, plan, action)
        ahead, carried = ahead_of(world, n, plan.stride), agent[n, CARRIED]
        before[n, AHEAD], before[n, CELL] = ahead, cells[n, ahead]
        before[n, CARRIED_BEFORE], before[n, POSITION_BEFORE] = carried, agent[n, POSITION]
        outcome = step_one(world, n, action, plan.stride)
        if special:
            outcome = judge(world, n, plan, action, carried, outcome)
        observe_one(world, n, image, offsets, light)
        steps = agent[n, STEPS]
        over, late = outcome != PLAYING, steps >= plan.limit
        reward[n] = reward_of(outcome, steps, plan.max_steps)
        terminated[n], truncated[n], success[n] = over, late, outcome == SUCCESS
        waiting[n] = over or late
        fresh[n] = (over or late) and mode == SAME_STEP


@njit
def _wrong(actions):  # type: ignore[no-untyped-def]
    for action in actions:  # noqa: SIM110 - any() of a generator is not compiled
        if action < 0 or action > DONE:
            return True
    return False


@lru_cache
def _compile_step(parallel: bool) -> Any:
    """The step of all worlds, on one core or on all; it returns how many begin anew, -1 for a wrong action.

    It takes the arrays one by one: tuples of them cost more to hand over than sixteen worlds to step.
    """
    key = 2 * SOURCES + parallel

    @njit(cache=True, parallel=parallel, error_model="numpy")
    def step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, image, reward, terminated, truncated, success, waiting, fresh, before,
        actions, mode, plan, offsets, light,
    ):  # fmt: skip
        if key < 0 or _wrong(actions):
            return -1
        begin = 0
        for n in prange(len(actions)):
            step_world(
                cells, agent, task, rng, paper, image, reward, terminated, truncated, success, waiting, fresh, before,
                n, actions[n], mode, plan, offsets, light,
            )  # fmt: skip
            begin += fresh[n]
        return begin

    return step


@lru_cache
def _compile_draw(kind: int) -> Any:
    """Draws worlds of one kind."""
    key = SOURCES

    @njit(cache=True)
    def draw_all(cells, agent, task, rng, paper, waiting, mask, plan):  # type: ignore[no-untyped-def]
        if key < 0:
            return
        world = World(cells, agent, task, rng, paper)
        for n in range(len(mask)):
            if mask[n]:
                draw(kind, world, n, plan)
                waiting[n] = False

    return draw_all


@lru_cache
def _compile_observe() -> Any:
    """Writes what is seen in the worlds of a mask."""
    key = SOURCES

    @njit(cache=True)
    def observe_all(cells, agent, task, rng, paper, image, mask, offsets, light):  # type: ignore[no-untyped-def]
        if key < 0:
            return
        world = World(cells, agent, task, rng, paper)
        for n in range(len(mask)):
            if mask[n]:
                observe_one(world, n, image, offsets, light)

    return observe_all


class GridWorlds:
    """The state of N worlds of a level, and the arrays into which a step writes. All may be read and written.

    Args:
        level: The level.
        num_envs: N.
        mode: What happens to a world that ended: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``, as in Gymnasium.
        max_steps: Another time limit than the level's; it also scales the reward.
        limit: Episodes are cut after so many steps, if that is sooner; this scales nothing.
        described: Whether hash and events are kept up to date.
        measured: Whether the distance is, too, where the level has one.

    Attributes:
        aim: How success is reached, see `potentia.envs.grid.distance`; ``NO_AIM`` where no distance is wanted.
        state: See `potentia.envs.grid.rules.World`.
        out: What a step writes, see `Output`.
        description: See `potentia.envs.grid.description.Description`.
        final_description: The same where an episode ended in mode ``SAME_STEP``.
    """

    def __init__(
        self,
        level: Level,
        num_envs: int,
        mode: int = NEXT_STEP,
        max_steps: int | None = None,
        *,
        limit: int | None = None,
        described: bool = False,
        measured: bool = False,
    ) -> None:
        self.level, self.num_envs, self.mode = level, num_envs, mode
        stride = level.width + 2 * MARGIN
        longest = level.max_steps if max_steps is None else max_steps
        limits = longest, longest if limit is None else min(limit, longest)
        told = (int(level.first), int(level.second), int(level.third))
        self.plan = Plan(int(level.kind), level.width, level.height, stride, *limits, *told)
        self.state = World(
            np.zeros((num_envs, stride * (level.height + 2 * MARGIN)), np.uint8),
            np.zeros((num_envs, 4), np.int32),
            np.zeros((num_envs, level.notes), np.int32),
            any_states(num_envs),
            np.zeros((num_envs, level.paper), np.int32),
        )
        image = np.zeros((num_envs, VIEW, VIEW, 3), np.uint8)
        before = np.zeros((num_envs, 4), np.int32)
        reward, flags = np.zeros(num_envs), [np.zeros(num_envs, bool) for _ in range(5)]
        self.out = Output._make((image, np.zeros_like(image), reward, *flags, before))
        self._image = image.reshape(num_envs, -1)
        self._arrays = (*self.state, self._image, *self.out[2:])
        self.offsets, self.light = view_offsets(stride), EVERYTHING if level.see_through else LIGHT
        self._rest = (self.plan, self.offsets, self.light)
        kind, parallel = int(level.kind), num_envs >= _PARALLEL_FROM
        self._step, self._draw, self._observe = _compile_step(parallel), _compile_draw(kind), _compile_observe()
        self._all = np.ones(num_envs, bool)
        self._describe_step, self._describe_reset = compile_describe(parallel)
        self.describe(described=described, measured=measured)

    def describe(self, *, described: bool, measured: bool) -> None:
        """Decides what is kept up to date, as the arguments of the same names do; `refresh` then brings it there."""
        self.aim, poses = aim_and_poses(self.level, measured)
        self.described = described or measured
        self.description = self.final_description = Description.of(self.num_envs, poses)

    def seed(self, n: int, seed: int | None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        self.state.rng[n] = seeded_state(seed)

    def reset(self, mask: np.ndarray[Any, Any] | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all."""
        mask = self._all if mask is None else np.asarray(mask, bool)
        self._draw(*self.state, self.out.waiting, mask, self.plan)
        self._look(mask)

    def _look(self, mask: np.ndarray[Any, Any]) -> None:
        """Brings up to date what is seen and described in the worlds of ``mask``."""
        self._observe(*self.state, self._image, mask, self.offsets, self.light)
        if self.described:
            self._describe_reset(*self.state, mask, *self.description, self.plan, self.aim)

    def step(self, actions: np.ndarray[Any, Any]) -> bool:
        """One action ``(N,)`` of int64, 0 to 6, in each world; False, and nothing done, if one is not."""
        begin = self._step(*self._arrays, actions, self.mode, *self._rest)
        if begin < 0:
            return False
        if self.described:
            out = self.out
            self._describe_step(
                *self.state, out.terminated, out.success, out.before, *self.description, self.plan, self.aim
            )
        if begin and self.mode == SAME_STEP:
            self.out.final[:] = self.out.image
            if self.described:
                table = self.description.table
                self.final_description = Description(*(
                    part if part is table else part.copy() for part in self.description
                ))  # fmt: skip
        if begin:
            self.reset(self.out.fresh)
        return True

    def refresh(self) -> None:
        """Brings what is seen and described up to date, after the state was written from outside."""
        self._look(self._all)

    def save(self) -> tuple[np.ndarray[Any, Any], ...]:
        """A copy of the whole state, random numbers included, for `restore`."""
        return (*(part.copy() for part in self.state), self.out.waiting.copy())

    def restore(
        self, saved: tuple[np.ndarray[Any, Any], ...], rows: Any = slice(None), into: Any = slice(None)
    ) -> None:
        """Writes back what `save` returned: its ``rows`` into the worlds ``into``; all by default.

        One row may go into many worlds: ``restore(saved, [0], slice(None))`` makes all of them copies of the first.
        """
        for part, kept in zip((*self.state, self.out.waiting), saved, strict=True):
            part[into] = kept[rows]
        self.refresh()

    def mission(self, n: int) -> str:
        """What the agent of world n is told."""
        return mission_of(self.level, self.state.task[n])


def has_distance(level: Level) -> bool:
    """Whether the distance to success is known in a level."""
    return aim_of(level) != NO_AIM


def aim_and_poses(level: Level, measured: bool) -> tuple[int, int]:
    """What the distance is measured to, and from how many poses; ``NO_AIM`` and 0 if it is not."""
    aim = aim_of(level) if measured else NO_AIM
    return aim, 4 * level.width * level.height if aim != NO_AIM else 0
