"""From data to objects: what a file says is checked against the annotations of what it names, then made."""

from __future__ import annotations

import inspect
import math
import os
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from potentia.objects.annotations import in_words, is_mapping, is_sequence, members, parameters
from potentia.objects.kinds import Kind, Maker, all_kinds, unknown

FILLED_IN = ("observation_space", "action_space", "device", "seed")
"""Arguments that whoever makes an object may supply, where its maker asks for them by name and the data is silent."""

Recipe = Callable[[Mapping[str, Any]], Any]
"""From what is filled in, see `FILLED_IN`, to the object."""


_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


@contextmanager
def paths_from(folder: str | Path | None) -> Iterator[None]:
    """Within this, relative paths in data begin at ``folder``. None stands for the working directory."""
    before = _folder.set(None if folder is None else Path(folder))
    try:
        yield
    finally:
        _folder.reset(before)


class ObjectError(ValueError):
    """An object that refused its arguments. The message begins with the path of the field."""


def read(value: Any, annotation: Any, where: str, problems: list[str]) -> Recipe:
    """Checks data against an annotation, however deep objects are nested in it, and returns how to make the object.

    ``{type: name, argument: value, ...}`` is an object of a kind that the annotation asks for, see `Kind`.

    Args:
        value: Numbers, texts, lists and mappings.
        annotation: What is wanted, as a type.
        where: The path of the field, for messages.
        problems: Gets a line for each thing that is wrong. If it gets none, the recipe can be used.

    Returns:
        The recipe. It raises `ObjectError` if a constructor refuses what it is given.
    """
    alternatives = members(annotation)
    if isinstance(value, dict) and ("type" in value or _old_form(value)):
        return _read_object(value, alternatives, where, problems)
    if isinstance(value, str) and str in alternatives and Path in alternatives:  # a file that may be made yet
        place = (_folder.get() or Path.cwd()) / Path(value).expanduser()
        return lambda given: place
    if isinstance(value, str) and any((typing.get_origin(one) or one) is os.PathLike for one in alternatives):
        return _read_path(value, where, problems)
    trials: list[list[str]] = []
    for alternative in alternatives:
        found: list[str] = []
        recipe = _read_plain(value, alternative, where, found)
        if recipe is not None:
            if not found:
                return recipe
            trials.append(found)
    if trials:
        problems += trials[0]
    elif isinstance(value, dict) and _wanted(alternatives):
        problems.append(f"{where}.type: this field is required, an object is {{type: name, ...}}; got {_shown(value)}")
    else:
        problems.append(f"{where}: must be {in_words(annotation)}, got {_shown(value)}")
    return lambda given: value


def read_fields(
    values: Mapping[str, Any], cls: type, where: str, problems: list[str], also_known: Iterable[str] = ()
) -> Recipe:
    """As `read`, for the fields of a dataclass under their names.

    Args:
        values: By field. The class may have ``renamed``: what to write for a field by another name.
        cls: The dataclass.
        where: The path of the mapping.
        problems: See `read`.
        also_known: Names that may stand beside the fields, for messages.
    """
    known = parameters(cls)
    recipes: dict[str, Recipe] = {}
    renamed: Mapping[str, str] = getattr(cls, "renamed", {})
    for name, value in values.items():
        if name in known:
            recipes[name] = read(value, known[name].annotation, f"{where}.{name}", problems)
        elif name in renamed:
            problems.append(f"{where}.{name}: write {renamed[name]}")
        else:
            problems.append(f"{where}.{name}: {unknown('setting', str(name), [*known, *also_known])}")
    needed = [name for name, parameter in known.items() if parameter.default is parameter.empty]
    problems += [f"{where}.{name}: this setting is required" for name in needed if name not in values]
    return lambda given: _make(cls, {name: recipe(given) for name, recipe in recipes.items()}, where)


def _read_plain(value: Any, annotation: Any, where: str, problems: list[str]) -> Recipe | None:
    """The recipe if the value has the form of one alternative, with what is wrong inside it, else None."""
    origin, arguments = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if isinstance(value, dict):
        return _read_mapping(value, origin, arguments, where, problems)
    if isinstance(value, list):
        if origin in (Any, np.ndarray):
            return _read_list(value, list, (Any if origin is Any else float | np.ndarray,), where, problems)
        return _read_list(value, origin, arguments, where, problems) if is_sequence(origin) else None
    if origin is Path and isinstance(value, str):
        return _read_path(value, where, problems)
    if origin is typing.Literal:
        fits = any(value == one and type(value) is type(one) for one in arguments)
    else:
        fits = any(_is_one(value, kind) for kind in ((float, str, bool, type(None)) if origin is Any else (origin,)))
    return _as_it_is(value) if fits else None


def _read_mapping(
    value: dict[str, Any], origin: Any, arguments: tuple[Any, ...], where: str, problems: list[str]
) -> Recipe | None:
    if inspect.isclass(origin) and is_dataclass(origin):
        return read_fields(value, origin, where, problems)
    if origin is not Any and not is_mapping(origin):
        return None
    of = arguments[1] if len(arguments) == 2 else Any
    entries = {key: read(entry, of, f"{where}.{key}", problems) for key, entry in value.items()}
    return lambda given: {key: entry(given) for key, entry in entries.items()}


def _read_list(value: list[Any], origin: Any, arguments: tuple[Any, ...], where: str, problems: list[str]) -> Recipe:
    fixed = issubclass(origin, tuple) and arguments and arguments[-1] is not Ellipsis
    if fixed and len(value) != len(arguments):
        problems.append(f"{where}: must be a list of {len(arguments)}, got {len(value)}: {_shown(value)}")
        return lambda given: value
    wanted = arguments if fixed else (arguments[:1] or (Any,)) * len(value)
    entries = [
        read(entry, of, f"{where}[{index}]", problems)
        for index, (entry, of) in enumerate(zip(value, wanted, strict=True))
    ]
    make = origin if issubclass(origin, tuple | set | frozenset) else list
    return lambda given: make(entry(given) for entry in entries)


def _read_path(value: str, where: str, problems: list[str]) -> Recipe:
    folder = _folder.get() or Path.cwd()
    path = folder / Path(value).expanduser()
    if not path.is_file():
        problems.append(f"{where}: there is no file {value!r} (from {folder})")
    return lambda given: path


def _read_object(value: dict[str, Any], alternatives: list[Any], where: str, problems: list[str]) -> Recipe:
    kinds = _wanted(alternatives)
    found = _find_maker(value, kinds, alternatives, where, problems)
    if found is None:
        return lambda given: value
    kind, maker = found
    known = parameters(maker)
    extras = {name: extra for name, extra in kind.extras.items() if name not in known}
    everything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    named = {name: known[name] for name in known if known[name].kind is not inspect.Parameter.VAR_KEYWORD}
    recipes: dict[str, Recipe] = {}
    beside: dict[str, Recipe] = {}
    for name, entry in value.items():
        path = f"{where}.{name}"
        if name in named:
            recipes[name] = read(entry, _annotation(named[name]), path, problems)
        elif name in extras:
            beside[name] = read(entry, extras[name][0], path, problems)
        elif name != "type" and everything:
            recipes[name] = read(entry, Any, path, problems)
        elif name != "type":
            listed = [key for key in [*named, *extras] if key not in FILLED_IN[:2]]
            problems.append(f"{path}: {unknown('argument', str(name), listed)}")
    for name, parameter in named.items():
        required = parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL
        if required and name not in value and name not in FILLED_IN:
            problems.append(f"{where}.{name}: {value['type']} requires this argument")

    def make(given: Mapping[str, Any]) -> Any:
        filled = {name: given[name] for name in FILLED_IN if name in named and name in given}
        made = _make(maker, filled | {name: recipe(given) for name, recipe in recipes.items()}, where, named)
        for name, recipe in beside.items():
            made = _make(extras[name][1], {}, where, {}, (made, recipe(given)))
        return made

    return make


def _find_maker(
    value: dict[str, Any], kinds: list[Kind], alternatives: list[Any], where: str, problems: list[str]
) -> tuple[Kind, Maker] | None:
    """The kind and the maker that ``type`` names, among those that may stand here."""
    if old := _old_form(value):
        problems.append(f"{where}: write {{type: {value[old]}, ...}} instead of {{{old}: {value[old]}, ...}}")
        return None
    if not kinds:
        wanted = " or ".join(map(in_words, alternatives))
        problems.append(f"{where}: must be {wanted}, got the object {_shown(value)}")
        return None
    name, label = value["type"], " or ".join(kind.name for kind in kinds)
    try:
        for kind in kinds:
            if name in kind.names:
                maker = kind.maker(name)
                if _fits(maker, kind, alternatives):
                    return kind, maker
        listed = [known for kind in kinds for known in kind.names if _fits_unless_all(known, kind, alternatives)]
    except ValueError as error:
        problems.append(f"{where}.type: {error}")
        return None
    problems.append(f"{where}.type: {unknown(label, str(name), listed)}")
    return None


def _fits_unless_all(name: str, kind: Kind, alternatives: list[Any]) -> bool:
    """As `_fits`. Nothing is imported where every object of the kind fits anyway."""
    return not _narrow(kind, alternatives) or _fits(kind.maker(name), kind, alternatives)


def _fits(maker: Maker, kind: Kind, alternatives: list[Any]) -> bool:
    """Whether what is made may stand here: an annotation may ask for some classes of a kind only."""
    narrow = _narrow(kind, alternatives)
    return not narrow or not inspect.isclass(maker) or issubclass(maker, narrow)


def _narrow(kind: Kind, alternatives: list[Any]) -> tuple[type, ...]:
    """The classes that are asked for, if not all of the kind are."""
    if any(one is Any or one in kind.wants for one in alternatives):
        return ()
    return tuple(one for one in alternatives if _is_below(one, kind))


def _is_below(one: Any, kind: Kind) -> bool:
    """Whether it is one of the classes that a kind stands for, or derives from one."""
    return inspect.isclass(one) and any(want in one.__mro__ for want in kind.wants)


def _wanted(alternatives: list[Any]) -> list[Kind]:
    """The kinds of which an object may stand where something is annotated so."""
    found = []
    for kind in all_kinds():
        for one in alternatives:
            some = one is Any or one in kind.wants or typing.get_origin(one) in kind.wants
            some = some or (Callable in kind.wants and getattr(one, "_is_protocol", False) and callable(one))
            if some or _is_below(one, kind):
                found.append(kind)
                break
    return found


def _make(
    maker: Maker,
    arguments: dict[str, Any],
    where: str,
    known: Mapping[str, inspect.Parameter] | None = None,
    first: tuple[Any, ...] = (),
) -> Any:
    for name, parameter in (known or {}).items():
        if parameter.kind is parameter.VAR_POSITIONAL and name in arguments:
            first = tuple(arguments.pop(name))
    try:
        return maker(*first, **arguments)
    except ObjectError:
        raise
    except Exception as error:
        # A refusal names the argument. What fails further inside, for want of memory perhaps, does not.
        refused = isinstance(error, TypeError | ValueError)
        text = "" if refused else f", made with {_shown(arguments)}"
        raise ObjectError(f"{where}: {type(error).__name__}: {error}{text}") from error


def _annotation(parameter: inspect.Parameter) -> Any:
    """A maker of ``*parts`` is given a list of them."""
    variadic = parameter.kind is parameter.VAR_POSITIONAL
    return list[parameter.annotation] if variadic else parameter.annotation  # type: ignore[name-defined]


def _old_form(value: dict[str, Any]) -> str:
    """The key of ``{schedule: linear, ...}`` and the like, which is ``type``."""
    names = {kind.name for kind in all_kinds()} if "type" not in value else set()
    first = next(iter(value), "")
    return first if first in names and isinstance(value[first], str) else ""


def _as_it_is(value: Any) -> Recipe:
    return lambda given: value


def _is_one(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return kind in (str, bool, type(None)) and isinstance(value, kind)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
