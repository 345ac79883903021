"""The control worlds on a CUDA device: the same parts as kernels, one thread a world, on tensors that stay there.

Needs the package ``numba-cuda`` (or, to be stepped through on a CPU, Numba's simulator: ``NUMBA_ENABLE_CUDASIM=1``).
Random numbers are those of the CPU. All else agrees within rounding: a device's sine, exponential function and fused
multiplication round otherwise. It was run in the simulator only, and compiled for a device: none was at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba import cuda
from torch import Tensor

from potentia.compiling.kernels import kernel, launch, on_device, shared
from potentia.envs.control.draws import seed_row
from potentia.envs.control.loops import begin_part, look_part, step_part
from potentia.envs.control.network import Network
from potentia.envs.control.policies import PolicyWorlds
from potentia.envs.control.policy_loop import evaluate_part
from potentia.envs.control.rules import Rules
from potentia.envs.control.worlds import ControlWorlds

__all__ = ["CudaControlWorlds", "CudaPolicyWorlds"]


@lru_cache
def _begin_kernel(rules: Rules) -> Any:
    begin_world = begin_part(rules)

    @kernel
    def begin(state, draws, observation, descriptor, inside, entered, time, waiting, mask):  # type: ignore[no-untyped-def]
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < state.shape[0]:
            begin_world(n, state, draws, observation, descriptor, inside, entered, time, waiting, mask)

    return begin


@lru_cache
def _step_kernel(rules: Rules) -> Any:
    step_world = step_part(rules)

    @kernel
    def step(  # type: ignore[no-untyped-def]
        state, draws, observation, descriptor, inside, entered, time, waiting,
        reward, terminated, truncated, success, actions, limit, cut,
    ):  # fmt: skip
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < state.shape[0]:
            step_world(
                n, state, draws, observation, descriptor, inside, entered, time, waiting,
                reward, terminated, truncated, success, actions, limit, cut,
            )  # fmt: skip

    return step


@lru_cache
def _evaluate_kernel(rules: Rules, network: Network) -> Any:
    evaluate_world = evaluate_part(rules, network)

    @kernel
    def evaluate(  # type: ignore[no-untyped-def]
        state, draws, seen, descriptor, inside, entered, time, waiting, reward, terminated, truncated, success,
        genomes, path, units, action, limit,
    ):  # fmt: skip
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < state.shape[0]:
            evaluate_world(
                n, state, draws, seen, descriptor, inside, entered, time, waiting,
                reward, terminated, truncated, success, genomes, path, units, action, limit,
            )  # fmt: skip

    return evaluate


@lru_cache
def _look_kernel(rules: Rules) -> Any:
    look_at_world = look_part(rules)

    @kernel
    def look(state, observation, descriptor, inside, entered):  # type: ignore[no-untyped-def]
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < state.shape[0]:
            look_at_world(n, state, observation, descriptor, inside, entered)

    return look


@lru_cache
def _tell_kernel(function: Callable[..., Any]) -> Any:
    @kernel
    def tell(state, out):  # type: ignore[no-untyped-def]
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < state.shape[0]:
            out[n] = function(state[n])

    return tell


class _Launched:
    """A kernel that is run as the compiled loop it stands for."""

    def __init__(self, made: Any, device: torch.device) -> None:
        self.made, self.device = made, device

    def run(self, rows: Any, *more: Any) -> None:
        """One thread for each row."""
        given = [shared([value])[0] if isinstance(value, Tensor) else value for value in (rows, *more)]
        launch(self.made, rows.shape[0], self.device, *given)


class CudaControlWorlds(ControlWorlds):
    """`ControlWorlds` on a CUDA device: the arrays are tensors there, shared with the kernels.

    Kernels run on PyTorch's current stream. Nothing is read back. There is no caption, hash or picture.

    Args:
        arguments: Those of `ControlWorlds`, as the options.
        device: Where they are, as `potentia.compiling.kernels.usable` says.
        options: ``parallel`` changes nothing.
    """

    def __init__(self, *arguments: Any, device: torch.device, **options: Any) -> None:
        self.device = device
        super().__init__(*arguments, **options)
        self.keys = tuple(key for key in self.keys if key not in ("state_hash", "caption", "image"))
        bounds = self.rules.action_low, self.rules.action_high
        self._low, self._high = (on_device(np.array(bound), device) for bound in bounds)

    def _zeros(self, *shape: int, dtype: Any = np.float64) -> Tensor:
        return on_device(super()._zeros(*shape, dtype=dtype), self.device)

    def _copy(self, array: Tensor) -> Tensor:
        return array.clone()

    def _link(self) -> None:
        super()._link()
        state, draws, *rest = self._rows
        self._rows = (*shared([state]), *shared([draws], [np.zeros(0, np.uint64)]), *shared(rest))
        self._begin, self._step = self._launched(_begin_kernel(self.rules)), self._launched(_step_kernel(self.rules))

    def _launched(self, made: Any) -> Any:
        return _Launched(made, self.device)

    def _tell(self, key: str) -> Any:
        return self._launched(_tell_kernel(getattr(self.rules, key)))

    def _look(self) -> Any:
        return self._launched(_look_kernel(self.rules))

    def seed_all(self, seeds: list[int | None], mask: Tensor) -> None:
        """Seeds world n of a mask as ``env.reset(seed=seed)`` seeds a Gymnasium environment with the n-th."""
        drawn = np.zeros((self.num_envs, 1), np.uint64)
        for row, seed in zip(drawn, seeds, strict=True):
            seed_row(row, seed)
        self.draws.copy_(torch.where(mask[:, None], on_device(drawn, self.device), self.draws))

    def rows(self, actions: Any) -> Tensor:
        """Actions as `ControlWorlds.rows`. Numbers are not looked at, since that would wait for the device.

        Raises:
            ValueError: If their shape is another.
        """
        rules = self.rules
        rows = torch.as_tensor(actions, device=self.device)
        wanted = (self.num_envs,) if rules.discrete else (self.num_envs, len(rules.actions))
        if rows.shape != wanted:
            raise ValueError(f"actions of {rules.name} must have shape {wanted}, got {tuple(rows.shape)}")
        rows = rows.double()
        return rows[:, None].contiguous() if rules.discrete else rows.clamp(self._low, self._high).contiguous()


class CudaPolicyWorlds(CudaControlWorlds, PolicyWorlds):
    """`PolicyWorlds` on a CUDA device: one thread plays the episode of one policy.

    Args:
        arguments: Those of `PolicyWorlds`, as the options.
        device: Where they are, as `potentia.compiling.kernels.usable` says.
        options: ``parallel`` changes nothing.
    """

    def _link(self) -> None:
        super()._link()
        self._step = self._launched(_evaluate_kernel(self.rules, self.network))

    def rows(self, actions: Any) -> Tensor:
        """Genomes ``(N, P)`` as float64. Genes are not looked at, since that would wait for the device.

        Raises:
            ValueError: If their shape is another.
        """
        genomes = torch.as_tensor(actions, device=self.device)
        self._check_shape(tuple(genomes.shape))
        return genomes.double().contiguous()
