"""From an object back to data."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from potentia.arrays import host_array, is_tensor
from potentia.objects.annotations import signature_of
from potentia.objects.kinds import all_kinds


class Recorded:
    """Remembers the arguments that it was made with, so that `as_data` can write it. Subclasses need no code for it."""

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Keeps the signature of ``__init__`` for whoever inspects a class without one of its own."""
        super().__init_subclass__(**kwargs)
        cls.__signature__ = signature_of(cls)  # type: ignore[attr-defined]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A new object, not initialised yet, that knows the arguments."""
        made = super().__new__(cls)
        made._made_with = (args, kwargs)
        return made


def as_data(value: Any, where: str = "it", leave_out: frozenset[str] = frozenset()) -> Any:
    """An object as data that JSON and YAML can hold: ``{"type": name, argument: value, ...}``.

    What it has learned is not written: `potentia.objects.read` makes a fresh one with the same arguments.

    Args:
        value: A shaper, a schedule, a judge, or numbers, texts, arrays, lists and mappings of such.
        where: What it is called in messages.
        leave_out: Arguments that are not written, because who reads it fills them in.

    Raises:
        ValueError: If a part of it has no form as data, such as a lambda. The message says which part and what to do.
    """
    written: Any
    if value is None or isinstance(value, bool | int | float | str):
        written = value
    elif isinstance(value, np.generic | np.ndarray) or is_tensor(value):
        written = host_array(value).tolist()
    elif isinstance(value, Mapping):
        written = {str(key): as_data(entry, f"{where}.{key}", leave_out) for key, entry in value.items()}
    elif isinstance(value, list | tuple):
        written = [as_data(entry, f"{where}[{index}]", leave_out) for index, entry in enumerate(value)]
    elif inspect.isfunction(value) or inspect.isbuiltin(value):
        written = {"type": "function", "name": _function_name(value, where)}
    elif isinstance(value, Path) or type(value).__module__ == "torch":  # a device
        written = str(value)
    else:
        written = _object_data(value, where, leave_out)
    return written


def _object_data(value: Any, where: str, leave_out: frozenset[str]) -> dict[str, Any]:
    names = [name for kind in all_kinds() if (name := kind.name_of(type(value)))]
    arguments = _arguments(value)
    if not names or arguments is None:
        raise ValueError(
            f"{where} can't be written as data: {type(value).__module__}.{type(value).__qualname__} is not known by "
            "name; offer its class by an entry point, such as the group 'potentia.shapers'"
        )
    kept = {name: entry for name, entry in arguments.items() if name not in leave_out}
    return {"type": names[0]} | {name: as_data(entry, f"{where}.{name}", leave_out) for name, entry in kept.items()}


def _arguments(value: Any) -> dict[str, Any] | None:
    """What an object was made with, by the names of the parameters. It is None if it does not remember."""
    if isinstance(value, Recorded):
        args, kwargs = value._made_with
        signature = signature_of(type(value))
        bound = dict(signature.bind(*args, **kwargs).arguments)
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                bound |= bound.pop(parameter.name, {})
        return bound
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    return None


def _function_name(function: Any, where: str) -> str:
    module, name = function.__module__, function.__qualname__
    if getattr(sys.modules.get(module), name, None) is not function or module == "__main__":
        raise ValueError(
            f"{where} can't be written as data: {module}.{name} is a function that no import finds; define it at the "
            "top of a module of its own, or give a table, a file or the name of an info column"
        )
    return f"{module}:{name}"
