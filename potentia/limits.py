"""Settings that have a least value: one check, one message."""

from __future__ import annotations


def check_at_least(least: float, **settings: float | None) -> None:
    """Does nothing if each setting is at least so great. None passes, as what is not set has no limit.

    Raises:
        ValueError: If one is less, or is not a number. The message names it.

    >>> check_at_least(1, hidden=8, layers=0)
    Traceback (most recent call last):
    ValueError: layers must be at least 1, got 0
    """
    for name, value in settings.items():
        if value is not None and not value >= least:
            raise ValueError(f"{name} must be at least {least:g}, got {value}")
