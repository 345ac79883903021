"""Which library an array is of, found quickly: drivers ask at every step of an environment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import array_api_compat
import numpy as np
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


def host_array(array: Any) -> np.ndarray[Any, Any]:
    """A tensor of any device, or an array, as a NumPy array."""
    return array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)


def like_column(values: Any, example: Any) -> Any:
    """``T * B`` values as a column ``(T, B)`` of the same kind and device as another."""
    values = values.reshape(tuple(example.shape))
    return host_array(values) if isinstance(example, np.ndarray) else torch.as_tensor(values, device=example.device)


def on_cpu(device: torch.device | torch.Tensor) -> bool:
    """Whether a device, or a tensor's, is the CPU: there compiled loops can read tensors, and nobody need wait."""
    return (device.device if isinstance(device, torch.Tensor) else device).type == "cpu"
