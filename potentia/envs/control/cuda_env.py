"""Many control worlds on a CUDA device as Gymnasium vector environments: nothing leaves the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from potentia.compiling.kernels import usable
from potentia.envs.control.cuda import CudaControlWorlds, CudaPolicyWorlds
from potentia.envs.control.policies import PolicyVectorEnv
from potentia.envs.control.vector import ControlVectorEnv
from potentia.envs.control.worlds import ControlWorlds
from potentia.envs.vector_reset import reset_mask

__all__ = ["CudaControlVectorEnv", "CudaPolicyVectorEnv", "form_of"]


class CudaControlVectorEnv(ControlVectorEnv):
    """`ControlVectorEnv` on a CUDA device: the same worlds of the same seeds, in tensors that never leave it.

    ``ControlVectorEnv(..., device="cuda")`` makes it, and ``gym.make_vec`` with that argument. Numbers agree with the
    CPU's within rounding (`potentia.envs.control.cuda`). No GPU was at hand: the tests run it in Numba's simulator, and
    ``benchmarks/gpu_check.py`` compares it on a device.

    ``step`` never waits for the device. So actions are clipped, but not checked, and in mode ``DISABLED`` a world that
    was not reset after an end begins anew. In mode ``SAME_STEP``, ``final_obs`` and ``final_info`` are in every step's
    info, where ``_final_obs`` says of which worlds they tell. ``reset_mask`` may be a tensor on the device. ``info``
    can have ``success``, ``descriptor``, ``area``, ``subgoals``, ``potential`` and ``progress``.

    Args:
        arguments: Those of `ControlVectorEnv`, as the options. ``parallel`` changes nothing.
        device: The CUDA device, the first. In Numba's simulator it is the CPU.
        render_mode: None: no picture is drawn there.

    Raises:
        RuntimeError: If Numba can't use the device, as without the package ``numba-cuda``.
        ValueError: If it is none of CUDA's, or an option is none.
    """

    worlds_of = CudaControlWorlds

    def __init__(
        self, *arguments: Any, device: torch.device | str = "cuda", render_mode: str | None = None, **options: Any
    ) -> None:
        if render_mode is not None:
            raise ValueError(f"no picture is drawn on a device: render_mode must be None, got {render_mode!r}")
        self.device = usable(device, 'device="cpu"')
        super().__init__(*arguments, **options)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}

    def _make_worlds(self, mode: int, **options: Any) -> ControlWorlds:
        return super()._make_worlds(mode, device=self.device, **options)

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
        worlds: Any = self.worlds
        worlds.seed_all(seeds, mask)

    def _refuse_ended(self) -> None:
        """To look would wait for the device: a world that ended and was not reset begins anew."""

    def _tells_final(self, done: Tensor) -> bool:
        return True

    def _copy(self, array: Tensor) -> Tensor:
        return array.clone()


class CudaPolicyVectorEnv(CudaControlVectorEnv, PolicyVectorEnv):
    """`PolicyVectorEnv` on a CUDA device: genomes ``(N, P)`` in a tensor there, and one thread for each episode.

    ``PolicyVectorEnv(..., device="cuda")`` makes it. `CudaControlVectorEnv` says what is otherwise on a device.
    ``info`` can have ``steps`` and ``path``, too, and has no ``potential``.

    Args:
        arguments: Those of `PolicyVectorEnv`, as the options. ``parallel`` changes nothing.
        device: The CUDA device, the first. In Numba's simulator it is the CPU.
        render_mode: None: no picture is drawn there.
    """

    worlds_of = CudaPolicyWorlds


def form_of(cls: type[ControlVectorEnv]) -> Any:
    """What stands for a class of vector environments on a device.

    Raises:
        TypeError: If nothing does.
    """
    if issubclass(cls, CudaControlVectorEnv):
        return cls
    forms: dict[type, type] = {ControlVectorEnv: CudaControlVectorEnv, PolicyVectorEnv: CudaPolicyVectorEnv}
    if cls not in forms:
        raise TypeError(f"{cls.__name__} is on the CPU alone: leave out device, or derive it from CudaControlVectorEnv")
    return forms[cls]
