"""The keys that the ``info`` of this library's worlds can have: what each means, and what its value must be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["INFO_KEYS", "InfoKey", "flag", "is_flag", "number", "whole"]

_CHECKLIST = (1.0, 0.5, 0.0, -1.0)


@dataclass(frozen=True)
class InfoKey:
    """A key of ``info``, which describes the state reached.

    Attributes:
        meaning: What it says.
        form: What its value must be, in words.
        fits: Whether a value is that.
    """

    meaning: str
    form: str
    fits: Callable[[Any], bool]


def flag(value: Any) -> np.ndarray[Any, Any]:
    """A truth value as an array of shape ().

    Gymnasium's vectors make a bool column of it, which they don't of ``np.bool_``, and it has the dtype that TorchRL's
    readers of info look for, which Python's ``bool`` lacks.
    """
    return np.zeros((), np.bool_) if value is False else np.array(value, np.bool_)  # the first takes a third as long


def number(value: Any) -> np.float64:
    """A number as an info holds it."""
    return np.float64(value)


def whole(value: Any) -> np.int64:
    """A whole number as an info holds it."""
    return np.int64(value)


def is_flag(value: Any) -> bool:
    """Whether a value of an info is a truth value: Python's, NumPy's, or an array of shape () as `flag` makes it."""
    array = isinstance(value, np.ndarray) and value.shape == () and value.dtype == np.bool_
    return array or type(value) in {bool, np.bool_}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_hash(value: Any) -> bool:
    return _is_whole(value) and -(2**63) <= int(value) < 2**63


def _is_distance(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and value >= -1.0


def _is_potential(value: Any) -> bool:
    return isinstance(value, float) and -1.0 <= value <= 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _is_entropy(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value < math.inf


def _is_events(value: Any) -> bool:
    return isinstance(value, Mapping) and all(is_flag(happened) for happened in value.values())


def _is_count(value: Any) -> bool:
    return _is_whole(value) and int(value) >= 0


def _is_checklist(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.ndim == 1
        and value.dtype == np.float32
        and bool(np.isin(value, _CHECKLIST).all())
    )


def _is_row(value: Any) -> bool:
    return (
        isinstance(value, np.ndarray)
        and value.ndim == 1
        and value.dtype == np.float64
        and bool(np.isfinite(value).all())
    )


def _is_path(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == np.float64


def _is_image(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 3 and value.shape[2] == 3 and value.dtype == np.uint8


def _is_area(value: Any) -> bool:
    return _is_whole(value) and int(value) >= -1


def _is_share(value: Any) -> bool:
    return isinstance(value, float) and 0.0 <= value <= 1.0


_A_TEXT = "a text"

INFO_KEYS: dict[str, InfoKey] = {
    "caption": InfoKey("the state in words", _A_TEXT, _is_text),
    "state_hash": InfoKey(
        "equal for equal true states, in each process; the time is no part of it", "an integer of 64 bits", _is_hash
    ),
    "distance": InfoKey(
        "the fewest actions to success in the true state; -1 if there is no way",
        "a whole float from -1.0",
        _is_distance,
    ),
    "potential": InfoKey(
        "0 at success, -1 where there is no way; -min(distance, D) / D, D a constant, where there is a distance",
        "a float in [-1, 0]",
        _is_potential,
    ),
    "subgoals": InfoKey("events, True on the step on which they happen", "a dictionary of truth values", _is_events),
    "success": InfoKey("whether the task is done", "a truth value", is_flag),
    "lost": InfoKey("whether the episode is over without success", "a truth value", is_flag),
    "goal": InfoKey("what is to be done", _A_TEXT, _is_text),
    "commands": InfoKey("the commands that do something in this state, one a line", _A_TEXT, _is_text),
    "facts": InfoKey("what is true in this state, one fact a line, in a fixed order", _A_TEXT, _is_text),
    "plan": InfoKey("the commands of a shortest way to success, one a line", _A_TEXT, _is_text),
    "score": InfoKey("what the game has paid in this episode", "a finite float", _is_number),
    "entropy": InfoKey("what is not known yet of what is sought, in nats", "a float from 0", _is_entropy),
    "response": InfoKey("the agent's own text that led here", _A_TEXT, _is_text),
    "blocked": InfoKey("attempts to leave the task's pages in this episode", "a whole number from 0", _is_count),
    "failure": InfoKey('"", or why the page was lost', _A_TEXT, _is_text),
    "action_error": InfoKey('"", or why the action said nothing and nothing was done', _A_TEXT, _is_text),
    "reference": InfoKey('the next action of the reference solution; "" if there is none', _A_TEXT, _is_text),
    "resemblance": InfoKey(
        "minus how unlike what was shown the state is, 0 where it is the same", "a float in [-1, 0]", _is_potential
    ),
    "progress": InfoKey("how much of the task is done", "a float in [0, 1]", _is_share),
    "descriptor": InfoKey(
        "what an episode that ends in this state is described by", "finite float64 of shape (d,)", _is_row
    ),
    "area": InfoKey(
        "the number of the reward area that the descriptor is in, -1 if it is in none",
        "a whole number from -1",
        _is_area,
    ),
    "steps": InfoKey("the steps of the episode that an action was", "a whole number from 0", _is_count),
    "path": InfoKey(
        "the descriptor at evenly spaced times of the episode that an action was", "float64 of shape (L, d)", _is_path
    ),
    "image": InfoKey("a picture of this state", "uint8 of shape (height, width, 3)", _is_image),
    "checklist": InfoKey(
        "the subgoals: 1 done, 0.5 partly, 0 not; then -1", "float32 of shape (K,), values 1, 0.5, 0, -1", _is_checklist
    ),
}
"""By name, in the order in which an info has them."""
