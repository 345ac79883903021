"""Annotations in words, and their parts."""

from __future__ import annotations

import inspect
import os
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: "a text",
    type(None): "nothing (null)",
    Path: "the path of a file",
    os.PathLike: "the path of a file",
    Any: "a finite number, a text, a list or a mapping",
}


def parameters(maker: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a class or function, annotated with types rather than texts. It is `Any` where that fails."""
    hints = _hints(maker)
    return {
        name: parameter.replace(annotation=hints.get(name, Any))
        for name, parameter in signature_of(maker).parameters.items()
    }


def signature_of(maker: Callable[..., Any]) -> inspect.Signature:
    """How a class or function is called. A class is called by its ``__init__``, whatever its ``__new__`` accepts."""
    if not inspect.isclass(maker) or maker.__init__ is object.__init__:
        return inspect.signature(maker)
    signature = inspect.signature(maker.__init__)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _hints(maker: Callable[..., Any]) -> dict[str, Any]:
    try:
        if not inspect.isclass(maker):
            return typing.get_type_hints(maker)
        # The fields of a dataclass are annotated in the modules of the classes that declare them.
        return typing.get_type_hints(maker if is_dataclass(maker) else maker.__init__)
    except Exception:  # a name that is imported for type checkers only
        return {}


def members(annotation: Any) -> list[Any]:
    """The alternatives of an annotation: those of a union, else itself."""
    if hasattr(annotation, "__supertype__"):  # a NewType
        return members(annotation.__supertype__)
    if annotation in (inspect.Parameter.empty, object) or isinstance(annotation, typing.TypeVar):
        return [Any]
    origin = typing.get_origin(annotation)
    if origin in (typing.Annotated, typing.ClassVar, typing.Final):
        return members(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [member for part in typing.get_args(annotation) for member in members(part)]
    return [annotation]


def in_words(annotation: Any) -> str:
    """What may stand where something is annotated so: ``"a whole number or nothing (null)"``."""
    words = dict.fromkeys(_one_in_words(member) for member in members(annotation))
    return " or ".join(words)


def _one_in_words(member: Any) -> str:
    origin, arguments = typing.get_origin(member) or member, typing.get_args(member)
    if origin in _WORDS:
        words = _WORDS[origin]
    elif origin is typing.Literal:
        words = " or ".join(map(repr, arguments))
    elif is_mapping(origin):
        words = f"a mapping to {in_words(arguments[1])}" if len(arguments) == 2 else "a mapping"
    elif origin is tuple and arguments and arguments[-1] is not Ellipsis:
        words = f"a list of {len(arguments)}: {', '.join(map(in_words, arguments))}"
    elif origin is np.ndarray:
        words = "a list of numbers"
    elif is_sequence(origin):
        words = f"a list, each {in_words(arguments[0])}" if arguments else "a list"
    else:
        name = getattr(origin, "__name__", str(origin)).lower()
        words = f"an object {{type: ...}} ({'function' if origin is Callable else name})"
    return words


def is_sequence(origin: Any) -> bool:
    """Whether a list of data can stand for it."""
    return inspect.isclass(origin) and (
        issubclass(origin, list | tuple | set | frozenset) or origin in (Sequence, Iterable)
    )


def is_mapping(origin: Any) -> bool:
    """Whether a mapping of data can stand for it."""
    return inspect.isclass(origin) and issubclass(origin, Mapping)
