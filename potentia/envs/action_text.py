"""Actions as text: one call ``name(3, "text", 0.5)``, read strictly and without running anything."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

Argument = int | float | str
"""What a call may be given: a finite number or a text."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 80


@dataclass(frozen=True)
class ActionCall:
    """``name(*arguments)``: what an agent asks for.

    Attributes:
        name: Small letters, digits and underscores. A letter comes first.
        arguments: Numbers (finite, within a float's range, no booleans) and texts (no lone surrogates, which UTF-8
            can't hold).

    Raises:
        ValueError: If the name or an argument is none of these.
    """

    name: str
    arguments: tuple[Argument, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"an action's name must be small letters, digits and _, as 'click_at', got {self.name!r}")
        for argument in self.arguments:
            _check(argument)


def parse_action(text: str) -> ActionCall:
    r"""Reads one call. The function `format_action` writes it.

    Texts are JSON strings: double quotes, and the escapes of JSON. Spaces around names, arguments and commas don't
    matter. It takes time linear in the length of the text, whatever a model wrote.

    Args:
        text: Such as ``click(3)``, ``fill(3, "a \"word\"")`` or ``back()``.

    Raises:
        ValueError: If it is anything else: another language, two calls, keywords, nested calls, single quotes.

    >>> parse_action('fill(3, "red shoes")')
    ActionCall(name='fill', arguments=(3, 'red shoes'))
    """
    source = text.strip()
    name = _NAME.match(source)
    if name is None:
        _fail(text, "it does not start with a name")
    at = _skip(source, name.end())
    if source[at : at + 1] != "(":
        _fail(text, f"'(' must follow the name {_short(name[0])!r}")
    arguments: list[Argument] = []
    at = _skip(source, at + 1)
    while source[at : at + 1] != ")":
        if arguments:
            if source[at : at + 1] != ",":
                _fail(text, f"',' or ')' must follow argument {len(arguments)}")
            at = _skip(source, at + 1)
        argument, at = _argument(text, source, at)
        arguments.append(argument)
        at = _skip(source, at)
    if at + 1 != len(source):
        _fail(text, "something follows the call; one action at a time")
    return ActionCall(name[0], tuple(arguments))


def format_action(call: ActionCall) -> str:
    r"""The text that `parse_action` reads as this call.

    >>> format_action(ActionCall("fill", (3, 'say "yes"')))
    'fill(3, "say \\"yes\\"")'
    """
    return f"{call.name}({', '.join(json.dumps(argument, ensure_ascii=False) for argument in call.arguments)})"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not finite")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def _argument(text: str, source: str, at: int) -> tuple[Argument, int]:
    # Only numbers and strings reach the decoder: a thousand brackets would overflow its stack.
    if source[at : at + 1] not in set('"-0123456789'):
        _fail(text, f"an argument must be a number or a text in double quotes, not {source[at : at + 12]!r}")
    try:
        argument, at = _JSON.raw_decode(source, at)
        _check(argument)
    except ValueError as error:
        _fail(text, str(error))
    return argument, at


def _check(argument: Any) -> None:
    if isinstance(argument, bool) or not isinstance(argument, int | float | str):
        raise ValueError(
            f"an action's arguments must be int, float or str, got {type(argument).__name__}: {argument!r}"
        )
    if not isinstance(argument, str) and not abs(argument) <= sys.float_info.max:
        raise ValueError(f"an action's numbers must be finite and no larger than a float, got {_short(repr(argument))}")
    if isinstance(argument, str) and _SURROGATE.search(argument):
        raise ValueError(f"an action's text must be valid Unicode, got a lone surrogate in {_short(argument)!r}")


def _skip(source: str, at: int) -> int:
    while source[at : at + 1] == " ":
        at += 1
    return at


def _fail(text: str, why: str) -> NoReturn:
    raise ValueError(f'an action must be one call such as click(3) or fill(3, "text"), got {_short(text)!r}: {why}')


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
