"""Kinds of objects that a file can name: shapers, schedules, judges, learners.

They are the library's own and other people's.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

Maker = Callable[..., Any]
"""A class, or a function, that makes an object from keyword arguments."""


@dataclass(frozen=True)
class Kind:
    """Objects that can stand for each other, each under a name of its own.

    Attributes:
        name: What one of them is called in messages, such as ``"shaper"``.
        wants: The annotations of parameters that ask for one: classes, or aliases such as ``Callable[[int], float]``.
        own: The library's own makers by name. A text ``"module:name"`` is imported when it is first asked for.
        group: The group of entry points by which other packages offer more.
        extras: What may stand beside the arguments of every maker: the annotation of its value, and a function that
            makes of the object and this value the object that is meant.
    """

    name: str
    wants: tuple[Any, ...]
    own: Callable[[], Mapping[str, Maker | str]]
    group: str = ""
    extras: Mapping[str, tuple[Any, Callable[[Any, Any], Any]]] = field(default_factory=dict)

    @cached_property
    def _offered(self) -> dict[str, Maker | str | EntryPoint]:
        found: dict[str, Maker | str | EntryPoint] = dict(self.own())
        for point in entry_points(group=self.group) if self.group else ():
            if point.name in found:
                package = point.dist.name if point.dist else point.value
                raise ValueError(
                    f"{package} offers a {self.name} named {point.name!r}, which exists already; rename it there"
                )
            found[point.name] = point
        return found

    @property
    def names(self) -> list[str]:
        """The names of all, in order. None of them is imported for it.

        Raises:
            ValueError: If a package offers a name that exists already.
        """
        return sorted(self._offered)

    def maker(self, name: str) -> Maker:
        """What makes the object of this name.

        Raises:
            ValueError: If there is none of this name, or the package that offers it can't be imported.
        """
        if name not in self._offered:
            raise ValueError(unknown(self.name, name, self._offered))
        found = self._offered[name]
        if isinstance(found, EntryPoint):
            try:
                found = self._offered[name] = found.load()
            except Exception as error:
                raise ValueError(f"the {self.name} {name!r} can't be imported from {found.value}: {error}") from error
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = self._offered[name] = getattr(importlib.import_module(module), attribute)
        return found

    def name_of(self, maker: Maker) -> str | None:
        """The name of a maker, None if it is not one of this kind."""
        return next((name for name in self.names if self._same(name, maker)), None)

    def _same(self, name: str, maker: Maker) -> bool:
        found = self._offered[name]
        if isinstance(found, str | EntryPoint):  # what was never imported can't have been used
            where = found if isinstance(found, str) else found.value
            return where == f"{maker.__module__}:{maker.__qualname__}"
        return found is maker


_KINDS: dict[str, Kind] = {}


def add_kind(kind: Kind) -> Kind:
    """Makes a kind known. It is asked for wherever a parameter is annotated with one of its ``wants``."""
    _KINDS[kind.name] = kind
    return kind


def find_kind(name: str) -> Kind:
    """The kind of this name.

    Raises:
        ValueError: If there is none.
    """
    if name not in _KINDS:
        raise ValueError(unknown("kind of object", name, _KINDS))
    return _KINDS[name]


def all_kinds() -> list[Kind]:
    """Every kind that is known."""
    return list(_KINDS.values())


def unknown(kind: str, got: str, known: Iterable[str]) -> str:
    """``unknown <kind> 'got'; did you mean 'x'? known: x, y, z``. A long list ends after the first names."""
    names = sorted(known)
    lowered = {name.lower(): name for name in names}
    # The cutoff lets transposed letters of short names through: 'RDN' and 'RND' have a ratio of 2/3.
    close = difflib.get_close_matches(got.lower()[:100], lowered, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(lowered[name]) for name in close)}?" if close else ";"
    shown = names if len(names) <= 24 else [*names[:24], f"... ({len(names)} in all)"]
    return f"unknown {kind} {got[:100]!r}{hint} known: {', '.join(shown) or 'none'}"
