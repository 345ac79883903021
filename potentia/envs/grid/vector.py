"""Many compiled worlds at once as a Gymnasium vector environment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from potentia.arrays import is_tensor
from potentia.envs.grid.captions import CaptionWriter
from potentia.envs.grid.description import Description, event_bits
from potentia.envs.grid.levels import find_level
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.render import render_world
from potentia.envs.grid.rules import DIRECTION, VIEW
from potentia.envs.grid.views import Shown, shown_as
from potentia.envs.grid.worlds import DISABLED, NEXT_STEP, SAME_STEP, GridWorlds, has_distance
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import World

if TYPE_CHECKING:
    import torch

FREE_KEYS = ("success",)
"""The keys of ``info`` that cost nothing: what it has unless it is asked for more."""
ALWAYS_KEYS = ("caption", "state_hash", "subgoals", "success")
_MEASURED = ("distance", "potential")
_MODES = {
    AutoresetMode.NEXT_STEP: NEXT_STEP,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.DISABLED: DISABLED,
}
IMAGE_SPACE = spaces.Box(0, 255, (VIEW, VIEW, 3), np.uint8)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz ,")
ACTION_NAMES = ("turn left", "turn right", "forward", "pick up", "drop", "toggle", "done")


def space_of(level: Level, observation: str, show: Shown | None) -> gym.Space[Any]:
    """The space of one observation, of which ``show`` gives the image."""
    shape = IMAGE_SPACE.shape if show is None else show.shape_of(level)
    if observation == "flat":
        return spaces.Box(0, 255, (math.prod(shape),), np.uint8)
    image = spaces.Box(0, 255, shape, np.uint8)
    if observation != "dict":
        return image
    mission = spaces.Text(120, min_length=0, charset=_LETTERS)
    return spaces.Dict({"direction": spaces.Discrete(4), "image": image, "mission": mission})


def keys_of(level: Level) -> tuple[str, ...]:
    """The keys that ``info`` can have in a level."""
    return (*ALWAYS_KEYS, *_MEASURED) if has_distance(level) else ALWAYS_KEYS


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
            "dict" is for its dictionary of image, direction and mission. "flat" is the image in one row, ``(N, 147)``.
            "full" is the whole map, ``(N, width, height, 3)``, the agent being the object 10. "rgb" is a picture of
            the map, 8 pixels a cell, ``(N, 8 * height, 8 * width, 3)``, and "rgb_view" one of the view. All are what
            MiniGrid's wrappers give.
        view_size: How many cells wide and deep the view is, an odd number.
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
        view_size: int = VIEW,
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
        self._show = shown_as(observation, view_size)
        self.single_observation_space = space_of(self.level, observation, self._show)
        self.single_action_space = spaces.Discrete(self.level.actions)
        self.device = None if device is None else _device(device)
        checked_numbers(num_envs=num_envs, max_steps=max_steps, max_episode_steps=max_episode_steps)
        self.worlds: Any = self._make_worlds(_MODES[self.autoreset_mode], max_steps, max_episode_steps)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._observed = observation
        events = event_bits(self.level.family)
        self._events, self._bits = tuple(events), np.array([*events.values()], np.uint32)[:, None]
        self._caption = CaptionWriter()
        self._all = self._everywhere()
        self._seeded = False
        self.offer(self._offered(), FREE_KEYS, info_keys)

    def _make_worlds(self, mode: int, max_steps: int | None, limit: int | None) -> Any:
        return GridWorlds(self.level, self.num_envs, mode, max_steps, limit=limit, show=self._show)

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
        worlds = self.worlds
        worlds.reset(mask)
        success = worlds.out.success
        success &= ~mask
        info = self._tell(worlds.description, worlds.seen, success, self._all)
        return self._observation(worlds.shown, worlds.state.agent, worlds.state.task), info

    def _seed(self, seeds: list[int | None], mask: Any) -> None:
        """A world without a seed goes on with its random numbers, if it has any."""
        for n in np.flatnonzero(mask):
            if seeds[n] is not None or not self._seeded:
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
        worlds, out, described = self.worlds, self.worlds.out, self.worlds.description
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            done = out.terminated | out.truncated
            info = self._tell(described, worlds.seen, out.success & ~done, self._all)
            if self._tells_final(done):
                self._add_final(info, done)
        else:
            info = self._tell(described, worlds.seen, out.success, self._all)
        reward, terminated, truncated = self._copy(out.reward), self._copy(out.terminated), self._copy(out.truncated)
        obs = self._observation(worlds.shown, worlds.state.agent, worlds.state.task)
        return obs, reward, terminated, truncated, info

    def _act(self, actions: Any) -> None:
        array = np.asarray(actions.cpu() if is_tensor(actions) else actions)
        if array.dtype != np.int64 and array.dtype.kind in "iu":
            array = array.astype(np.int64)
        if array.shape != (self.num_envs,) or array.dtype != np.int64 or not self.worlds.step(array):
            raise ValueError(f"actions must be {self.num_envs} integers in 0..6, got {array!r}")

    def _tells_final(self, done: Any) -> bool:
        return bool(done.any())

    def _add_final(self, info: dict[str, Any], done: Any) -> None:
        """Tells of the episodes that ended in this step, whose worlds are drawn anew already."""
        worlds = self.worlds
        final = self._tell(worlds.final_description, worlds.final_seen, worlds.out.success, done)
        final_obs = self._observation(worlds.final_shown, worlds.final_agent, worlds.final_task)
        here = self._copy(done)
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
        if self.device is None:
            return array.copy()
        import torch  # noqa: PLC0415 - the device is one of its

        return torch.from_numpy(array.copy()).to(self.device)

    def _observation(self, shown: Any, agent: Any, task: Any) -> Any:
        seen = self._copy(shown)
        if self._observed == "flat":
            return seen.reshape(self.num_envs, -1)
        if self._observed != "dict":
            return seen
        direction = agent[:, DIRECTION].astype(np.int64)
        missions = tuple(self.level.tell_mission(row) for row in task)
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


def _device(device: torch.device | str) -> torch.device:
    import torch  # noqa: PLC0415 - costs a second, for nothing where arrays are wanted

    return torch.device(device)


def checked_render_mode(render_mode: str | None) -> str | None:
    """The render mode.

    Raises:
        ValueError: If it is neither None nor "rgb_array".
    """
    if render_mode not in (None, "rgb_array"):
        raise ValueError(f'render_mode must be "rgb_array" or None, got {render_mode!r}')
    return render_mode
