"""Numbers as they are written, read without evaluating anything, and how near one is to another."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = ["MOST_DIGITS", "closeness", "digits", "read_number", "written"]

MOST_DIGITS = 4200
"""Of a whole number, of a fraction's top or bottom. Python itself converts no more than 4300."""

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<top>[0-9]+) ?/ ?(?P<bottom>[0-9]+)"
    r"|(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?:[eE](?P<power>[+-]?[0-9]{1,2}))?)"
)


def read_number(text: str) -> Fraction | None:
    """The number that a text is: a whole number, a fraction or a decimal, and nothing else. None if it is none.

    A power of ten has two digits at most, and a whole number `MOST_DIGITS`, so that reading takes no time.

    >>> read_number("-7/4"), read_number("(1.25e1)"), read_number("2**9"), read_number("1e999")
    (Fraction(-7, 4), Fraction(25, 2), None, None)
    """
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    match = _NUMBER.fullmatch(text) if len(text) <= 2 * MOST_DIGITS + 8 else None
    if match is None:
        return None
    part = match["part"] or ""
    top, bottom = match["top"] or (match["whole"] or "") + part, match["bottom"] or "1"
    if not top or max(len(top), len(bottom)) > MOST_DIGITS or int(bottom) == 0:
        return None
    size = Fraction(int(top), int(bottom)) * Fraction(10) ** (int(match["power"] or 0) - len(part))
    return -size if match["sign"] == "-" else size


def digits(number: Fraction) -> int:
    """The digits of the top or bottom, whichever has more.

    >>> digits(Fraction(-7, 40))
    2
    """
    return max(len(str(abs(number.numerator))), len(str(number.denominator)))


def written(number: Fraction) -> str:
    """A number as `read_number` reads it back.

    >>> written(Fraction(-7, 4)), written(Fraction(12))
    ('-7/4', '12')
    """
    return str(number)


def closeness(answer: Fraction | None, truth: Fraction) -> float:
    """``1 - min(|a - b|, 1) / 2 - min(|a - b| / (|b| + 1e-6), 1) / 2`` of an answer a and the truth b. None gives 0.

    Wu et al. 2025, arXiv 2507.10532: a reward that long decimals can approach. It is 1 if the answer is exact.

    >>> closeness(Fraction(9), Fraction(10)), closeness(Fraction(10), Fraction(10)), closeness(None, Fraction(10))
    (0.4500000049999995, 1.0, 0.0)
    """
    if answer is None:
        return 0.0
    error = abs(answer - truth)
    relative = error / (abs(truth) + Fraction(1, 10**6))
    return float(1 - min(error, Fraction(1)) / 2 - min(relative, Fraction(1)) / 2)
