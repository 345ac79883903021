"""Gamma, the learner's discount factor: a number that is checked, and never assumed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def check_gamma(gamma: float) -> float:
    """Returns ``gamma`` as a float. Raises ``ValueError`` unless it lies in [0, 1]."""
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must lie in [0, 1], got {gamma}")
    return float(gamma)


def needs_gamma(function: Callable[P, R]) -> Callable[P, R]:
    """Makes a function that takes ``gamma`` by name say what to write when it is forgotten or has its old name."""
    name = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if "discount" in kwargs:
            raise TypeError(
                f"{name} takes gamma=, not discount=: gamma is the number, discount the column of a rollout; "
                f"write gamma={kwargs['discount']}"
            )
        if "gamma" not in kwargs:
            raise TypeError(
                f"{name} needs gamma, the learner's own discount factor, by name, and assumes none; "
                "if the learner's is 0.99, write gamma=0.99"
            )
        return function(*args, **kwargs)

    return checked
