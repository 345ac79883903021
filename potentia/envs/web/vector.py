"""Many pages at once as a Gymnasium vector environment."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate

from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.web.browser import loop
from potentia.envs.web.env import WebEnv, at_once
from potentia.envs.web.play import Play
from potentia.envs.web.task import WebTask
from potentia.envs.world import World

__all__ = ["WebVectorEnv"]

Seen = tuple[dict[str, Any], dict[str, Any]]


class WebVectorEnv(World, VectorEnv[dict[str, Any], Any, Any]):
    """N pages, each in a context of its own, in one browser: while one waits for the browser, the others go on.

    Environment i after ``reset(seed=s)`` is what `potentia.envs.web.WebEnv` gives after ``reset(seed=s + i)``.
    Observations, actions, rewards and info are as of `potentia.envs.web.WebEnv`.

    Args:
        task: A name in `potentia.envs.web.TASKS`, or what makes a task of one's own from the options, called N times.
        num_envs: N.
        autoreset_mode: When a finished episode is followed by the next.
        max_steps: Another time limit than the task's.
        max_episode_steps: Gymnasium's name for ``max_steps``. The smaller one counts.
        render_mode: "rgb_array" or None.
        options: As `potentia.envs.web.WebEnv`.

    Raises:
        ValueError: If there is no such task or option.
        TypeError: If the backend "html" is given a ``render_mode``.
        FileNotFoundError: If there is no browser.
    """

    def __init__(
        self,
        task: str | Callable[..., WebTask],
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_steps: int | None = None,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        self.plays: list[Play] = []  # Gymnasium closes also what could not be made
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        limits = [limit for limit in (max_steps, max_episode_steps) if limit is not None]
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": ["rgb_array"], "render_fps": 4}
        self.render_mode = render_mode
        options |= {"max_steps": min(limits, default=None), "render_mode": render_mode}
        worlds = [WebEnv(task, **options) for _ in range(num_envs)]
        self.plays = [world.play for world in worlds]
        first = self.plays[0]
        self.single_observation_space, self.single_action_space = first.observer.space, first.view.space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._seen: list[dict[str, Any]] = []
        self._ended = np.zeros(num_envs, bool)
        self.offer(worlds[0].offered_keys, (), worlds[0].info_keys)

    def _describe(self) -> None:
        for play in self.plays:
            play.keys = self.info_keys

    @property
    def time_limit(self) -> int:
        """The task's, or ``max_steps``."""
        return self.plays[0].task.budget

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins episodes everywhere, or where ``options["reset_mask"]`` says so."""
        wanted = reset_mask(options, self.num_envs)
        mask = np.ones(self.num_envs, bool) if wanted is None else wanted
        seeds = seeds_of(seed, self.num_envs)
        if not self._seen:
            mask, self._seen = np.ones(self.num_envs, bool), [{}] * self.num_envs
        infos: dict[str, Any] = {}
        indices = np.flatnonzero(mask)
        begun = self._all([self.plays[i].reset(seeds[i]) for i in indices])
        for i, (obs, info) in zip(indices, begun, strict=True):
            self._seen[i] = obs
            infos = self._add_info(infos, info, int(i))
        self._ended[mask] = False
        return self._batch(), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One action on each page.

        Raises:
            RuntimeError: If it comes before the first reset.
        """
        if not self._seen:
            raise RuntimeError("step() came before reset(): call reset() first")
        acts = list(iterate(self.action_space, actions))
        if len(acts) != self.num_envs:
            raise ValueError(f"actions must be {self.num_envs}, one for each environment, got {len(acts)}")
        results = self._all([self._step(i, acts[i]) for i in range(self.num_envs)])
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros(self.num_envs, bool), np.zeros(self.num_envs, bool)
        infos: dict[str, Any] = {}
        for i, (obs, reward, term, trunc, info, last) in enumerate(results):
            self._seen[i], rewards[i], terminated[i], truncated[i] = obs, reward, term, trunc
            if last is not None:
                infos = self._add_info(infos, {"final_obs": last[0], "final_info": last[1]}, i)
            infos = self._add_info(infos, info, i)
        self._ended = terminated | truncated
        return self._batch(), rewards, terminated, truncated, infos

    async def _step(self, index: int, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any], Any]:
        play = self.plays[index]
        if self._ended[index] and self.autoreset_mode is AutoresetMode.NEXT_STEP:
            obs, info = await play.reset(None)
            return obs, 0.0, False, False, info, None
        obs, reward, terminated, truncated, info = await play.step(action)
        last: Seen | None = None
        if (terminated or truncated) and self.autoreset_mode is AutoresetMode.SAME_STEP:
            last = obs, info
            obs, info = await play.reset(None)
        return obs, reward, terminated, truncated, info, last

    def render(self) -> Any:
        """A picture of each page."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return tuple(self._all([play.picture() for play in self.plays]))

    def close_extras(self, **kwargs: Any) -> None:
        """Gives the browser back, unless it has ended with the program: Gymnasium closes what nobody did."""
        del kwargs
        if self.plays and not sys.is_finalizing():
            self._all([play.page.close() for play in self.plays])

    def _all(self, work: list[Coroutine[Any, Any, Any]]) -> list[Any]:
        """Runs all at the same time. If one fails, the others end before that is told."""
        if not self.plays[0].waits:
            return [at_once(part) for part in work]
        return loop.run(_gathered(work))

    def _batch(self) -> Any:
        space = self.single_observation_space
        return concatenate(space, self._seen, create_empty_array(space, self.num_envs))


async def _gathered(work: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
