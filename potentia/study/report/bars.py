"""Small drawings inside tables: an interval on a scale, and a method's line."""

from __future__ import annotations

from typing import Any

from potentia.study.statistics import Interval

WIDTH, HEIGHT, MARGIN = 120.0, 16.0, 6.0


def bar(value: Interval, limits: tuple[float, float], colour: str, reference: float | None = None) -> str:
    """An interval with its estimate on a scale. It is hidden from screen readers, as the numbers stand beside it."""
    middle = HEIGHT / 2
    ends = (value.low, value.high) if value.known else (value.estimate, value.estimate)
    low, high, centre = (_place(x, limits) for x in (*ends, value.estimate))
    parts = [f'<line class="track" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{middle}" y2="{middle}"/>']
    if reference is not None:
        at = _place(reference, limits)
        parts.append(f'<line class="reference" x1="{at}" x2="{at}" y1="1" y2="{HEIGHT - 1}"/>')
    parts.append(
        f'<line x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke="{colour}" stroke-width="4" '
        'stroke-linecap="round" opacity="0.42"/>'
        f'<circle cx="{centre}" cy="{middle}" r="3.6" fill="{colour}"/>'
    )
    return (
        f'<svg class="bar" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def swatch(style: dict[str, Any]) -> str:
    """A piece of a method's line, as it looks in the figures."""
    dashes = style["linestyle"]
    pattern = "" if isinstance(dashes, str) else " ".join(f"{1.7 * length:g}" for length in dashes[1])
    return (
        '<svg class="swatch" viewBox="0 0 22 10" width="22" height="10" aria-hidden="true">'
        f'<line x1="1" x2="21" y1="5" y2="5" stroke="{style["color"]}" stroke-width="3" '
        f'stroke-dasharray="{pattern or "none"}"/></svg>'
    )


def _place(value: float, limits: tuple[float, float]) -> float:
    low, high = limits
    share = (value - low) / (high - low) if high > low else 0.5
    return round(MARGIN + min(max(share, 0.0), 1.0) * (WIDTH - 2 * MARGIN), 2)
