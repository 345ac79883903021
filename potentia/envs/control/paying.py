"""What worlds with areas pay: for where an episode ends, or for arriving."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from potentia.compiling import part
from potentia.envs.control.drawing import disc
from potentia.envs.control.rules import PLAYING, REACHED, SUCCESS, Area, Part, area_of
from potentia.limits import check_among

__all__ = ["REWARDS", "chosen_areas", "paint_areas_of", "pay_of", "short_of", "task_of"]

REWARDS = ("final", "arrival")
_GREEN = (120, 200, 120)


def chosen_areas(known: dict[str, Area], names: tuple[str, ...], reward: str) -> tuple[Area, ...]:
    """The areas of some names.

    Raises:
        ValueError: If an area or the reward is none that there is.
    """
    check_among(REWARDS, reward=reward)
    for name in names:
        check_among(tuple(known), areas=name)
    return tuple(known[name] for name in names)


def task_of(what: str, areas: tuple[Area, ...], reward: str) -> str:
    """What is to be done, in words."""
    if not areas:
        return "explore"
    places = " or the ".join(area.name for area in areas)
    return f"bring {what} to the {places} area" + (" by the end" if reward == "final" else "")


def pay_of(areas: tuple[Area, ...], reward: str) -> Part:
    """A part ``pay(point, left)``: the reward and what the step comes to.

    Args:
        areas: The discs that pay.
        reward: "final" pays ``(radius - distance) / radius`` for a point that lies in an area when no steps are left.
            "arrival" pays 1 for a point in an area, which ends the episode.
    """
    at_the_end, inside = reward == "final", area_of(areas)
    centres, radii = _arrays(areas)
    size = centres.shape[1]

    @part
    def pay(point, left):  # type: ignore[no-untyped-def]
        if at_the_end and left != 0:
            return 0.0, PLAYING
        area = inside(point)
        if area < 0:
            return 0.0, PLAYING
        if not at_the_end:
            return 1.0, SUCCESS
        square = 0.0
        for i in range(size):
            square += (point[i] - centres[area, i]) ** 2
        return (radii[area] - math.sqrt(square)) / radii[area], REACHED

    return pay


def short_of(areas: tuple[Area, ...], farthest: float) -> Part:
    """A part ``short(point)``: minus the distance to the nearest area, as a part of the farthest that counts."""
    centres, radii = _arrays(areas)
    count, size = centres.shape

    @part
    def short(point):  # type: ignore[no-untyped-def]
        nearest = farthest
        for k in range(count):
            square = 0.0
            for i in range(size):
                square += (point[i] - centres[k, i]) ** 2
            nearest = min(nearest, max(math.sqrt(square) - radii[k], 0.0))
        return 0.0 - nearest / farthest

    return short


def paint_areas_of(areas: tuple[Area, ...], view: tuple[float, float, float, float]) -> Part:
    """A part ``paint_areas(image)`` that paints the discs green."""
    centres, radii = _arrays(areas)
    count = len(areas)

    @part
    def paint_areas(image):  # type: ignore[no-untyped-def]
        for k in range(count):
            disc(image, view, centres[k, 0], centres[k, 1], radii[k], _GREEN)

    return paint_areas


def _arrays(areas: tuple[Area, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres ``(K, d)`` and radii ``(K,)``."""
    centres = np.array([area.centre for area in areas], np.float64) if areas else np.zeros((0, 1))
    return centres, np.array([area.radius for area in areas], np.float64)
