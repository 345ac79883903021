"""Quantiles of Student's distribution, without SciPy."""

from __future__ import annotations

import math


def student_quantile(level: float, freedom: int) -> float:
    """The t with P(T <= t) = level for `freedom` degrees of freedom, by bisection of the exact distribution.

    Args:
        level: in (0, 1).
        freedom: degrees of freedom, at least 1.

    >>> round(student_quantile(0.975, 4), 3), round(student_quantile(0.975, 9), 3)
    (2.776, 2.262)
    """
    if not 0 < level < 1 or freedom < 1:
        raise ValueError(f"need 0 < level < 1 and freedom >= 1, got {level} and {freedom}")
    if level < 0.5:
        return -student_quantile(1 - level, freedom)
    low, high = 0.0, math.pi / 2  # the angle whose tangent is t / sqrt(freedom)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _central(middle, freedom) < 2 * level - 1 else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _central(angle: float, freedom: int) -> float:
    """P(|T| <= sqrt(freedom) tan(angle)): a finite sum (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    cosine = math.cos(angle)
    odd = freedom % 2 == 1
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(freedom // 2 if not odd else (freedom - 1) // 2):
        total += term
        term *= cosine**2 * ((2 * k + 2) / (2 * k + 3) if odd else (2 * k + 1) / (2 * k + 2))
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
