"""From the shapers of a study file to a chain, checked before anything runs."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from potentia.objects import ObjectError, Recipe, read
from potentia.objects.reading import paths_from
from potentia.shaping import Chain, Shaper
from potentia.shaping.objects import SHAPERS
from potentia.study.spec import ShapingSpec

__all__ = ["SHAPERS", "make_shaper", "shaping_problems"]


def shaping_problems(spec: ShapingSpec, where: str, folder: str | None = None) -> list[str]:
    """What is wrong with the shapers of a shaping, one line each, beginning with the field."""
    problems: list[str] = []
    _recipes(spec, where, folder, problems)
    return problems


def make_shaper(
    spec: ShapingSpec,
    observation_space: gym.Space[Any],
    action_space: gym.Space[Any],
    *,
    device: str,
    seed: int,
    where: str = "shaping",
    folder: str | None = None,
) -> Chain:
    """The chain of a shaping, fresh. Constructors get the spaces, the device and the seed if they ask by name.

    Relative paths begin at ``folder``.

    Raises:
        ObjectError: If an argument is wrong, or a constructor refuses it. Its path comes first.
        ValueError: If the order of the shapers is refused.
    """
    filled_in = {
        "observation_space": observation_space,
        "action_space": action_space,
        "device": device,
        "seed": seed,
    }
    problems: list[str] = []
    recipes = _recipes(spec, where, folder, problems)
    if problems:
        raise ObjectError("; ".join(problems))
    return Chain(*(recipe(filled_in) for recipe in recipes), name=spec.name)


def _recipes(spec: ShapingSpec, where: str, folder: str | None, problems: list[str]) -> list[Recipe]:
    with paths_from(folder):
        return [
            read(shaper, Shaper, f"{where}.shapers[{index}]", problems) for index, shaper in enumerate(spec.shapers)
        ]
