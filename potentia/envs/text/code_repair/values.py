"""Values as texts. This module imports nothing: the warden uses it in an interpreter of its own."""

from __future__ import annotations

__all__ = ["written"]


def written(value: object) -> str:
    """A value as Python writes it, with dictionaries and sets in order, so that equal values have equal texts.

    Of another class than the built-in ones only the name is written.

    >>> written([(1,), {"b": 2.5, "a": None}, {3, 1}])
    "[(1,), {'a': None, 'b': 2.5}, {1, 3}]"
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes):
        return repr(value)
    if isinstance(value, list | tuple | set | frozenset) and kind in (list, tuple, set, frozenset):
        parts = [written(item) for item in value]
        if kind is list:
            return f"[{', '.join(parts)}]"
        if kind is tuple:
            return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
        return f"{{{', '.join(sorted(parts))}}}" if parts else "set()"
    if isinstance(value, dict) and kind is dict:
        return f"{{{', '.join(sorted(f'{written(key)}: {written(item)}' for key, item in value.items()))}}}"
    return f"<{kind.__name__}>"
