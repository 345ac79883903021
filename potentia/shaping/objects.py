"""Shapers as data: the kinds of objects that a study file can name, and a shaper to and from ``{type: ..., ...}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym

import potentia.judges
import potentia.shaping
from potentia.encoders import Encoder
from potentia.judges import Judge
from potentia.objects import Kind, add_kind, as_data, read
from potentia.objects.files import FILES
from potentia.objects.functions import FUNCTIONS
from potentia.shaping._models.costs import RandomFeatures
from potentia.shaping.compose import Scale
from potentia.shaping.potentials.sources import ColumnPotential, FunctionPotential, Potential, TablePotential
from potentia.shaping.schedules import SCHEDULES
from potentia.shaping.shaper import Shaper

__all__ = ["ENCODERS", "FILES", "FUNCTIONS", "JUDGES", "POTENTIALS", "SCHEDULE", "SHAPERS", "from_data", "to_data"]

_SPACES = frozenset({"observation_space", "action_space"})


def _shapers() -> dict[str, type[Shaper]]:
    public = {name: getattr(potentia.shaping, name) for name in potentia.shaping.__all__}
    return {
        name: value
        for name, value in public.items()
        if isinstance(value, type) and issubclass(value, Shaper) and value is not Shaper
    }


def _judges() -> dict[str, Any]:
    public = {name: getattr(potentia.judges, name) for name in potentia.judges.__all__}
    own = {name: value for name, value in public.items() if isinstance(value, type) and issubclass(value, Judge)}
    return {name: value for name, value in own.items() if value is not Judge}


def _potentials() -> dict[str, type[Potential]]:
    found = [FunctionPotential, TablePotential, ColumnPotential]
    return {source.__name__: source for source in found}


def _weighted(shaper: Shaper, weight: Any) -> Shaper:
    return shaper if weight is None else Scale(shaper, weight)


SCHEDULE = add_kind(Kind("schedule", (Callable[[int], float],), lambda: SCHEDULES))
SHAPERS = add_kind(
    Kind(
        "shaper",
        (Shaper,),
        _shapers,
        group="potentia.shapers",
        extras={"weight": (float | Callable[[int], float] | None, _weighted)},
    )
)
POTENTIALS = add_kind(Kind("potential", (Potential,), _potentials, group="potentia.potentials"))
JUDGES = add_kind(Kind("judge", (Judge,), _judges, group="potentia.judges"))
ENCODERS = add_kind(Kind("encoder", (Encoder,), lambda: {"Encoder": Encoder, "RandomFeatures": RandomFeatures}))


def to_data(shaper: Shaper | Any) -> dict[str, Any]:
    """A shaper as ``{"type": name, argument: value, ...}``, which JSON and study files can hold.

    It has the shaper's arguments, not what it has learned. The spaces are left out: they are the environment's.

    Args:
        shaper: The shaper, or a schedule, a judge, ...

    Raises:
        ValueError: If an argument has no form as data, such as a lambda. The message says which, and what to do.

    >>> from potentia.shaping import Chain, Count, PotentialShaping, Scale
    >>> to_data(Chain(PotentialShaping([0.0, 1.0]), Scale(Count(), 0.1)))
    {'type': 'Chain', 'shapers': [{'type': 'PotentialShaping', 'potential': [0.0, 1.0]}, \
{'type': 'Scale', 'shaper': {'type': 'Count'}, 'weight': 0.1}]}
    """
    data: dict[str, Any] = as_data(shaper, getattr(shaper, "name", type(shaper).__name__), _SPACES)
    return data


def from_data(
    data: Mapping[str, Any],
    *,
    observation_space: gym.Space[Any] | None = None,
    action_space: gym.Space[Any] | None = None,
    **filled_in: Any,
) -> Shaper:
    """A fresh shaper from what `to_data` returned, or from what a study file says.

    Args:
        data: ``{"type": name, argument: value, ...}``.
        observation_space: The space of one observation, for shapers that read it.
        action_space: The space of one action.
        filled_in: Other arguments that are filled in where they are not said: ``device``, ``seed``.

    Raises:
        ValueError: If it names an unknown shaper, or an argument is wrong, with a line for each.

    >>> from_data({"type": "Count", "hash_bits": 8, "weight": 0.5})
    Scale(Count(name='Count'), 0.5)
    """
    problems: list[str] = []
    recipe = read(dict(data), Shaper, "shaper", problems)
    if problems:
        raise ValueError("\n".join(problems))
    spaces = {"observation_space": observation_space, "action_space": action_space}
    made: Shaper = recipe({**{name: space for name, space in spaces.items() if space is not None}, **filled_in})
    return made
