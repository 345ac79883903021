"""Kernels: parts of compiled loops on a CUDA device, on tensors that stay there.

Needs the package ``numba-cuda`` (or, to be stepped through on a CPU, Numba's simulator: ``NUMBA_ENABLE_CUDASIM=1``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numba import cuda

from potentia.compiling.linking import linked

__all__ = ["kernel", "launch", "on_device", "shared", "simulated", "usable"]

_THREADS = 128
_SIGNED = {np.dtype(f"u{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}
"""What stands for the dtypes that PyTorch hardly knows."""
_CONSTANT_BYTES = 1024
"""Larger arrays that a function knows are put into the device's memory: for all constants of a kernel it has 64 KB."""


def simulated() -> bool:
    """Whether kernels run in Numba's simulator, on arrays of the CPU."""
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def kernel(function: Callable[..., Any]) -> Any:
    """A kernel of a function that calls parts of the compiled loops."""
    return cuda.jit(linked(function, put=_table))


def _table(array: np.ndarray[Any, Any]) -> Any:
    """What stands for an array that a function knows."""
    return array if array.nbytes <= _CONSTANT_BYTES or simulated() else cuda.to_device(array)


def launch(made: Any, threads: int, device: torch.device, *arguments: Any) -> None:
    """Runs a kernel in so many threads, on PyTorch's current stream."""
    if simulated():
        made[1, threads](*arguments)
        return
    stream = cuda.external_stream(torch.cuda.current_stream(device).cuda_stream)
    made[(threads + _THREADS - 1) // _THREADS, _THREADS, stream](*arguments)


def shared(tensors: Sequence[torch.Tensor], like: Sequence[Any] | None = None) -> tuple[Any, ...]:
    """Tensors as the kernels take them, without a copy. Their dtypes are those of the arrays ``like``."""
    if simulated():
        arrays = [tensor.numpy() for tensor in tensors]
    else:
        arrays = [cuda.as_cuda_array(tensor) for tensor in tensors]
    if like is None:
        return tuple(arrays)
    pairs = zip(arrays, like, strict=False)
    return tuple(array if array.dtype == other.dtype else array.view(other.dtype) for array, other in pairs)


def on_device(array: np.ndarray[Any, Any], device: torch.device) -> torch.Tensor:
    """A copy of an array on a device. Unsigned numbers become signed ones of the same bits."""
    signed = _SIGNED.get(array.dtype)
    return torch.from_numpy(array.view(signed) if signed else array).to(device, copy=True)


def usable(device: torch.device | str, instead: str) -> torch.device:
    """The device on which kernels run; in the simulator, the CPU.

    Args:
        device: The one wanted.
        instead: What to use where there is none, in words.

    Raises:
        RuntimeError: If Numba can't use the device, as without the package ``numba-cuda``.
        ValueError: If it is none of CUDA's.
    """
    if simulated():
        return torch.device("cpu")
    if torch.device(device).type != "cuda":
        raise ValueError(
            f"device must be a CUDA device (or set NUMBA_ENABLE_CUDASIM=1) or leave it out for {instead}, "
            f"got {str(device)!r}"
        )
    if not cuda.is_available():
        raise RuntimeError(
            f"Numba finds no CUDA device that it can compile for: pip install 'potentia[cuda]', or use {instead}"
        )
    return torch.device(device)
