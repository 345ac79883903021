"""N worlds of one level, stepped together on all cores: the rules, compiled."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from potentia.envs.grid.levels import Level, draw, judge, prepare
from potentia.envs.grid.levels.catalogue import mission_of
from potentia.envs.grid.pcg64 import STATE, seeded_state
from potentia.envs.grid.rules import (
    CARRIED,
    DONE,
    EVERYTHING,
    LIGHT,
    MARGIN,
    PLAYING,
    STEPS,
    SUCCESS,
    VIEW,
    Plan,
    World,
    observe_one,
    reward_of,
    step_one,
    view_offsets,
)  # fmt: skip

NEXT_STEP, SAME_STEP, DISABLED = range(3)
_PARALLEL_FROM = 128
"""The number of worlds from which waking a second core pays."""


class Output(NamedTuple):
    """What a step writes, a row for each world; see `GridWorlds`."""

    image: Any
    final: Any
    reward: Any
    terminated: Any
    truncated: Any
    success: Any
    waiting: Any
    fresh: Any


@njit
def _wrong(actions):  # type: ignore[no-untyped-def]
    for action in actions:  # noqa: SIM110 - any() of a generator is not compiled
        if action < 0 or action > DONE:
            return True
    return False


def _digest() -> int:
    """A number that changes with any of the rules' sources."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
    return int.from_bytes(hashlib.sha256(b"".join(texts)).digest()[:4], "big")


# Numba's cache on disk knows neither how a function was to be compiled nor what it calls in other files, but it knows
# the values that the function encloses: hence the keys, which differ with both.


@lru_cache
def _compile_step(key: int, kind: int, parallel: bool) -> Any:
    """The step of all worlds of one kind, on one core or on all; it returns how many begin anew, -1 for a wrong action.

    It takes the arrays one by one: tuples of them cost more to hand over than sixteen worlds to step.
    """

    @njit(cache=True, parallel=parallel, error_model="numpy")
    def step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, image, final, reward, terminated, truncated, success, waiting, fresh,
        actions, mode, plan, offsets, light,
    ):  # fmt: skip
        if key < 0 or _wrong(actions):
            return -1
        begin = 0
        for n in prange(len(actions)):
            reward[n], terminated[n], truncated[n], success[n] = 0.0, False, False, False
            fresh[n] = waiting[n] and mode == NEXT_STEP
            begin += fresh[n]
            if waiting[n]:
                continue
            world = World(cells, agent, task, rng, paper)
            action = prepare(kind, world, n, plan, actions[n])
            carried = agent[n, CARRIED]
            outcome = judge(kind, world, n, plan, action, carried, step_one(world, n, action, plan.stride))
            observe_one(world, n, image, offsets, light)
            steps = agent[n, STEPS]
            reward[n] = reward_of(outcome, steps, plan.max_steps)
            terminated[n], success[n], truncated[n] = outcome != PLAYING, outcome == SUCCESS, steps >= plan.max_steps
            waiting[n] = terminated[n] or truncated[n]
            fresh[n] = waiting[n] and mode == SAME_STEP
            begin += fresh[n]
        return begin

    return step


@lru_cache
def _compile_reset(key: int, kind: int) -> Any:
    """The reset of worlds of one kind."""

    @njit(cache=True)
    def reset(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, image, final, waiting, mask, plan, offsets, light
    ):
        if key < 0:
            return
        world = World(cells, agent, task, rng, paper)
        for n in range(len(mask)):
            if mask[n]:
                final[n] = image[n]
                draw(kind, world, n, plan)
                observe_one(world, n, image, offsets, light)
                waiting[n] = False

    return reset


def _compile_observe(sources: int) -> Any:
    @njit(cache=True)
    def observe(cells, agent, task, rng, paper, image, offsets, light):  # type: ignore[no-untyped-def]
        if sources < 0:
            return
        for n in range(len(agent)):
            observe_one(World(cells, agent, task, rng, paper), n, image, offsets, light)

    return observe


_SOURCES = _digest()
_observe = _compile_observe(_SOURCES)


class GridWorlds:
    """The state of N worlds of a level, and the arrays into which a step writes. All may be read and written.

    Args:
        level: The level.
        num_envs: N.
        mode: What happens to a world that ended: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``, as in Gymnasium.
        max_steps: Another time limit than the level's.

    Attributes:
        state: See `potentia.envs.grid.rules.World`.
        out: What a step writes: ``image`` ``(N, 7, 7, 3)`` uint8, what the agents see; ``final``, the same where an
            episode ended in mode ``SAME_STEP``: what its agent saw last; ``reward`` ``(N,)`` float64; ``terminated``,
            ``truncated``, ``success`` and ``waiting`` (ended, and not yet started anew) ``(N,)`` bool.
    """

    def __init__(self, level: Level, num_envs: int, mode: int = NEXT_STEP, max_steps: int | None = None) -> None:
        self.level, self.num_envs, self.mode = level, num_envs, mode
        stride = level.width + 2 * MARGIN
        limit = level.max_steps if max_steps is None else max_steps
        told = (int(level.first), int(level.second), int(level.third))
        self.plan = Plan(int(level.kind), level.width, level.height, stride, limit, *told)
        self.state = World(
            np.zeros((num_envs, stride * (level.height + 2 * MARGIN)), np.uint8),
            np.zeros((num_envs, 4), np.int32),
            np.zeros((num_envs, level.notes), np.int32),
            np.zeros((num_envs, STATE), np.uint64),
            np.zeros((num_envs, level.paper), np.int32),
        )
        image = np.zeros((num_envs, VIEW, VIEW, 3), np.uint8)
        final = np.zeros_like(image)
        flags = (np.zeros(num_envs, bool) for _ in range(5))
        self._image, self._final = image.reshape(num_envs, -1), final.reshape(num_envs, -1)
        self.out = Output(image, final, np.zeros(num_envs), *flags)
        self._arrays = (*self.state, self._image, self._final, *self.out[2:])
        self.offsets = view_offsets(stride)
        kind, parallel = int(level.kind), num_envs >= _PARALLEL_FROM
        self._step = _compile_step(2 * _SOURCES + parallel, kind, parallel)
        self._reset = _compile_reset(_SOURCES, kind)
        self.light = EVERYTHING if level.see_through else LIGHT

    def seed(self, n: int, seed: int | None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        self.state.rng[n] = seeded_state(seed)

    def reset(self, mask: np.ndarray[Any, Any] | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all; what was seen before goes to ``final``."""
        mask = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask, bool)
        images = self._image, self._final
        self._reset(*self.state, *images, self.out.waiting, mask, self.plan, self.offsets, self.light)

    def step(self, actions: np.ndarray[Any, Any]) -> bool:
        """One action ``(N,)`` of int64, 0 to 6, in each world; False, and nothing done, if one is not."""
        begin = self._step(*self._arrays, actions, self.mode, self.plan, self.offsets, self.light)
        if begin > 0:
            self.reset(self.out.fresh)
        return bool(begin >= 0)

    def observe(self) -> None:
        """Writes ``image`` anew, after the state was written from outside."""
        _observe(*self.state, self._image, self.offsets, self.light)

    def mission(self, n: int) -> str:
        """What the agent of world n is told."""
        return mission_of(self.level, self.state.task[n])
