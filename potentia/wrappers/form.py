"""A wrapper's shaper as a part of an environment's specification."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from gymnasium import Space

from potentia.shaping.shaper import Shaper


class ShaperForm(dict[str, Any]):
    """What a shaping wrapper records of its shaper: data for JSON, and beside it a copy of the shaper as it was.

    ``gymnasium.make(env.spec)`` starts from that copy. ``env.spec.to_json()`` writes the data, and what is read back
    from it makes a fresh shaper with the same arguments.
    """

    shaper: Shaper | None = None


def recorded(shaper: Any) -> Any:
    """What a wrapper records of its shaper: the shaper itself if it has no form as data, such as one with a lambda."""
    if not isinstance(shaper, Shaper):
        return shaper
    from potentia.shaping.objects import to_data  # noqa: PLC0415 - it imports every shaper

    try:
        form = ShaperForm(to_data(shaper))
    except ValueError:
        return shaper
    form.shaper = shaper
    return form


def made(shaper: Shaper | Mapping[str, Any], space: Space[Any], action_space: Space[Any]) -> Any:
    """The shaper that a wrapper was given: itself, or made from data or from what `recorded` returned.

    Args:
        shaper: A shaper, or ``{"type": name, argument: value, ...}`` as in a study.
        space: The space of one observation.
        action_space: The space of one action.

    Raises:
        ValueError: If the data names an unknown shaper, or an argument is wrong.
    """
    if isinstance(shaper, ShaperForm) and shaper.shaper is not None:
        return copy.deepcopy(shaper.shaper)
    if not isinstance(shaper, Mapping):
        return shaper
    from potentia.shaping.objects import from_data  # noqa: PLC0415

    return from_data(shaper, observation_space=space, action_space=action_space)
