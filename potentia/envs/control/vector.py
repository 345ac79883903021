"""Many control worlds at once as a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from potentia.arrays import is_tensor
from potentia.envs.control.catalogue import find_rules
from potentia.envs.control.env import PICTURE, checked_render_mode
from potentia.envs.control.loops import DISABLED, NEXT_STEP, SAME_STEP
from potentia.envs.control.rules import Rules
from potentia.envs.control.worlds import ControlWorlds
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import World
from potentia.limits import check_at_least

if TYPE_CHECKING:
    import torch

__all__ = ["ControlVectorEnv", "masked"]

_MODES = {
    AutoresetMode.NEXT_STEP: NEXT_STEP,
    AutoresetMode.SAME_STEP: SAME_STEP,
    AutoresetMode.DISABLED: DISABLED,
}


class ControlVectorEnv(World, VectorEnv[Any, Any, Any]):
    """N worlds of real numbers, stepped together by compiled rules.

    World i after ``reset(seed=s)`` is, number for number, what `potentia.envs.control.ControlEnv` gives after
    ``reset(seed=s + i)``. ``info`` describes the state reached: ``success``, and what was asked for of ``state_hash``,
    ``caption`` (the state's numbers), ``descriptor`` ``(N, d)`` (what an episode that ends here is described by),
    ``area`` (the number of the reward area that it is in, -1 for none), ``subgoals`` (areas as they are entered),
    ``potential``, ``progress`` and ``image`` ``(N, 64, 64, 3)``, as a world knows them.

    Args:
        world: A name in `potentia.envs.control.WORLDS`, such as ``"HardMaze"``, or rules.
        num_envs: N.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        autoreset_mode: When a finished world begins anew.
        time_limit: Another time limit than the world's own.
        max_episode_steps: Episodes are cut after so many steps, if that is sooner. The world doesn't know of it.
        parallel: Whether all cores step. None: if there are many worlds.
        render_mode: "rgb_array" or None.
        device: "cpu" for NumPy arrays. A CUDA device makes a `potentia.envs.control.CudaControlVectorEnv`.
        options: The world's own.

    Raises:
        RuntimeError: If Numba can't use the device.
        ValueError: If there is no such world, or an option is none.
    """

    worlds_of: type[ControlWorlds] = ControlWorlds

    def __new__(cls, *arguments: Any, device: torch.device | str = "cpu", **options: Any) -> Self:
        """On a CUDA device it is a form of its own, as a ``pathlib.Path`` is one of its system's."""
        if str(device) == "cpu":
            return super().__new__(cls)
        from potentia.envs.control.cuda_env import form_of  # noqa: PLC0415 - it imports PyTorch and Numba

        form: type[Self] = form_of(cls)
        return super().__new__(form)

    def __init__(
        self,
        world: str | Rules,
        num_envs: int = 1,
        *,
        info_keys: Sequence[str] | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        time_limit: int | None = None,
        max_episode_steps: int | None = None,
        parallel: bool | None = None,
        render_mode: str | None = None,
        device: torch.device | str = "cpu",
        **options: Any,
    ) -> None:
        self.rules = find_rules(world, **options)
        check_at_least(1, num_envs=num_envs, time_limit=time_limit, max_episode_steps=max_episode_steps)
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": ["rgb_array"], "render_fps": 30}
        self.render_mode = checked_render_mode(render_mode, self.rules)
        self.worlds = self._make_worlds(
            _MODES[self.autoreset_mode], limit=time_limit, cut=max_episode_steps, parallel=parallel
        )
        self.single_observation_space = self.worlds.observation_space
        self.single_action_space = self.worlds.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.chance = self.rules.chance
        self._all = self._everywhere()
        self._seeded = False
        self.offer(self.worlds.keys, self.worlds.free_keys, info_keys)

    def _everywhere(self) -> Any:
        return np.ones(self.num_envs, bool)

    def _make_worlds(self, mode: int, **options: Any) -> ControlWorlds:
        return self.worlds_of(self.rules, self.num_envs, mode, **options)

    @property
    def time_limit(self) -> int | None:
        """The world's own, or the one that was set, or ``max_episode_steps`` if that is less."""
        return self.worlds.time_limit

    @property
    def random_return(self) -> float | None:
        """The expected return of random actions, None where it is not known."""
        return self.worlds.random_return

    @property
    def optimal_return(self) -> float | None:
        """The largest expected return there is, None where it is not known."""
        return self.worlds.optimal_return

    @property
    def action_names(self) -> Sequence[str]:
        """The names of the choices, if an action is one of several."""
        return self.rules.actions if self.rules.discrete else ()

    def action_text(self, action: Any) -> str:
        """An action of one world in words."""
        return self.worlds.action_text(action)

    def goal_text(self) -> str:
        """What is to be done, in words."""
        return self.rules.goal

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins episodes, in all worlds or in those of ``options["reset_mask"]``.

        Args:
            seed: See `potentia.envs.vector_reset.seeds_of`.
            options: ``{"reset_mask": mask}`` with a bool array of shape (N,).

        Raises:
            TypeError: If the seed is none.
            ValueError: If the mask or the seeds have the wrong shape.
        """
        where = self._mask_of(options)
        if seed is not None or not self._seeded:
            self._seed(seeds_of(seed, self.num_envs), where)
        self._seeded = self._seeded or bool(where.all())
        self.worlds.begin(where)
        return self._copy(self.worlds.observation), masked(self.worlds.info(self.info_keys), where)

    def _mask_of(self, options: dict[str, Any] | None) -> Any:
        mask = reset_mask(options, self.num_envs)
        return self._all if mask is None else mask

    def _seed(self, seeds: list[int | None], mask: Any) -> None:
        """A world without a seed goes on with its random numbers, if it has any."""
        for n in np.flatnonzero(mask):
            if seeds[n] is not None or not self._seeded:
                self.worlds.seed(int(n), seeds[n])

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One action in each world, clipped to its bounds.

        Raises:
            RuntimeError: If it comes before the first reset.
            ValueError: If the actions do not fit, or in mode DISABLED a world that ended was not reset.
        """
        worlds = self.worlds
        if not self._seeded:
            raise RuntimeError("step() came before reset(): call reset() first")
        if self.autoreset_mode is AutoresetMode.DISABLED:
            self._refuse_ended()
        worlds.step(worlds.rows(actions))
        reward, terminated, truncated = map(self._copy, (worlds.reward, worlds.terminated, worlds.truncated))
        last: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._tells_final(done := terminated | truncated):
            last = {"final_obs": self._copy(worlds.observation), "_final_obs": done}
            last |= {"final_info": masked(worlds.info(self.info_keys), done), "_final_info": self._copy(done)}
            worlds.begin(done)
        info = masked(worlds.info(self.info_keys), self._all) | last
        return self._copy(worlds.observation), reward, terminated, truncated, info

    def _refuse_ended(self) -> None:
        if (waiting := self.worlds.waiting).any():
            raise ValueError(
                f"environments {np.flatnonzero(waiting).tolist()} have ended: in DISABLED mode call "
                'reset(options={"reset_mask": terminated | truncated}) before the next step'
            )

    def _tells_final(self, done: Any) -> bool:
        """Whether a step has ``final_obs`` and ``final_info``."""
        return bool(done.any())

    def _copy(self, array: Any) -> Any:
        return array.copy()

    def render(self) -> Any:
        """A picture of each world, ``(256, 256, 3)``."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return tuple(self.worlds.picture(PICTURE))

    def save(self) -> tuple[Any, ...]:
        """A copy of the whole state, random numbers included, for `restore` here or in another copy of the worlds."""
        return self.worlds.save()

    def restore(self, saved: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state. Returns what is seen there and its info."""
        self.worlds.restore(saved)
        self._seeded = True
        return self._copy(self.worlds.observation), masked(self.worlds.info(self.info_keys), self._all)

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        if not self._seeded:
            return {}
        info = self.worlds.info(self.info_keys)
        if "subgoals" in info:
            info["subgoals"] = {name: ~self._everywhere() for name in info["subgoals"]}
        return masked(info, self._all)


def masked(columns: dict[str, Any], mask: Any) -> dict[str, Any]:
    """Columns of info with Gymnasium's ``_key`` masks beside them."""
    info: dict[str, Any] = {}
    for key, column in columns.items():
        info[key] = masked(column, mask) if isinstance(column, dict) else column
        info[f"_{key}"] = mask.clone() if is_tensor(mask) else mask.copy()
    return info
