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
    """An array of any library and device as a NumPy array."""
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def on_cpu(device: torch.device | torch.Tensor) -> bool:
    """Whether a device, or a tensor's, is the CPU: there compiled loops can read tensors, and nobody need wait."""
    return (device.device if isinstance(device, torch.Tensor) else device).type == "cpu"
