"""Info columns invented as what their names mean, so that a trial tries what a world would give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

TEXTS = frozenset(
    {"caption", "text", "message", "goal", "mission", "instruction", "response", "alternative", "reference", "blocked"}
)
"""Columns of words, as are those whose names end with ``_text``, ``_caption`` or ``_message``."""

FLAGS = frozenset({"success", "is_success", "failure", "action_error"})
"""Columns of truths, as are those whose names begin with ``is_`` or ``has_``."""

USUAL = ("action_error", "caption", "checklist", "distance", "failure", "goal", "potential", "state_hash", "success")
"""Columns that worlds often give beside those that a shaper asks for."""


def invented(key: str, states: int) -> Callable[[np.ndarray[Any, Any]], Any]:
    """A function from state indices below ``states``, any shape, to the values of the info column ``key``.

    - Hashes are integers of 64 bits.
    - Texts are sentences.
    - ``success`` and its like are truths, and both occur.
    - A distance is an integer from -1 (there is no way) up.
    - A potential lies in [-1, 0]. A ``checklist`` and a ``progress`` lie in [0, 1]. Both ends occur.
    - Anything else is a number of either sign.
    """
    rng = np.random.default_rng(sum(key.encode()))
    values = _values(key, states, rng)
    return lambda indices: values[indices]


def _values(key: str, states: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    numbers = rng.permutation(states)
    if "hash" in key:
        return rng.integers(-(2**62), 2**62, states)
    if key in TEXTS or key.endswith(("_text", "_caption", "_message")):
        return np.array([f"The {key} of the state number {state}." for state in range(states)])
    kinds = {
        "flag": numbers % 2 == 0,
        "distance": numbers - 1,
        "potential": -numbers / max(states - 1, 1),
        "checklist": numbers / max(states - 1, 1),
        "progress": numbers / max(states - 1, 1),
    }
    name = "flag" if key in FLAGS or key.startswith(("is_", "has_")) else key
    return next((values for kind, values in kinds.items() if kind in name), rng.uniform(-2.0, 2.0, states))
