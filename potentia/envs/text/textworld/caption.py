"""What the player perceives, in words made from the facts alone: equal for equal states, and without a command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from potentia.envs.text.textworld.symbols import State, Symbols

__all__ = ["caption"]

_WAYS = ("north", "east", "south", "west")
_SEEN = {
    "needs_cooking": "raw",
    **{
        look: look
        for look in [
            "open",
            "closed",
            "locked",
            "raw",
            "fried",
            "roasted",
            "grilled",
            "burned",
            "uncut",
            "chopped",
            "sliced",
            "diced",
        ]
    },
}
"""The properties that can be seen, and what they look like."""


def caption(symbols: Symbols, state: State) -> str:
    """The room, its exits, what is in sight and what is carried, in a fixed order.

    Things in closed containers and in other rooms are left out.
    """
    facts = symbols.holding(state)
    here = next((fact[2] for fact in facts if fact[:2] == ("at", "P")), "")
    inside: dict[str, list[str]] = defaultdict(list)
    looks: dict[str, list[str]] = defaultdict(list)
    for fact in facts:
        if len(fact) == 3 and fact[0] in ("at", "on", "in") and fact[1] != "P" and fact[1] in symbols.names:
            inside[fact[2]].append(fact[1])
        elif len(fact) == 2 and fact[0] in _SEEN:
            looks[fact[1]].append(_SEEN[fact[0]])

    def visible(things: list[str]) -> Iterator[str]:
        for thing in sorted(things, key=symbols.names.__getitem__):
            look = f" ({', '.join(sorted(looks[thing]))})" if looks[thing] else ""
            yield f"{symbols.names[thing]}{look}"
            if "closed" not in looks[thing] and "locked" not in looks[thing]:
                for one in visible(inside[thing]):
                    yield f"{one} [{symbols.names[thing]}]" if "[" not in one else one

    exits = ", ".join(_exits(symbols, facts, here, looks)) or "none"
    sight, carried = ", ".join(visible(inside[here])) or "nothing", ", ".join(visible(inside["I"])) or "nothing"
    return f"You are in the {symbols.names.get(here, here)}. Exits: {exits}. You see: {sight}. You carry: {carried}."


def _exits(symbols: Symbols, facts: list[tuple[str, ...]], here: str, looks: dict[str, list[str]]) -> Iterator[str]:
    doors = {fact[3]: fact[2] for fact in facts if fact[0] == "link" and fact[1] == here}
    for way in _WAYS:
        for fact in facts:
            if fact[0] == f"{way}_of" and fact[2] == here:
                door = doors.get(fact[1])
                look = f" ({symbols.names.get(door, door)}, {', '.join(looks[door])})" if door else ""
                yield f"{way}{look}"
