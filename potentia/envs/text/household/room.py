"""A room: what stands and lies in it when an episode begins, and what is to be done there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from potentia.envs.text.household.tables import HOLDERS, KNIVES, LAMP, OPENABLE, SLICEABLE
from potentia.envs.text.household.tasks import TASKS, Goal

__all__ = ["Room"]


class Room:
    """What doesn't change in an episode. Receptacles and objects are numbers, from 0 in the order of their names.

    Args:
        receptacles: Names, such as "cabinet 2".
        objects: Names, such as "apple 1".
        places: For each object the number of the receptacle in which it lies at first.
        goal: What is to be done.

    Raises:
        ValueError: If an object lies where its kind can't, or the goal's kind of object isn't there.
    """

    def __init__(self, receptacles: Sequence[str], objects: Sequence[str], places: Sequence[int], goal: Goal) -> None:
        self.receptacles, self.objects, self.places = tuple(receptacles), tuple(objects), tuple(places)
        self.goal = goal
        self.kinds = tuple(map(_kind, self.receptacles))
        self.object_kinds = tuple(map(_kind, self.objects))
        for name, kind, place in zip(self.objects, self.object_kinds, self.places, strict=True):
            if kind != LAMP and kind not in HOLDERS[self.kinds[place]]:
                raise ValueError(f"{name} can't lie in {self.receptacles[place]}: that holds no {kind}")
        self.task = TASKS[goal.task]
        self.openable = tuple(kind in OPENABLE for kind in self.kinds)
        self.lamps = self._numbers({LAMP})
        self.knives, self.sliceable = self._numbers(KNIVES), self._numbers(SLICEABLE)
        self.targets = self._numbers({goal.target})
        self.goal_places = frozenset(r for r, kind in enumerate(self.kinds) if kind == goal.place)
        if not self.targets or not (self.goal_places or self.lamps):
            raise ValueError(f"{goal.sentence!r} needs a {goal.target} and a {goal.place}; the room lacks one")
        self.indefinite = tuple(f"a {name}" for name in self.objects)
        self.walks = {name: f"go to {name}" for name in sorted(self.receptacles)}
        self.overview = f"you see {_listed(f'a {name}' for name in self.receptacles)}."
        self.parsed: dict[str, Any] = {}
        """What commands mean here, filled in by `House` as they come."""

    def fits(self, obj: int, place: int) -> bool:
        """Whether an object can lie in a receptacle."""
        return self.object_kinds[obj] in HOLDERS[self.kinds[place]]

    def listed(self, objects: Sequence[int]) -> str:
        """Objects in words."""
        return _listed([self.indefinite[obj] for obj in objects])

    def _numbers(self, kinds: Iterable[str]) -> frozenset[int]:
        wanted = frozenset(kinds)
        return frozenset(number for number, kind in enumerate(self.object_kinds) if kind in wanted)

    def __reduce__(self) -> tuple[type[Room], tuple[Any, ...]]:
        return Room, (self.receptacles, self.objects, self.places, self.goal)

    def __deepcopy__(self, memo: dict[int, Any]) -> Room:
        return self  # it doesn't change

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Room) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())


def _kind(name: str) -> str:
    return name.partition(" ")[0]


def _listed(names: Iterable[str]) -> str:
    *first, last = names or ("nothing",)
    return f"{', '.join(first)}, and {last}" if first else last
