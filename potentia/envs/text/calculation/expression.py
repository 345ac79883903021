"""Expressions of whole numbers, fractions, squares and cubes: drawn, shown, reduced and valued exactly.

An expression is a tuple of tokens in postfix order: numbers as they are written, and signs. ``("3", "1/2", "+")`` is
3 + 1/2. Nothing here recurses, so that expressions may be long.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import product

import numpy as np

from potentia.envs.text.calculation.answers import written
from potentia.envs.text.game import text_hash

__all__ = ["SIGNS", "Expression", "alternatives", "draw", "reduced", "reductions", "shown", "value"]

Expression = tuple[str, ...]

SIGNS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}

_LARGEST = 100
_TRIES = 20


def draw(rng: np.random.Generator, steps: int) -> Expression:
    """An expression of so many operations, in a random shape.

    Each number is one of 0 to 100, a fraction of two of them, or the square or cube of one. Nothing is divided by 0.

    Args:
        rng: Decides.
        steps: The number of operations.
    """
    parts = [(leaf,) for leaf in _leaves(rng, steps + 1)]
    values = [_number(leaf) for (leaf,) in parts]
    blocks: list[Expression] = list(parts)
    while len(blocks) > 1:
        place = int(rng.integers(len(blocks) - 1))
        signs = list(SIGNS) if values[place + 1] else [sign for sign in SIGNS if sign != "/"]
        sign = signs[int(rng.integers(len(signs)))]
        blocks[place : place + 2] = [(*blocks[place], *blocks[place + 1], sign)]
        values[place : place + 2] = [SIGNS[sign](values[place], values[place + 1])]
    return blocks[0]


def _leaves(rng: np.random.Generator, count: int) -> list[str]:
    kinds = rng.integers(4, size=count)
    first = rng.integers(_LARGEST + 1, size=count)
    second = rng.integers(1, _LARGEST + 1, size=count)
    return [_leaf(int(kind), int(a), int(b)) for kind, a, b in zip(kinds, first, second, strict=True)]


def _leaf(kind: int, a: int, b: int) -> str:
    return (str(a), f"{a}/{b}", f"{a}^2", f"{a}^3")[kind]


@functools.lru_cache(100_000)
def _number(leaf: str) -> Fraction:
    base, _, power = leaf.partition("^")
    return Fraction(base) ** int(power or 1)


def value(expression: Expression) -> Fraction:
    """The exact value.

    Raises:
        ZeroDivisionError: If something is divided by 0.

    >>> value(("3", "1/2", "+", "2^3", "*"))
    Fraction(28, 1)
    """
    stack: list[Fraction] = []
    for token in expression:
        if token in SIGNS:
            right = stack.pop()
            stack[-1] = SIGNS[token](stack[-1], right)
        else:
            stack.append(_number(token))
    return stack[0]


def shown(expression: Expression) -> str:
    """An expression in the usual order, with parentheses around all that is no plain number.

    >>> shown(("3", "1/2", "+", "2^3", "*"))
    '(3 + (1/2)) * (2^3)'
    """
    stack: list[str] = []
    for token in expression:
        if token in SIGNS:
            right = stack.pop()
            stack[-1] = f"{_closed(stack[-1])} {token} {_closed(right)}"
        else:
            stack.append(token)
    return stack[0]


def _closed(text: str) -> str:
    return text if text.isdigit() else f"({text})"


def reductions(expression: Expression) -> dict[str, int]:
    """The operations on two numbers, as they are shown, and the place of the first sign of each, from left to right.

    >>> reductions(("3", "1/2", "+", "2^3", "4", "-", "*"))
    {'3 + (1/2)': 2, '(2^3) - 4': 5}
    """
    found: dict[str, int] = {}
    for place in range(2, len(expression)):
        left, right, sign = expression[place - 2 : place + 1]
        if sign in SIGNS and left not in SIGNS and right not in SIGNS:
            found.setdefault(shown((left, right, sign)), place)
    return found


def reduced(expression: Expression, place: int, result: Fraction) -> Expression:
    """The expression in which the operation whose sign stands at ``place`` is replaced by a number.

    >>> reduced(("3", "1/2", "+", "2^3", "*"), 2, Fraction(7, 2))
    ('7/2', '2^3', '*')
    """
    return (*expression[: place - 2], written(result), *expression[place + 1 :])


@functools.lru_cache(4096)
def alternatives(expression: Expression, changes: int) -> tuple[Fraction, ...]:
    """The value among those of like expressions, in an order that tells nothing: up to ``2 ** changes`` numbers.

    In so many places another sign or number could stand. The values of all combinations are given, so that no one of
    them stands out as the one from which the others were made. What is drawn depends on the expression alone.

    >>> [str(number) for number in alternatives(("8", "3", "-"), 2)]
    ['5', '14', '13', '6']
    """
    rng = np.random.default_rng(text_hash(*expression) & 0xFFFFFFFF)
    values: tuple[Fraction, ...] = ()
    for _ in range(_TRIES):
        places = rng.choice(len(expression), size=min(changes, len(expression)), replace=False)
        others = [(int(place), _other(rng, expression[int(place)])) for place in sorted(places)]
        values = _combined(expression, others)
        if len(values) == 2 ** len(others):
            break
    return tuple(values[int(k)] for k in rng.permutation(len(values)))


def _other(rng: np.random.Generator, token: str) -> str:
    if token in SIGNS:
        rest = [sign for sign in SIGNS if sign != token]
        return rest[int(rng.integers(len(rest)))]
    shift = int(rng.integers(1, 10)) * (1 if rng.integers(2) else -1)
    base, caret, power = token.partition("^")
    top, slash, bottom = base.partition("/")
    return f"{int(top) + shift}{slash}{bottom}{caret}{power}"


def _combined(expression: Expression, others: list[tuple[int, str]]) -> tuple[Fraction, ...]:
    values: dict[Fraction, None] = {}
    for taken in product((False, True), repeat=len(others)):
        tokens = list(expression)
        for (place, other), take in zip(others, taken, strict=True):
            if take:
                tokens[place] = other
        try:
            values[value(tuple(tokens))] = None
        except ZeroDivisionError:
            continue
    return tuple(values)
