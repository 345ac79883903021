"""The compiled worlds on a CUDA device: the same functions, compiled for it, on tensors that stay there.

Needs the package ``numba-cuda`` (or, to be stepped through on a CPU, Numba's simulator: ``NUMBA_ENABLE_CUDASIM=1``).
Random numbers, levels and steps are those of the CPU, world for world. Distances are not computed on the device.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba import cuda

from potentia.envs.grid.levels import Level, draw
from potentia.envs.grid.levels.catalogue import mission_of
from potentia.envs.grid.pcg64 import seeded_state
from potentia.envs.grid.rules import World, observe_one
from potentia.envs.grid.worlds import NEXT_STEP, SAME_STEP, GridWorlds, Output, step_world

_THREADS = 128


def simulated() -> bool:
    """Whether kernels run in Numba's simulator, on arrays of the CPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


@lru_cache
def _kernels(kind: int) -> tuple[Any, Any]:
    """The step of each world, and its drawing where it begins anew; ``kind`` decides what is drawn."""

    @cuda.jit
    def step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, image, reward, terminated, truncated, success, waiting, fresh, before,
        actions, mode, plan, offsets, light,
    ):  # fmt: skip
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < actions.shape[0]:
            step_world(
                cells, agent, task, rng, paper, image, reward, terminated, truncated, success, waiting, fresh, before,
                n, actions[n], mode, plan, offsets, light,
            )  # fmt: skip

    @cuda.jit
    def begin(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, paper, image, final, waiting, mask, plan, offsets, light
    ):
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < mask.shape[0] and mask[n]:
            world = World(cells, agent, task, rng, paper)
            for k in range(image.shape[1]):
                final[n, k] = image[n, k]
            draw(kind, world, n, plan)
            observe_one(world, n, image, offsets, light)
            waiting[n] = False

    return step, begin


class CudaGridWorlds:
    """`GridWorlds` on a CUDA device: the state and what a step writes are tensors there, shared with the kernels.

    Args:
        level: The level.
        num_envs: N.
        mode: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``.
        max_steps: Another time limit than the level's.
        device: The CUDA device; in the simulator the CPU.

    Attributes:
        state: As in `GridWorlds`, tensors.
        out: As in `GridWorlds`, tensors.
    """

    def __init__(
        self,
        level: Level,
        num_envs: int,
        mode: int = NEXT_STEP,
        max_steps: int | None = None,
        *,
        device: torch.device | str = "cuda",
    ) -> None:
        self.device = torch.device("cpu" if simulated() else device)
        if self.device.type != "cuda" and not simulated():
            raise ValueError(f"device must be a CUDA device (or set NUMBA_ENABLE_CUDASIM=1), got {device!r}")
        host = GridWorlds(level, num_envs, mode, max_steps)
        self.level, self.num_envs, self.mode, self.plan = level, num_envs, mode, host.plan
        self.state = World(*(self._tensor(part) for part in host.state))
        self.out = Output._make(self._tensor(part) for part in host.out)
        self._tables = tuple(self._shared(self._tensor(table)) for table in (host.offsets, host.light))
        self._image, self._final = (self._shared(part.flatten(1)) for part in (self.out.image, self.out.final))
        self._state = tuple(self._shared(part) for part in self.state)
        self._out = tuple(self._shared(part) for part in self.out[2:])
        self._step, self._begin = _kernels(int(level.kind))
        self._all = torch.ones(num_envs, dtype=torch.bool, device=self.device)

    def _tensor(self, array: np.ndarray[Any, Any]) -> torch.Tensor:
        signed = {np.dtype(np.uint64): np.int64, np.dtype(np.uint16): np.int16}.get(array.dtype)
        return torch.from_numpy(array.view(signed) if signed else array).to(self.device)

    def _shared(self, tensor: torch.Tensor) -> Any:
        """The tensor as the kernels take it, without a copy."""
        unsigned = {torch.int64: np.uint64, torch.int16: np.uint16}.get(tensor.dtype)
        if simulated():
            array = tensor.numpy()
            return array.view(unsigned) if unsigned else array
        array = cuda.as_cuda_array(tensor)  # type: ignore[no-untyped-call]
        return array.view(unsigned) if unsigned else array

    def _blocks(self) -> tuple[int, int]:
        return (self.num_envs + _THREADS - 1) // _THREADS, min(_THREADS, self.num_envs) if simulated() else _THREADS

    def seed(self, seeds: list[int | None]) -> None:
        """Seeds world n with the n-th as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        rows = np.stack([seeded_state(seed) for seed in seeds])
        self.state.rng.copy_(self._tensor(rows))

    def reset(self, mask: torch.Tensor | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all; what was seen before goes to ``final``."""
        chosen = self._shared(self._all if mask is None else mask)
        self._begin[self._blocks()](
            *self._state, self._image, self._final, self._out[4], chosen, self.plan, *self._tables
        )

    def step(self, actions: torch.Tensor) -> None:
        """One action ``(N,)`` int64, 0 to 6, in each world; nothing is read back, so wrong ones are not refused."""
        chosen = actions.numpy() if simulated() else self._shared_actions(actions)
        self._step[self._blocks()](
            *self._state, self._image, *self._out, chosen, self.mode, self.plan, *self._tables
        )  # fmt: skip
        if self.mode in (NEXT_STEP, SAME_STEP):
            self.reset(self.out.fresh)

    @staticmethod
    def _shared_actions(actions: torch.Tensor) -> Any:
        return cuda.as_cuda_array(actions)  # type: ignore[no-untyped-call]

    def mission(self, n: int) -> str:
        """What the agent of world n is told; this reads from the device."""
        return mission_of(self.level, self.state.task[n].cpu().numpy())
