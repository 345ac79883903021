"""Many compiled worlds at once as a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from potentia.envs.grid.captions import CaptionWriter
from potentia.envs.grid.description import Description, event_bits
from potentia.envs.grid.levels import find_level
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.render import render_world
from potentia.envs.grid.rules import DIRECTION, VIEW
from potentia.envs.grid.worlds import DISABLED, NEXT_STEP, SAME_STEP, GridWorlds, has_distance
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import World

FREE_KEYS = ("success",)
"""The keys of ``info`` that cost nothing: what it has unless it is asked for more."""
_ALWAYS = ("caption", "state_hash", "subgoals", "success")
_MEASURED = ("distance", "potential")
_MODES = {
    AutoresetMode.NEXT_STEP: NEXT_STEP,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.DISABLED: DISABLED,
}
IMAGE_SPACE = spaces.Box(0, 255, (VIEW, VIEW, 3), np.uint8)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz ,")
ACTION_NAMES = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")


def spaces_of(level: Level, observation: str) -> tuple[gym.Space[Any], spaces.Discrete]:
    """The space of one observation and of one action.

    Raises:
        ValueError: If the observation is neither "image" nor "dict".
    """
    action_space = spaces.Discrete(level.actions)
    if observation == "image":
        return IMAGE_SPACE, action_space
    if observation == "dict":
        mission = spaces.Text(120, min_length=0, charset=_LETTERS)
        return spaces.Dict({"direction": spaces.Discrete(4), "image": IMAGE_SPACE, "mission": mission}), action_space
    raise ValueError(f'observation must be "image" or "dict", got {observation!r}')


def keys_of(level: Level) -> tuple[str, ...]:
    """The keys that ``info`` can have in a level."""
    return (*_ALWAYS, *_MEASURED) if has_distance(level) else _ALWAYS


def described_by(keys: Sequence[str]) -> dict[str, bool]:
    """What worlds keep up to date for an info with these keys: the arguments of `GridWorlds.describe`."""
    described, measured = {"state_hash", "subgoals"}, set(_MEASURED)
    return {"described": not described.isdisjoint(keys), "measured": not measured.isdisjoint(keys)}


def checked_numbers(**numbers: int | None) -> None:
    """Refuses what would be no number of worlds or steps.

    Raises:
        ValueError: If one is less than 1.
    """
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")


class GridVectorEnv(World, VectorEnv[Any, Any, Any]):
    """N worlds of one of MiniGrid's levels, stepped together, with MiniGrid's rules, levels, rewards and limits.

    MiniGrid: Chevalier-Boisvert et al. 2023, arXiv 2306.13831. World i after ``reset(seed=s)`` is, reset after reset,
    what MiniGrid gives after ``reset(seed=s + i)``. Observations, rewards and ends are MiniGrid's, to the bit. So
    the last step of an episode that succeeds at its limit is both terminated and truncated. ``info`` describes the
    state reached, in the form that Gymnasium's own vector environments give it: ``success``, and what was asked for of
    ``state_hash`` (of all but the step count), ``distance`` (fewest actions to success in the true state, or -1.0 if
    there is no way or the episode failed), ``potential`` (-distance / (4 * (width + height)), not below -1),
    ``subgoals`` (events) and ``caption`` (what the agent sees and carries, in words). The caption costs more than all
    else together.

    Args:
        level: A name in `potentia.envs.grid.LEVELS`, such as ``"DoorKey-8x8"``, or a level.
        num_envs: N.
        observation: "image" for MiniGrid's partial view, ``(N, 7, 7, 3)`` uint8: column, row, (object, colour, state).
            "dict" is for its dictionary of image, direction and mission.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        autoreset_mode: When a finished world starts anew.
        max_steps: Another time limit than the level's. It also scales the reward, ``1 - 0.9 * steps / max_steps``.
        max_episode_steps: Episodes are cut after so many steps, if that is sooner. The reward stays as it is.
        device: None for NumPy arrays, else tensors on that device, moved there from the CPU, where the worlds are.
            `potentia.envs.grid.CudaGridVectorEnv` steps them on it.
        render_mode: "rgb_array" or None.
        size: Other sizes than the name's, by MiniGrid's names, such as ``size=32``.

    Raises:
        ValueError: If there is no such level, a number is less than 1, or an option is none.
    """

    def __init__(
        self,
        level: str | Level,
        num_envs: int = 1,
        *,
        observation: str = "image",
        info_keys: Sequence[str] | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_steps: int | None = None,
        max_episode_steps: int | None = None,
        device: torch.device | str | None = None,
        render_mode: str | None = None,
        **size: int,
    ) -> None:
        self.level = find_level(level, **size) if isinstance(level, str) else level
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": ["rgb_array"], "render_fps": 10}
        self.render_mode = checked_render_mode(render_mode)
        self.single_observation_space, self.single_action_space = spaces_of(self.level, observation)
        self.device = None if device is None else torch.device(device)
        checked_numbers(num_envs=num_envs, max_steps=max_steps, max_episode_steps=max_episode_steps)
        self.worlds: Any = self._make_worlds(_MODES[self.autoreset_mode], max_steps, max_episode_steps)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._image_only = observation == "image"
        events = event_bits(self.level.family)
        self._events, self._bits = tuple(events), np.array([*events.values()], np.uint32)[:, None]
        self._caption = CaptionWriter()
        self._all = self._everywhere()
        self._seeded = False
        self.offer(self._offered(), FREE_KEYS, info_keys)

    def _make_worlds(self, mode: int, max_steps: int | None, limit: int | None) -> Any:
        return GridWorlds(self.level, self.num_envs, mode, max_steps, limit=limit)

    def _offered(self) -> tuple[str, ...]:
        return keys_of(self.level)

    def _describe(self) -> None:
        self.worlds.describe(**described_by(self.info_keys))
        if self._seeded:
            self.worlds.refresh()

    @property
    def time_limit(self) -> int | None:
        """The level's, or that of ``max_steps`` or ``max_episode_steps``."""
        return int(self.worlds.plan.limit)

    @property
    def action_names(self) -> Sequence[str]:
        """MiniGrid's."""
        return ACTION_NAMES

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Draws new levels in all worlds, or in those of ``options["reset_mask"]``. Random numbers go on."""
        mask = self._mask_of(options)
        if seed is not None or not self._seeded:
            self._seed(seeds_of(seed, self.num_envs), mask if self._seeded else self._all)
            self._seeded = True
        self.worlds.reset(mask)
        out = self.worlds.out
        success = out.success
        success &= ~mask
        return self._observation(out.image), self._tell(self.worlds.description, out.image, out.success, self._all)

    def _seed(self, seeds: list[int | None], mask: Any) -> None:
        for n in np.flatnonzero(mask):
            self.worlds.seed(int(n), seeds[n])

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One action in each world.

        Raises:
            RuntimeError: If it comes before the first reset.
            ValueError: If an action is none of the level's, or there are not N.
        """
        if not self._seeded:
            raise RuntimeError("step() came before reset(): call reset() first")
        self._act(actions)
        out, described = self.worlds.out, self.worlds.description
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            done = out.terminated | out.truncated
            info = self._tell(described, out.image, out.success & ~done, self._all)
            if self._tells_final(done):
                self._add_final(info, done)
        else:
            info = self._tell(described, out.image, out.success, self._all)
        reward, terminated, truncated = self._copy(out.reward), self._copy(out.terminated), self._copy(out.truncated)
        return self._observation(out.image), reward, terminated, truncated, info

    def _act(self, actions: Any) -> None:
        array = np.asarray(actions.cpu() if isinstance(actions, torch.Tensor) else actions)
        if array.dtype != np.int64 and array.dtype.kind in "iu":
            array = array.astype(np.int64)
        if array.shape != (self.num_envs,) or array.dtype != np.int64 or not self.worlds.step(array):
            raise ValueError(f"actions must be {self.num_envs} integers in 0..6, got {array!r}")

    def _tells_final(self, done: Any) -> bool:
        return bool(done.any())

    def _add_final(self, info: dict[str, Any], done: Any) -> None:
        """Tells of the episodes that ended in this step, whose worlds are drawn anew already."""
        worlds = self.worlds
        final = self._tell(worlds.final_description, worlds.out.final, worlds.out.success, done)
        final_obs, here = self._observation(worlds.out.final), self._copy(done)
        info.update(final_obs=final_obs, final_info=final, _final_obs=here, _final_info=here)

    def render(self) -> Any:
        """A picture of each world, as MiniGrid draws it."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return tuple(render_world(self.worlds, n) for n in range(self.num_envs))

    def _everywhere(self) -> Any:
        return np.ones(self.num_envs, bool)

    def _mask_of(self, options: dict[str, Any] | None) -> Any:
        mask = reset_mask(options, self.num_envs)
        return self._all if mask is None else mask

    def _copy(self, array: Any) -> Any:
        """A copy, of the kind that is given back and where it is wanted."""
        return array.copy() if self.device is None else torch.from_numpy(array.copy()).to(self.device)

    def _observation(self, image: Any) -> Any:
        seen = self._copy(image)
        if self._image_only:
            return seen
        direction = self.worlds.state.agent[:, DIRECTION].astype(np.int64)
        missions = tuple(self.worlds.mission(n) for n in range(self.num_envs))
        return {"direction": self._copy(direction), "image": seen, "mission": missions}

    def _tell(self, told: Description, image: Any, success: Any, mask: Any) -> dict[str, Any]:
        info: dict[str, Any] = {}
        here = self._copy(mask)
        for key in self.info_keys:
            if key == "caption":
                captions = [self._caption(view) if told_of else None for view, told_of in zip(image, mask, strict=True)]
                info[key] = np.array(captions, object)
            elif key == "subgoals":
                happened = self._copy((told.events & self._bits) != 0)
                info[key] = dict(zip(self._events, happened, strict=True)) | {f"_{name}": here for name in self._events}
            elif key == "success":
                info[key] = self._copy(success)
            else:
                info[key] = self._copy(getattr(told, key))
            info[f"_{key}"] = here
        return info


def checked_render_mode(render_mode: str | None) -> str | None:
    """The render mode.

    Raises:
        ValueError: If it is neither None nor "rgb_array".
    """
    if render_mode not in (None, "rgb_array"):
        raise ValueError(f'render_mode must be "rgb_array" or None, got {render_mode!r}')
    return render_mode
