"""Which library an array is of, found quickly: drivers ask at every step of an environment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import array_api_compat

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
