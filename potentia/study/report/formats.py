"""Numbers as text: as many digits as matter, and never a NaN."""

from __future__ import annotations

import math

from potentia.study.statistics import Interval

MISSING = "\u2013"
MINUS = "\u2212"


def number(value: float | None, digits: int = 3) -> str:
    """Fixed digits up to 10, fewer for large values, thousands grouped. A dash stands where there is no number."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    places = digits if size < 10 else max(digits - 2, 0) if size < 1000 else 0
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def interval(value: Interval | None, digits: int = 3) -> str:
    """The limits of an interval: `[low, high]`."""
    if value is None or not value.known:
        return MISSING
    return f"[{number(value.low, digits)}, {number(value.high, digits)}]"


def both(value: Interval | None, digits: int = 3) -> str:
    """An estimate with its limits: `estimate [low, high]`."""
    return MISSING if value is None else f"{number(value.estimate, digits)} {interval(value, digits)}"


def steps(value: float) -> str:
    """A number of steps, or that it was not reached."""
    return "not reached" if math.isinf(value) else number(value, 0)


def place(value: float) -> str:
    """A rank: a whole number, or the mean of the places that equals share."""
    return f"{value:g}"


def p_value(value: float) -> str:
    """A p-value with three places. Tiny ones are given as a bound."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return MISSING if value is None or math.isnan(value) else f"{100 * value:.{digits}f} %"


def seconds(value: float) -> str:
    """A duration as hours, minutes or seconds."""
    if math.isnan(value):
        return MISSING
    if value >= 3600:
        return f"{value / 3600:.1f} h"
    return f"{value / 60:.1f} min" if value >= 120 else f"{value:.1f} s"
