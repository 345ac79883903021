"""What an environment of any family shows: its goal, its text, its actions in words, and the scalars of its info."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from potentia.envs.info_keys import is_flag
from potentia.envs.world import World
from potentia.replay.episode import Scalar

_ELSEWHERE = frozenset({"caption", "terms", "true_reward", "discount", "failure", "goal", "mission"})
"""Keys of info that have a place of their own in a recording."""


def action_words(world: Any) -> Callable[[Any], str]:
    """How a world's actions are said.

    By its own ``action_text(action)``, which each world of this library has. Without it, by the names that the world
    has for them, as Atari's games and MiniGrid's have. Without names, as numbers.

    Args:
        world: The environment without its wrappers.
    """
    if callable(told := getattr(world, "action_text", None)):
        return lambda action: str(told(action))
    names = _names(world)

    def say(action: Any) -> str:
        if isinstance(action, str):
            return action
        if names and np.ndim(action) == 0 and 0 <= int(action) < len(names):
            return names[int(action)]
        return _plain(action)

    return say


def goal_text(world: Any, observation: Any, info: Mapping[str, Any]) -> str:
    """The goal in words: from the observation, the info, or the world itself. It is "" if none of them says."""
    spoken = observation if isinstance(observation, Mapping) else {}
    for source in (spoken, info):
        for key in ("goal", "mission"):
            if isinstance(source.get(key), str):
                return str(source[key])
    mission = world.goal_text() if isinstance(world, World) else getattr(world, "mission", None)
    return mission if isinstance(mission, str) else ""


def shown_text(observation: Any) -> str:
    """What an observation says as text: itself, or its part "text". It is "" if it is numbers."""
    if isinstance(observation, Mapping):
        observation = observation.get("text")
    return observation if isinstance(observation, str) else ""


def happened(info: Mapping[str, Any]) -> list[str]:
    """The names of the events of an info that have happened: what is true in its dictionaries of truth values."""
    return [name for name, true in _events(info) if true]


def event_names(info: Mapping[str, Any]) -> list[str]:
    """The names of all events of an info, whether or not they have happened."""
    return [name for name, _ in _events(info)]


def scalars(info: Mapping[str, Any]) -> dict[str, Scalar]:
    """Numbers, truth values and texts of an info. Of a dictionary of numbers, each as ``key.name``."""
    found: dict[str, Scalar] = {}
    for key, value in info.items():
        if key in _ELSEWHERE or _is_events(value):
            continue
        parts = {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, Mapping) else {key: value}
        found |= {name: plain for name, part in parts.items() if (plain := _scalar(part)) is not None}
    return found


def _events(info: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [event for value in info.values() if _is_events(value) for event in value.items()]


def _is_events(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(map(is_flag, value.values()))


def _scalar(value: Any) -> Scalar:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, str) else None


def _names(world: Any) -> list[str]:
    if callable(meanings := getattr(world, "get_action_meanings", None)):
        return [str(name) for name in meanings()]
    named = getattr(world, "actions", None)  # MiniGrid's is an enumeration
    return [str(name) for name in getattr(named, "__members__", ())]


def _plain(action: Any) -> str:
    if isinstance(action, Mapping):
        return ", ".join(f"{name}: {_plain(part)}" for name, part in action.items())
    if isinstance(action, tuple | list):
        return f"({', '.join(map(_plain, action))})"
    array = np.asarray(action)
    if array.dtype.kind == "f":
        return np.array2string(array, precision=3, separator=", ", suppress_small=True, threshold=16)
    return np.array2string(array, separator=", ", threshold=16) if array.ndim else str(array[()])
