"""The reference of all fields of a study file, made from the specification itself."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from potentia.study.spec import Collecting, StudySpec

_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false", dict: "mapping", Any: "anything"}


def reference() -> str:
    """A Markdown table of every field: its path, its type, its default, and what it means."""
    rows = ["| field | type | default | what |", "|---|---|---|---|"]
    return "\n".join(rows + _rows(StudySpec, ""))


def _rows(model: type[BaseModel], prefix: str) -> list[str]:
    meanings = attributes(model)
    rows = []
    for name, field in model.model_fields.items():
        inner, listed = _section(field.annotation)
        kind = _in_words(field.annotation) + _limits(field)
        default = ""
        if field.is_required():
            default = "**required**"
        elif listed or inner is None:
            default = f"`{_shown(field.default)}`"
        rows.append(f"| `{prefix}{name}` | {kind} | {default} | {meanings[name]} |")
        if inner is not None:
            rows += _rows(inner, f"{prefix}{name}{'[]' if listed else ''}.")
        if name == "config":
            rows += _settings(f"{prefix}{name}.")
    return rows


def _settings(prefix: str) -> list[str]:
    """The settings that every learner has."""
    meanings = attributes(Collecting)
    kinds = typing.get_type_hints(Collecting)
    return [
        f"| `{prefix}{name}` | {_in_words(kinds[name])} | `{_shown(getattr(Collecting, name))}` | {meaning} |"
        for name, meaning in meanings.items()
    ]


def attributes(cls: type) -> dict[str, str]:
    """What the section ``Attributes`` of a docstring says of each field, on one line."""
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    for line in section.partition("\n\n")[0].splitlines():
        if start := re.match(r"    (\w+): (.*)", line):
            name = start[1]
            found[name] = start[2]
        elif found:
            found[name] += " " + line.strip()
    return {name: text.replace("``", "`").replace("|", "\\|") for name, text in found.items()}


def _section(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that a field holds, if it does, and whether it holds a list of them."""
    listed = typing.get_origin(annotation) is list
    inner = typing.get_args(annotation)[0] if listed else annotation
    return (inner, listed) if inspect.isclass(inner) and issubclass(inner, BaseModel) else (None, False)


def _in_words(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _in_words(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_in_words(part) for part in arguments if part is not types.NoneType)
    if origin is list:
        return f"list, each a {_in_words(arguments[0])}"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "mapping"
    return _WORDS.get(origin or annotation, str(annotation))


def _limits(field: FieldInfo) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤"}
    bounds = [
        f"{sign} {getattr(part, name):,}"
        for part in field.metadata
        for name, sign in signs.items()
        if hasattr(part, name)
    ]
    return f", {', '.join(bounds)}" if bounds else ""


def _shown(default: Any) -> str:
    models = isinstance(default, list) and default and isinstance(default[0], BaseModel)
    return json.dumps([model.model_dump(exclude_defaults=True) for model in default] if models else default)
