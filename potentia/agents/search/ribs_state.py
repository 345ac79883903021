"""The state of pyribs' objects as plain data: arrays, numbers, texts and the states of generators.

pyribs saves no state of its own but by pickling, and a checkpoint holds nothing that runs code when it is read. So the
attributes of its objects are copied one by one. What can't be data (a module, a type) is what the same settings made.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

_PLAIN = (bool, int, float, str, type(None), np.generic, np.ndarray)


def state_of(thing: Any) -> dict[str, Any]:
    """The state of an object of pyribs, and of those that it holds, each once."""
    return _attributes(thing, set())


def restore(thing: Any, state: Mapping[str, Any]) -> None:
    """Gives an object that was made with the same settings the state of another."""
    for name, part in state.items():
        object.__setattr__(thing, name, _restored(getattr(thing, name), part))


def _attributes(thing: Any, seen: set[int]) -> dict[str, Any]:
    seen.add(id(thing))
    parts = {name: _part(value, seen) for name, value in vars(thing).items()}
    return {name: part for name, part in parts.items() if part is not None}


def _part(value: Any, seen: set[int]) -> dict[str, Any] | None:
    """A value with its kind, or None for what is not saved here."""
    if isinstance(value, np.random.Generator):
        return {"generator": copy.deepcopy(value.bit_generator.state)}
    if _is_ribs(value):
        return None if id(value) in seen else {"object": _attributes(value, seen)}
    if isinstance(value, list | tuple) and any(map(_is_ribs, value)):
        return {"members": [_part(member, seen) for member in value]}
    if isinstance(value, dict) and all(isinstance(part, _PLAIN) or _is_list(part) for part in value.values()):
        return {"value": copy.deepcopy(value)}
    return {"value": copy.deepcopy(value)} if isinstance(value, _PLAIN) or _is_list(value) else None


def _restored(now: Any, part: Mapping[str, Any]) -> Any:
    if "generator" in part:
        now.bit_generator.state = copy.deepcopy(part["generator"])
    elif "object" in part:
        restore(now, part["object"])
    elif "members" in part:
        for member, saved in zip(now, part["members"], strict=True):
            if saved is not None:
                _restored(member, saved)
    else:
        return copy.deepcopy(part["value"])
    return now


def _is_ribs(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "ribs"


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(part, _PLAIN) for part in value)
