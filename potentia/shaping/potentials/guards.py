"""Conditions on a step, as text: events and columns of info, compared, negated and joined."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import host_array
from potentia.rollout import Rollout
from potentia.shaping.columns import info_column

Bools = NDArray[np.bool_]
Guard = Callable[[Mapping[str, Bools]], Bools]
"""From what each atom is, to whether the condition holds, all of one shape."""

_TOKEN = re.compile(r"\s*(?:(?P<atom>[A-Za-z_]\w*(?:\s*(?:<=|>=|==|!=|<|>)\s*-?\d+(?:\.\d+)?)?)|(?P<sign>->|[&|!()]))")
_COMPARISON = re.compile(r"(\w+)\s*(<=|>=|==|!=|<|>)\s*(\S+)")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt
}  # fmt: skip
EVENTS = "subgoals"


class GuardError(ValueError):
    """A condition that can't be read. The message shows where."""


@dataclass(frozen=True)
class Token:
    """A word of a condition and where it begins."""

    text: str
    place: int


def tokens(text: str) -> list[Token]:
    """The words of a condition: atoms, and the signs ``! & | -> ( )``.

    Raises:
        GuardError: If a part is none of these.
    """
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise wrong(text, place, "wanted a name, a comparison such as 'distance <= 3', or one of ! & | -> ( )")
        atom = match["atom"]
        found.append(Token("".join(atom.split()) if atom else match["sign"], match.end() - len(match[0].lstrip())))
        place = match.end()
    return found


def wrong(text: str, place: int, message: str) -> GuardError:
    """The error that points at a place of a text."""
    return GuardError(f"{message}\n    {text}\n    {' ' * place}^")


class Parser:
    """Reads conditions. ``!`` binds closest, then ``&``, then ``|``, then ``->``.

    Args:
        text: The condition.

    Attributes:
        atoms: The atoms met, in order.
    """

    def __init__(self, text: str) -> None:
        self.text, self._tokens, self._next = text, tokens(text), 0
        self.atoms: dict[str, None] = {}

    def whole(self) -> Guard:
        """The condition. Raises `GuardError` if it is none, or goes on."""
        guard = self._joined(0)
        if self._next < len(self._tokens):
            raise self._wrong("the condition should end here")
        return guard

    def _peek(self) -> str:
        return self._tokens[self._next].text if self._next < len(self._tokens) else ""

    def _wrong(self, message: str) -> GuardError:
        here = self._tokens[self._next].place if self._next < len(self._tokens) else len(self.text)
        return wrong(self.text, here, message)

    def _joined(self, level: int) -> Guard:
        sign = ("->", "|", "&", "")[level]
        if not sign:
            return self._single()
        left = self._joined(level + 1)
        while self._peek() == sign:
            self._next += 1
            right = self._joined(level if sign == "->" else level + 1)
            left = _join(sign, left, right)
        return left

    def _single(self) -> Guard:
        word = self._peek()
        if word == "!":
            self._next += 1
            inner = self._single()
            return lambda now: ~inner(now)
        if word == "(":
            self._next += 1
            inner = self._joined(0)
            if self._peek() != ")":
                raise self._wrong("wanted ')'")
            self._next += 1
            return inner
        if not word or not (word[0].isalpha() or word[0] == "_"):
            raise self._wrong("wanted a name, '!' or '('")
        self._next += 1
        if word in ("true", "false"):
            return lambda now: np.array(word == "true")
        self.atoms.setdefault(word)
        return lambda now: now[word]


def _join(sign: str, left: Guard, right: Guard) -> Guard:
    if sign == "&":
        return lambda now: left(now) & right(now)
    if sign == "|":
        return lambda now: left(now) | right(now)
    return lambda now: ~left(now) | right(now)


def columns_of(atoms: Iterator[str] | list[str], events: frozenset[str]) -> frozenset[str]:
    """The info columns that atoms are read from: a column each, and one for all events."""
    names = {atom if (match := _COMPARISON.fullmatch(atom)) is None else match[1] for atom in atoms}
    return frozenset(f"next_{EVENTS}" if name in events else f"next_{name}" for name in names)


def values_of(atom: str, rollout: Rollout, events: frozenset[str], reader: str) -> Bools:
    """Whether an atom holds after each step, ``(T, B)``.

    Raises:
        ValueError: If the rollout lacks it, or a name without comparison is no truth value.
    """
    match = _COMPARISON.fullmatch(atom)
    name = atom if match is None else match[1]
    if name in events:
        happened = info_column(rollout, f"next_{EVENTS}", reader)
        if not isinstance(happened, dict) or name not in happened:
            had = sorted(happened) if isinstance(happened, dict) else type(happened).__name__
            raise ValueError(f"{reader} asks for the event {name!r}, but the world's events are {had}")
        return np.asarray(host_array(happened[name]), np.bool_)
    column = host_array(info_column(rollout, f"next_{name}", reader))
    if match is not None:
        return np.asarray(_COMPARE[match[2]](column, float(match[3])), np.bool_)
    if column.dtype != np.bool_:
        raise ValueError(
            f"{reader} asks whether {name!r} holds, but that column has dtype {column.dtype}; compare it with a "
            f"number, as in '{name} <= 0'"
        )
    return np.asarray(column, np.bool_)
