"""From the names in a study file to shapers, checked before anything runs."""

from __future__ import annotations

import inspect
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import gymnasium as gym

import potentia.shaping
from potentia.shaping import Chain, Scale, Shaper
from potentia.shaping.schedules import SCHEDULES
from potentia.study.documents import unknown
from potentia.study.spec import ShaperSpec, ShapingSpec

ENTRY_POINTS = "potentia.shapers"
"""The group of entry points by which other packages offer shapers."""

_INJECTED = ("observation_space", "action_space", "device", "seed")
_COMPOSED = {"Chain", "Scale", "Shaper"}


@cache
def known_shapers() -> dict[str, type[Shaper]]:
    """Every shaper that a study file can name: the library's own, and those offered by entry points."""
    found: dict[str, type[Shaper]] = {}
    for name in potentia.shaping.__all__:
        value = getattr(potentia.shaping, name)
        if isinstance(value, type) and issubclass(value, Shaper) and name not in _COMPOSED:
            found[name] = value
    for point in entry_points(group=ENTRY_POINTS):
        if point.name in found:
            package = point.dist.name if point.dist else point.value
            raise ValueError(f"{package} offers a shaper named {point.name!r}, which exists already; rename it there")
        found[point.name] = point.load()
    return found


def shaper_problems(spec: ShaperSpec, where: str) -> list[str]:
    """What is wrong with a shaper of a study file, one line each, beginning with the field."""
    shapers = known_shapers()
    if spec.type not in shapers:
        return [f"{where}.type: {unknown('shaper', spec.type, shapers)}"]
    parameters = inspect.signature(shapers[spec.type]).parameters
    problems = [
        f"{where}.{name}: {unknown('argument', name, [p for p in parameters if p not in _INJECTED])}"
        for name in spec.arguments
        if name not in parameters
    ]
    required = [p.name for p in parameters.values() if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    problems += [
        f"{where}.{name}: {spec.type} requires this argument"
        for name in required
        if name not in spec.arguments and name not in _INJECTED
    ]
    values = {**spec.arguments, "weight": spec.weight}
    for name, value in values.items():
        try:
            _value(value)
        except (TypeError, ValueError) as error:
            problems.append(f"{where}.{name}: {error}")
    return problems


def make_shaper(
    spec: ShapingSpec, observation_space: gym.Space[Any], action_space: gym.Space[Any], *, seed: int, device: str
) -> Chain:
    """The chain of a shaping, fresh; constructors get the spaces, the seed and the device if they ask by name.

    Raises:
        TypeError: If a constructor refuses an argument's type.
        ValueError: If a constructor refuses an argument's value, or the order of the shapers.
    """
    given = {"observation_space": observation_space, "action_space": action_space, "device": device, "seed": seed}
    members: list[Shaper] = []
    for part in spec.shapers:
        maker = known_shapers()[part.type]
        parameters = inspect.signature(maker).parameters
        injected = {name: value for name, value in given.items() if name in parameters}
        arguments = {name: _value(value) for name, value in part.arguments.items()}
        shaper = maker(**{**injected, **arguments})
        members.append(shaper if part.weight is None else Scale(shaper, _value(part.weight)))
    return Chain(*members, name=spec.name)


def _value(value: Any) -> Any:
    """A number, a name or a list as it is; ``{schedule: linear, start: ..., ...}`` as a schedule."""
    if not isinstance(value, dict) or "schedule" not in value:
        return value
    name = value["schedule"]
    if name not in SCHEDULES:
        raise ValueError(unknown("schedule", str(name), SCHEDULES))
    wanted = inspect.signature(SCHEDULES[name]).parameters
    for key in value.keys() - {"schedule"} - wanted.keys():
        raise ValueError(unknown(f"field of the schedule {name!r}", str(key), wanted))
    missing = wanted.keys() - value.keys()
    if missing:
        raise ValueError(f"the schedule {name!r} requires {', '.join(sorted(missing))}")
    return SCHEDULES[name](**{key: entry for key, entry in value.items() if key != "schedule"})
