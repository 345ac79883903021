"""Settings that have a least value, or few values: one check, one message."""

from __future__ import annotations

from collections.abc import Collection


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


def check_among(choices: Collection[str], **settings: str) -> None:
    """Does nothing if each setting is one of the choices.

    Raises:
        ValueError: If one is another. The message names it and the choices.

    >>> check_among(("sparse", "dense"), reward="rare")
    Traceback (most recent call last):
    ValueError: reward must be among ('sparse', 'dense'), got 'rare'
    """
    for name, value in settings.items():
        if value not in choices:
            raise ValueError(f"{name} must be among {choices}, got {value!r}")
