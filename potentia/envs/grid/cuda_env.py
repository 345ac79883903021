"""Many compiled worlds on a CUDA device as a Gymnasium vector environment: nothing leaves the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from gymnasium.vector import AutoresetMode
from torch import Tensor

from potentia.envs.grid.cuda import CudaGridWorlds, measurable_there
from potentia.envs.grid.levels import find_level
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.vector import ALWAYS_KEYS, GridVectorEnv, keys_of
from potentia.envs.vector_reset import reset_mask


class CudaGridVectorEnv(GridVectorEnv):
    """`GridVectorEnv` on a CUDA device: the same game of the same seeds, in tensors that never leave it.

    ``step`` never waits for the device. So actions are not checked: a number that is none passes time, no more. In mode
    ``SAME_STEP``, ``final_obs`` and ``final_info`` are in every step's info, where ``_final_obs`` says of which worlds
    they tell. ``reset_mask`` may be a tensor on the device. Observations are images. There is no ``caption``, which is
    written in Python, and no picture.

    Args:
        level: A name in `potentia.envs.grid.LEVELS`, such as ``"DoorKey-8x8"``, or a level.
        num_envs: N.
        info_keys: As of `GridVectorEnv`. There is no ``caption``.
        autoreset_mode: When a finished world starts anew.
        max_steps: Another time limit than the level's. It also scales the reward.
        max_episode_steps: Episodes are cut after so many steps, if that is sooner. The reward stays as it is.
        device: The CUDA device, the first. In Numba's simulator it is the CPU.
        size: Other sizes than the name's, by MiniGrid's names, such as ``size=32``.

    Raises:
        RuntimeError: If Numba can't use the device, as without the package ``numba-cuda``.
        ValueError: If there is no such level, a number is less than 1, or an option is none.
    """

    device: torch.device

    def __init__(
        self,
        level: str | Level,
        num_envs: int = 1,
        *,
        info_keys: Sequence[str] | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_steps: int | None = None,
        max_episode_steps: int | None = None,
        device: torch.device | str = "cuda",
        **size: int,
    ) -> None:
        level = find_level(level, **size) if isinstance(level, str) else level
        offered = keys_there(level)
        wanted = () if info_keys is None or isinstance(info_keys, str) else info_keys
        if unknown := sorted(set(wanted).difference(offered)):  # before a device is asked for
            raise ValueError(
                f"info_keys must be among {offered} on a device, got {unknown}; the caption is written on the host: "
                "leave it out, or use GridVectorEnv"
            )
        super().__init__(
            level, num_envs, info_keys=info_keys, autoreset_mode=autoreset_mode, max_steps=max_steps,
            max_episode_steps=max_episode_steps, device=device,
        )  # fmt: skip
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self._bits = self.worlds.tensor(self._bits)

    def _make_worlds(self, mode: int, max_steps: int | None, limit: int | None) -> CudaGridWorlds:
        worlds = CudaGridWorlds(self.level, self.num_envs, mode, max_steps, limit=limit, device=self.device)
        self.device = worlds.device
        return worlds

    def _offered(self) -> tuple[str, ...]:
        return keys_there(self.level)

    def _everywhere(self) -> Tensor:
        return torch.ones(self.num_envs, dtype=torch.bool, device=self.device)

    def _mask_of(self, options: dict[str, Any] | None) -> Tensor:
        mask = (options or {}).get("reset_mask")
        if not isinstance(mask, Tensor):
            mask = reset_mask(options, self.num_envs)
        return self._all if mask is None else torch.as_tensor(mask, dtype=torch.bool, device=self.device)

    def _seed(self, seeds: list[int | None], mask: Tensor) -> None:
        if self._seeded:
            mask = mask & torch.tensor([seed is not None for seed in seeds], device=self.device)
        self.worlds.seed(seeds, mask)

    def _act(self, actions: Any) -> None:
        action_tensor = torch.as_tensor(actions, device=self.device)
        if action_tensor.shape != (self.num_envs,) or action_tensor.dtype.is_floating_point:
            raise ValueError(
                f"actions must be {self.num_envs} integers, got {tuple(action_tensor.shape)} of {action_tensor.dtype}"
            )  # fmt: skip
        self.worlds.step(action_tensor.long().contiguous())

    def _tells_final(self, done: Tensor) -> bool:
        return True

    def _copy(self, array: Tensor) -> Tensor:
        return array.clone()


def keys_there(level: Level) -> tuple[str, ...]:
    """The info keys that a device can give."""
    given = keys_of(level) if measurable_there(level) else ALWAYS_KEYS
    return tuple(key for key in given if key != "caption")
