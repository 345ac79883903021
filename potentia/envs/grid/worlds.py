"""N worlds of one level, stepped together on all cores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.envs.grid.description import Description
from potentia.envs.grid.distance import size_of
from potentia.envs.grid.levels.level import NO_AIM, SEARCHED, Level
from potentia.envs.grid.loops import (
    DISABLED,
    NEXT_STEP,
    SAME_STEP,
    added_rules,
    draw_loop,
    note_reset_loop,
    note_step_loop,
    observe_loop,
    solve_loop,
    step_loop,
)  # fmt: skip
from potentia.envs.grid.pcg64 import any_states, seeded_state
from potentia.envs.grid.rules import EVERYTHING, LIGHT, MARGIN, VIEW, Plan, World, view_offsets
from potentia.envs.grid.state_search import searched_distances
from potentia.envs.grid.views import AgentView, Shown
from potentia.envs.grid.ways import Ways

__all__ = ["DISABLED", "NEXT_STEP", "SAME_STEP", "GridWorlds", "Output", "has_distance"]

_PARALLEL_FROM = 128
"""The number of worlds from which waking a second core pays."""
_ROOM = 8
"""Room for ways by cell, which is made larger where they need it."""
_MOST_BYTES = 2**28
"""How much memory the ways may take by which distances are found. Where it is too little, worlds share rows."""
_LINKED = {
    "added_rules",
    "offsets",
    "light",
    "_image",
    "_arrays",
    "_rest",
    "_step",
    "_draw",
    "_note_step",
    "_solve",
    "_ways",
}


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
        before: ``(N, 4)`` int32: of the state before the step, see `potentia.envs.grid.description`. Its first
            entry is -1 where no step was made.
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


class GridWorlds:
    """The state of N worlds of a level, and the arrays into which a step writes. All may be read and written.

    Args:
        level: The level.
        num_envs: N.
        mode: What happens to a world that ended: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``, as in Gymnasium.
        max_steps: Another time limit than the level's. It also scales the reward.
        limit: Episodes are cut after so many steps, if that is sooner. This scales nothing.
        described: Whether hash and events are kept up to date.
        measured: Whether the distance is, too, where the level has one.
        show: What is shown instead of the view that a step writes.

    Attributes:
        aim: How success is reached, see `potentia.envs.grid.distance`. It is ``NO_AIM`` where no distance is wanted.
        state: See `potentia.envs.grid.rules.World`.
        out: What a step writes, see `Output`.
        shown: What is shown, a row for each world: ``out.image``, or what ``show`` writes.
        final_shown: The same where an episode ended in mode ``SAME_STEP``: what was shown last.
        final_agent: The same of the state's ``agent``.
        final_task: The same of its ``task``.
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
        show: Shown | None = None,
    ) -> None:
        self.level, self.num_envs, self.mode, self.show = level, num_envs, mode, show
        stride = level.width + 2 * MARGIN
        longest = level.max_steps if max_steps is None else max_steps
        limits = longest, longest if limit is None else min(limit, longest)
        self.plan = Plan(level.width, level.height, stride, *limits, level.family.moves)
        self.state = World(
            cells=np.zeros((num_envs, stride * (level.height + 2 * MARGIN)), np.uint8),
            agent=np.zeros((num_envs, 4), np.int32),
            task=np.zeros((num_envs, level.task_width), np.int32),
            rng=any_states(num_envs),
            scratch=np.zeros((num_envs, level.scratch_width), np.int32),
        )
        image = np.zeros((num_envs, VIEW, VIEW, 3), np.uint8)
        before = np.zeros((num_envs, 4), np.int32)
        terminated, truncated, success, waiting, fresh = (np.zeros(num_envs, bool) for _ in range(5))
        self.out = Output(
            image, np.zeros_like(image), np.zeros(num_envs), terminated, truncated, success, waiting, fresh, before
        )
        self.shown, self.final_shown = self.out.image, self.out.final
        if show is not None:
            self.shown, self.final_shown = (np.zeros((num_envs, *show.shape_of(level)), np.uint8) for _ in range(2))
        self.final_agent, self.final_task = np.zeros_like(self.state.agent), np.zeros_like(self.state.task)
        self._all = np.ones(num_envs, bool)
        self._link()
        self.describe(described=described, measured=measured)

    def __getstate__(self) -> dict[str, Any]:
        """What `_link` does not make: views of arrays would become arrays of their own, and loops are not copied."""
        return {name: value for name, value in self.__dict__.items() if name not in _LINKED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, which goes on as the worlds do that it was made of."""
        self.__dict__.update(state)
        self._link()
        self._make_ways(_ROOM)

    def _link(self) -> None:
        """Finds the loops, and puts into order what they take."""
        self.offsets = view_offsets(self.plan.stride)
        self.light = EVERYTHING if self.level.see_through else LIGHT
        parallel = self.num_envs >= _PARALLEL_FROM
        self._image = self.out.image.reshape(self.num_envs, -1)
        _, _, *written = self.out
        self._arrays, self._rest = (*self.state, self._image, *written), (self.plan, self.offsets, self.light)
        self.added_rules = added_rules(self.level.family)
        self._step, self._draw = step_loop(self.level.family, parallel), draw_loop(self.level.family)
        self._note_step, self._solve = note_step_loop(parallel), solve_loop(parallel)

    def _make_ways(self, room: int) -> None:
        """Room for the ways of distances, so many by cell; nothing is known of any."""
        size = size_of(self.plan) if self.description.table.size else 0
        rows = Ways.rows_for(self.num_envs, size, room * size, _MOST_BYTES)
        self._ways = Ways.of(rows, size, room * size)

    def describe(self, *, described: bool, measured: bool) -> None:
        """Decides what is kept up to date, as the arguments of the same names do. `refresh` then brings it there."""
        self.aim, poses = aim_and_poses(self.level, measured)
        self.described = described or measured
        self.description = self.final_description = Description.of(self.num_envs, poses)
        self._make_ways(_ROOM)

    def seed(self, n: int, seed: int | None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        self.state.rng[n] = seeded_state(seed)

    def reset(self, mask: np.ndarray[Any, Any] | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all."""
        mask = self._all if mask is None else np.asarray(mask, bool)
        self._draw.run(*self.state, self.out.waiting, mask, self.plan, self.level.parameters)
        self._look(mask)

    def _look(self, mask: np.ndarray[Any, Any]) -> None:
        """Brings up to date what is seen and described in the worlds of ``mask``."""
        observe_loop.run(*self.state, self._image, mask, self.offsets, self.light)
        if self.show is not None:
            self.show.write(self, self.shown, mask)
        if self.described and note_reset_loop.run(*self.state, mask, *self.description, self.plan, self.aim):
            self._measure()

    def _measure(self) -> None:
        """Finds the distances that have to be searched for."""
        if self.aim == SEARCHED:
            searched_distances(self.level).find(self)
            return
        d, state = self.description, self.state
        while self._solve.run(
            state.cells, state.agent, state.task, d.table, d.stale, d.lacking, d.distance, d.potential,
            self.plan, self.aim, *self._ways,
        ):  # fmt: skip
            self._make_ways(2 * self._ways.room // size_of(self.plan))

    def step(self, actions: np.ndarray[Any, Any]) -> bool:
        """One action ``(N,)`` of int64, 0 to 6, in each world.

        Returns False, with nothing done, if an action is not one of them.
        """
        begin = self._step.run(*self._arrays, actions, self.mode, *self._rest)
        if begin < 0:
            return False
        out = self.out
        if self.show is not None:
            self.show.write(self, self.shown, self._all)
        if self.described and self._note_step.run(
            *self.state, out.terminated, out.success, out.before, *self.description, self.plan, self.aim
        ):
            self._measure()
        if begin and self.mode == SAME_STEP:
            out.final[:] = out.image
            self.final_agent[:], self.final_task[:] = self.state.agent, self.state.task
            if self.show is not None:
                self.final_shown[:] = self.shown
            if self.described:
                table = self.description.table
                self.final_description = Description(*(
                    part if part is table else part.copy() for part in self.description
                ))  # fmt: skip
        if begin:
            self.reset(out.fresh)
        return True

    @property
    def seen(self) -> Any:
        """What the agents see, in the size that is shown if that is a view."""
        return self.shown if isinstance(self.show, AgentView) else self.out.image

    @property
    def final_seen(self) -> Any:
        """The same where an episode ended in mode ``SAME_STEP``."""
        return self.final_shown if isinstance(self.show, AgentView) else self.out.final

    def refresh(self) -> None:
        """Brings what is seen and described up to date, after the state was written from outside."""
        self._look(self._all)

    def save(self) -> tuple[np.ndarray[Any, Any], ...]:
        """A copy of the whole state, random numbers included, for `restore`."""
        return (*(part.copy() for part in self.state), self.out.waiting.copy())

    def restore(
        self, saved: tuple[np.ndarray[Any, Any], ...], rows: Any = slice(None), into: Any = slice(None)
    ) -> None:
        """Writes back what `save` returned: its ``rows`` into the worlds ``into``.

        The default is all. One row may go into many worlds: ``restore(saved, [0], slice(None))`` makes
        all of them copies of the first.
        """
        for part, kept in zip((*self.state, self.out.waiting), saved, strict=True):
            part[into] = kept[rows]
        self.refresh()

    def mission(self, n: int) -> str:
        """What the agent of world n is told."""
        return self.level.tell_mission(self.state.task[n])


def has_distance(level: Level) -> bool:
    """Whether the distance to success is known in a level."""
    return level.family.aim != NO_AIM


def aim_and_poses(level: Level, measured: bool) -> tuple[int, int]:
    """What the distance is measured to, and from how many poses. It is ``NO_AIM`` and 0 if nothing is measured."""
    aim = level.family.aim if measured else NO_AIM
    return aim, 4 * level.width * level.height if aim not in (NO_AIM, SEARCHED) else 0
