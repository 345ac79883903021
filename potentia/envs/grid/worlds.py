"""N worlds of one level, stepped together on all cores: the rules, compiled."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit, prange

from potentia.envs.grid.levels import Level, draw
from potentia.envs.grid.pcg64 import STATE, seeded_state
from potentia.envs.grid.rules import DONE, EVERYTHING, LIGHT, MARGIN, STEPS, VIEW, observe_one, step_one, view_offsets

NEXT_STEP, SAME_STEP, DISABLED = range(3)
_PARALLEL_FROM = 128
"""The number of worlds from which waking a second core pays."""


@njit
def _step_world(  # type: ignore[no-untyped-def]
    n, cells, agent, rng, waiting, actions, image, final, reward, terminated, truncated, success, level, offsets, light
):
    mode, kind, width, height, stride, max_steps, first, second = level
    reward[n], terminated[n], truncated[n], success[n] = 0.0, False, False, False
    if waiting[n]:
        if mode == NEXT_STEP:
            draw(kind, cells, agent, rng, n, width, height, stride, first, second)
            observe_one(cells, agent, n, image, offsets, light)
            waiting[n] = False
        return
    reward[n], terminated[n], success[n] = step_one(cells, agent, n, actions[n], stride, max_steps)
    truncated[n] = agent[n, STEPS] >= max_steps
    ended = terminated[n] or truncated[n]
    if ended and mode == SAME_STEP:
        observe_one(cells, agent, n, final, offsets, light)
        draw(kind, cells, agent, rng, n, width, height, stride, first, second)
    observe_one(cells, agent, n, image, offsets, light)
    waiting[n] = ended and mode != SAME_STEP


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


def _compile_step(key: int, parallel: bool) -> Any:
    """The step of all worlds, on one core or on all, kept on disk between processes.

    Numba's cache knows neither how a function was to be compiled nor what it calls in other files, but it knows the
    values that the function encloses: hence ``key``, which differs with both.
    """

    @njit(cache=True, parallel=parallel)
    def step(  # type: ignore[no-untyped-def]
        cells, agent, rng, waiting, actions, image, final, reward, terminated, truncated, success, level, offsets, light
    ):
        if key < 0 or _wrong(actions):
            return False
        for n in prange(len(actions)):
            _step_world(
                n, cells, agent, rng, waiting, actions, image, final, reward, terminated, truncated, success,
                level, offsets, light,
            )  # fmt: skip
        return True

    return step


def _compile_rest(sources: int) -> tuple[Any, Any]:
    """The reset and the view of all worlds, kept on disk like the step."""

    @njit(cache=True)
    def reset(cells, agent, rng, waiting, mask, image, level, offsets, light):  # type: ignore[no-untyped-def]
        if sources < 0:
            return
        _, kind, width, height, stride, _, first, second = level
        for n in range(len(mask)):
            if mask[n]:
                draw(kind, cells, agent, rng, n, width, height, stride, first, second)
                observe_one(cells, agent, n, image, offsets, light)
                waiting[n] = False

    @njit(cache=True)
    def observe(cells, agent, image, offsets, light):  # type: ignore[no-untyped-def]
        if sources < 0:
            return
        for n in range(len(agent)):
            observe_one(cells, agent, n, image, offsets, light)

    return reset, observe


_SOURCES = _digest()
_step_few, _step_many = (_compile_step(2 * _SOURCES + parallel, parallel) for parallel in (False, True))
_reset, _observe = _compile_rest(_SOURCES)


class GridWorlds:
    """The state of N worlds of a level, and the arrays into which a step writes. All may be read and written.

    Args:
        level: The level.
        num_envs: N.
        mode: What happens to a world that ended: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``, as in Gymnasium.
        max_steps: Another time limit than the level's.

    Attributes:
        cells: See `potentia.envs.grid.rules`, as for ``agent`` and ``rng``.
        waiting: ``(N,)`` bool: ended, and not yet started anew.
        image: ``(N, 7, 7, 3)`` uint8: what the agents see.
        final: The same, where an episode ended in mode ``SAME_STEP``: what its agent saw last.
        reward: ``(N,)`` float64; ``terminated``, ``truncated``, ``success``: ``(N,)`` bool.
    """

    def __init__(self, level: Level, num_envs: int, mode: int = NEXT_STEP, max_steps: int | None = None) -> None:
        self.level, self.num_envs = level, num_envs
        self.max_steps = level.max_steps if max_steps is None else max_steps
        self.stride = level.width + 2 * MARGIN
        size = self.stride * (level.height + 2 * MARGIN)
        self.cells = np.zeros((num_envs, size), np.uint8)
        self.agent = np.zeros((num_envs, 4), np.int32)
        self.rng = np.zeros((num_envs, STATE), np.uint64)
        self.waiting = np.zeros(num_envs, bool)
        self.image = np.zeros((num_envs, VIEW, VIEW, 3), np.uint8)
        self.final = np.zeros_like(self.image)
        self.reward = np.zeros(num_envs)
        self.terminated, self.truncated, self.success = (np.zeros(num_envs, bool) for _ in range(3))
        self._level = (
            mode, level.kind, level.width, level.height, self.stride, self.max_steps, level.first, level.second,
        )  # fmt: skip
        self._offsets = view_offsets(self.stride)
        self._light = EVERYTHING if level.see_through else LIGHT

    def seed(self, n: int, seed: int | None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        self.rng[n] = seeded_state(seed)

    def reset(self, mask: np.ndarray[Any, Any] | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all."""
        mask = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask, bool)
        _reset(
            self.cells, self.agent, self.rng, self.waiting, mask, self.image, self._level, self._offsets, self._light
        )

    def step(self, actions: np.ndarray[Any, Any]) -> bool:
        """One action ``(N,)`` of int64, 0 to 6, in each world; False, and nothing done, if one is not."""
        run = _step_few if self.num_envs < _PARALLEL_FROM else _step_many
        return bool(run(
            self.cells, self.agent, self.rng, self.waiting, actions, self.image, self.final, self.reward,
            self.terminated, self.truncated, self.success, self._level, self._offsets, self._light,
        ))  # fmt: skip

    def observe(self) -> None:
        """Writes ``image`` anew, after the state was written from outside."""
        _observe(self.cells, self.agent, self.image, self._offsets, self._light)
