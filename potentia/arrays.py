"""Which library an array is of, found quickly: drivers ask at every step of an environment.

PyTorch is imported by whoever makes a tensor. Here it is only looked up, so that arrays of NumPy don't wait for it.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

import array_api_compat
import numpy as np

if TYPE_CHECKING:
    import torch

_NAMESPACES: dict[type, Any] = {}


def array_namespace(array: Any) -> Any:
    """The array-API namespace of an array, remembered for its type."""
    found = _NAMESPACES.get(type(array))
    if found is None:
        found = _NAMESPACES[type(array)] = array_api_compat.array_namespace(array)
    return found


@lru_cache(maxsize=64)
def is_boolean(dtype: Any) -> bool:
    """Whether a dtype of any array library is the boolean one."""
    return "bool" in str(dtype)


def is_tensor(value: Any) -> TypeGuard[torch.Tensor]:
    """Whether a value is a tensor of PyTorch. Where PyTorch was never imported there is none."""
    library = sys.modules.get("torch")
    return library is not None and isinstance(value, library.Tensor)


def host_array(array: Any) -> np.ndarray[Any, Any]:
    """A tensor of any device, or an array, as a NumPy array."""
    if isinstance(array, np.ndarray):
        return array
    return array.detach().cpu().numpy() if is_tensor(array) else np.asarray(array)


def like_column(values: Any, example: Any) -> Any:
    """``T * B`` values as a column ``(T, B)`` of the same kind and device as another."""
    values = values.reshape(tuple(example.shape))
    if isinstance(example, np.ndarray):
        return host_array(values)
    import torch  # noqa: PLC0415 - a tensor is at hand, so it is imported already

    return torch.as_tensor(values, device=example.device)


def on_cpu(device: torch.device | torch.Tensor) -> bool:
    """Whether a device, or a tensor's, is the CPU: there compiled loops can read tensors, and nobody need wait."""
    return (device.device if is_tensor(device) else device).type == "cpu"
