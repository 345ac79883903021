"""The shortest way to success: what to carry where, in the fewest commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from potentia.envs.text.household.house import House

__all__ = ["shortest_way"]

Stop = tuple[int, bool, tuple[str, ...]]
"""A receptacle, whether it must be open, and the commands to give there."""


def shortest_way(house: House) -> tuple[str, ...]:
    """The commands of a shortest way to success. It is empty where the task is done.

    A shortest way is a few stops: put down what is in the way, take the object, wash (heat, cool) it, put it where it
    is wanted. A walk costs one command wherever it leads, and a receptacle is opened at most once. So the cost of some
    stops depends on which of them are the same, are here, and are open, and receptacles that are alike in this need not
    all be tried.
    """
    if house.won():
        return ()
    return min((_commands(house, stops) for stops in _ways(house)), key=len)


def _commands(house: House, stops: tuple[Stop, ...]) -> tuple[str, ...]:
    room, at, opened = house.room, house.at, house.opened
    commands: list[str] = []
    for place, open_, acts in stops:
        name = room.receptacles[place]
        if place != at:
            commands.append(f"go to {name}")
            at = place
        if open_ and room.openable[place] and not opened >> place & 1:
            commands.append(f"open {name}")
            opened |= 1 << place
        commands += acts
    return tuple(commands)


def _ways(house: House) -> Iterator[tuple[Stop, ...]]:
    """Stops that lead to success, a shortest way among them."""
    room, held = house.room, house.held
    if held in room.targets:
        yield from _ends(house, held)
        if not room.task.process or house.ready() >> held & 1:
            return
        sources = [obj for obj in room.targets if obj != held and house.ready() >> obj & 1]
    else:
        sources = list(room.targets)
    for obj in sources:
        taken = _take(house, obj)
        for end in _ends(house, obj):
            if held < 0:
                yield taken, *end
            else:
                spots = {house.at, taken[0], *(stop[0] for stop in end)}
                for place in _some(house, _holding(house, held), spots):
                    yield _put(house, held, place), taken, *end


def _ends(house: House, obj: int) -> Iterator[tuple[Stop, ...]]:
    """What is left to do with the object in hand."""
    room, task = house.room, house.room.task
    spots = {house.at, *(place for o in room.targets if (place := house.places[o]) >= 0)}
    if not task.count:
        for lamp in room.lamps:
            lit = house.lit >> lamp & 1
            yield ((house.places[lamp], False, () if lit else (f"use {room.objects[lamp]}",)),)
        return
    if task.process is None or house.ready() >> obj & 1:
        befores: list[tuple[Stop, ...]] = [()]
    else:
        verb, where = task.process.verb, task.process.place
        befores = [
            ((place, False, (f"{verb} {room.objects[obj]} with {room.receptacles[place]}",)),)
            for place, kind in enumerate(room.kinds)
            if kind == where
        ]
    spots.update(stop[0] for before in befores for stop in before)
    for before, place in product(befores, _some(house, room.goal_places, spots)):
        end = (*before, _put(house, obj, place))
        if task.count < 2 or any(o != obj and house.places[o] == place for o in room.targets):
            yield end
            continue
        for other in room.targets:
            if other not in (obj, house.held):
                yield *end, _take(house, other), _put(house, other, place)


def _take(house: House, obj: int) -> Stop:
    room, place = house.room, house.places[obj]
    return place, True, (f"take {room.objects[obj]} from {room.receptacles[place]}",)


def _put(house: House, obj: int, place: int) -> Stop:
    room = house.room
    name, where = room.objects[obj], room.receptacles[place]
    return place, True, (f"move {name} to {where}" if house.wording == "move" else f"put {name} in/on {where}",)


def _holding(house: House, obj: int) -> frozenset[int]:
    """The receptacles that can hold an object."""
    return frozenset(place for place in range(len(house.room.receptacles)) if house.room.fits(obj, place))


def _some(house: House, places: frozenset[int], spots: set[int]) -> list[int]:
    """Of receptacles those that are spots where one stops anyway, and of the others one, open if there is such."""
    others = sorted(places - spots, key=lambda place: (_shut(house, place), place))
    return [*sorted(places & spots), *others[:1]]


def _shut(house: House, place: int) -> bool:
    return house.room.openable[place] and not house.opened >> place & 1
