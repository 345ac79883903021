"""The kinds of games, and how TextWorld generates one of a number."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from potentia.limits import check_among

__all__ = ["KINDS", "Kind", "generate", "settings_of"]

_ATTEMPTS = 20
"""How many seeds are tried: with some, TextWorld finds no quest of the length wanted."""


@dataclass(frozen=True)
class Kind:
    """A kind of games.

    Attributes:
        settings: The arguments that a world of this kind takes, and their values if it is not given any.
        events: The names of its subgoals.
        scale: D of the potential.
        steps: After how many commands an episode is truncated.
    """

    settings: dict[str, Any]
    events: tuple[str, ...]
    scale: float
    steps: int


_ALWAYS = ("scored", "discovered", "took")
_DOORS = (*_ALWAYS, "opened", "unlocked")

KINDS: dict[str, Kind] = {
    "CoinCollector": Kind({"level": 5}, _ALWAYS, 20.0, 50),
    "TreasureHunter": Kind({"level": 11}, _DOORS, 20.0, 50),
    "Cooking": Kind(
        {"recipe": 1, "take": 1, "go": 1, "open": False, "cook": True, "cut": True, "drop": False, "recipe_seed": 0},
        (*_DOORS, "cooked", "cut", "made", "ate"),
        30.0,
        60,
    ),
    "Simple": Kind({"rewards": "dense", "goal": "detailed"}, (*_DOORS, "placed", "cooked", "ate"), 30.0, 60),
    "Custom": Kind({"rooms": 2, "objects": 3, "quest_length": 3}, (*_DOORS, "locked", "placed", "ate"), 20.0, 40),
}
"""By name. The settings are TextWorld's own of its challenges, and of ``tw-make custom``."""

DEEDS = {
    "take": "took",
    "open": "opened",
    "unlock": "unlocked",
    "lock": "locked",
    "put": "placed",
    "insert": "placed",
    "cook": "cooked",
    "slice": "cut",
    "dice": "cut",
    "chop": "cut",
    "make": "made",
    "eat": "ate",
}
"""From the first word of a rule of TextWorld to a subgoal."""


def settings_of(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """All settings of a world, those that were not given as they usually are.

    Raises:
        ValueError: If there is no such kind.
        TypeError: If there is no such setting.
    """
    check_among(tuple(KINDS), kind=kind)
    usual = KINDS[kind].settings
    if unknown := sorted(settings.keys() - usual.keys()):
        raise TypeError(f"TextWorld-{kind} takes the settings {tuple(usual)}, got {unknown}")
    return {**usual, **settings}


def generate(kind: str, settings: dict[str, Any], number: int) -> Any:
    """A ``textworld.Game``, the same for the same arguments.

    Args:
        kind: A key of `KINDS`.
        settings: All of the kind's settings.
        number: Of the game.

    Raises:
        ImportError: If TextWorld is missing.
        RuntimeError: If TextWorld finds no such game.
    """
    try:
        import textworld  # noqa: PLC0415 - the extra "text"
    except ImportError as error:
        raise ImportError('TextWorld\'s games need the extra "text": pip install "potentia[text]"') from error
    from textworld.generator.chaining import QuestGenerationError  # noqa: PLC0415
    from textworld.generator.vtypes import NotEnoughNounsError  # noqa: PLC0415

    problems: Exception | None = None
    for attempt in range(_ATTEMPTS):
        options = textworld.GameOptions()
        seed = number + 1_000_003 * attempt
        options.seeds = seed
        textworld.g_rng.set_seed(seed)  # a few draws pass the options' seeds by
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # it tries its walkthroughs in Jericho, which warns of games not its own
                return _MAKERS[kind](settings, options)
        except (QuestGenerationError, NotEnoughNounsError) as error:
            problems = error
    raise RuntimeError(f"TextWorld makes no {kind} game with {settings}: {problems}") from problems


def _challenge(name: str, **fixed: Any) -> Callable[[dict[str, Any], Any], Any]:
    def make(settings: dict[str, Any], options: Any) -> Any:
        from textworld.challenges import CHALLENGES  # noqa: PLC0415

        return CHALLENGES[name][1]({**settings, **fixed}, options)

    return make


def _custom(settings: dict[str, Any], options: Any) -> Any:
    from textworld.generator import make_game  # noqa: PLC0415

    options.nb_rooms = settings["rooms"]
    options.nb_objects = settings["objects"]
    options.quest_length = settings["quest_length"]
    return make_game(options)


_MAKERS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "CoinCollector": _challenge("tw-coin_collector"),
    "TreasureHunter": _challenge("tw-treasure_hunter"),
    "Cooking": _challenge("tw-cooking", split=None),
    "Simple": _challenge("tw-simple", test=False),
    "Custom": _custom,
}
