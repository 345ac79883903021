"""Breadth-first search for the shortest ways to the goal of an application task."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from potentia.envs.web.actions import Action
from potentia.envs.web.tasks.explorer import Explorer, Place

__all__ = ["Ways", "shortest"]


@dataclass(frozen=True)
class Ways:
    """The shortest ways from a state that are known.

    Attributes:
        actions: How many actions they take.
        first: The actions with which one of them begins: after these the goal is nearer, after others it isn't.
    """

    actions: int
    first: frozenset[Action]


def shortest(explorer: Explorer, place: Place, most: int, tries: int) -> Ways | None:
    """The shortest ways, over all that `Explorer.offered` gives. They are exact.

    States are the same if address, elements, databases and as much of the history as can still be gone back are.

    Args:
        explorer: Of the episode.
        place: Where the ways begin.
        most: Longer ways are not looked for.
        tries: How many actions are tried at most. A page with forms offers some 50.

    Returns:
        None if all ways are longer, or it can't be told with so few tries.
    """
    level: dict[Hashable, tuple[Place, frozenset[Action]]] = {None: (place, frozenset())}
    seen: set[Hashable] = {_identity(place, most)}
    for depth in range(1, most + 1):
        following: dict[Hashable, tuple[Place, frozenset[Action]]] = {}
        right: frozenset[Action] = frozenset()
        for here, first in level.values():
            for action in _worth_trying(explorer, here, last=depth == most):
                if (tries := tries - 1) < 0:
                    return None
                there = explorer.after(here, action)
                begun = first or frozenset((action,))
                if explorer.succeeds(there):
                    right |= begun
                elif there.answer is None and (key := _identity(there, most - depth)) not in seen:
                    known = following.get(key)
                    following[key] = (there, begun | known[1] if known else begun)
        if right:
            return Ways(depth, right)
        seen |= following.keys()
        level = following
    return None


def _worth_trying(explorer: Explorer, place: Place, *, last: bool) -> Iterator[Action]:
    """What is offered. The last action can only be an answer or what sends a form: no other changes a database."""
    for action in explorer.offered(place):
        sends = action.kind == "press" or (action.kind == "click" and _role(place, action) == "button")
        if not last or action.kind == "answer" or sends:
            yield action


def _role(place: Place, action: Action) -> str:
    return place.shown.elements[action.row].role


def _identity(place: Place, left: int) -> Hashable:
    return place.page.url, tuple(place.shown.elements), place.contents, place.behind(left)
