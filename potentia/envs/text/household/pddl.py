"""A room as a game for the real ALFWorld engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from potentia.envs.text.household.room import Room
from potentia.envs.text.household.tables import (
    CLEANABLE,
    COOLABLE,
    HEATABLE,
    HOLDERS,
    KNIVES,
    LAMP,
    SLICEABLE,
    VESSELS,
)

__all__ = ["pddl_problem", "write_game"]


def write_game(room: Room, path: str | os.PathLike[str]) -> None:
    """Writes a room as a game file for ALFWorld, whose package has the domain and the grammar."""
    data = Path(str(import_module("alfworld").__file__)).parent / "data"
    grammar = (data / "alfred.twl2").read_text().replace("UNKNOWN GOAL", room.goal.sentence)
    game = {"pddl_domain": (data / "alfred.pddl").read_text(), "grammar": grammar, "pddl_problem": pddl_problem(room),
            "solvable": True}  # fmt: skip
    Path(path).write_text(json.dumps(game))


def pddl_problem(room: Room) -> str:
    """A room as a problem in ALFRED's PDDL domain. Each receptacle has a place of its own."""
    places, objects = _identifiers(room.receptacles), _identifiers(room.objects)
    kinds = sorted({*room.kinds, "sinkbasin", "microwave", "fridge"})
    object_kinds = sorted({*room.object_kinds, *KNIVES})
    spots = [f"loc_bar_{number:03d}" for number in range(len(places))]
    listed = {"agent": ["agent1"], "location": ["loc_bar_start", *spots], "receptacle": places, "object": objects,
              "rtype": _types(kinds), "otype": _types(object_kinds)}  # fmt: skip
    facts = ["= (total-cost) 0", "atLocation agent1 loc_bar_start"]
    facts += [
        f"canContain {place}Type {kind}Type" for place in kinds for kind in object_kinds if kind in HOLDERS[place]
    ]
    for number, (name, kind) in enumerate(zip(places, room.kinds, strict=True)):
        facts += [f"receptacleType {name} {kind}Type", f"receptacleAtLocation {name} {spots[number]}"]
        facts += [f"openable {name}"] if room.openable[number] else []
    for number, (name, kind) in enumerate(zip(objects, room.object_kinds, strict=True)):
        place = room.places[number]
        facts += [f"objectType {name} {kind}Type", f"objectAtLocation {name} {spots[place]}"]
        facts += [f"inReceptacle {name} {places[place]}"]
        facts += [f"{what} {name}" for what, those in _ABLE.items() if kind in those]
        facts += [f"pickupable {name}"] if kind != LAMP else []
    lines = [f"{' '.join(names)} - {kind}" for kind, names in listed.items()]
    head = ["(define (problem room)", "(:domain alfred)", "(:objects", *lines, ")"]
    return "\n".join([*head, "(:init", *(f"({fact})" for fact in facts), ")", _goal(room)])


_ABLE = {
    "cleanable": CLEANABLE,
    "heatable": HEATABLE,
    "coolable": COOLABLE,
    "sliceable": SLICEABLE,
    "isReceptacleObject": VESSELS,
    "toggleable": frozenset({LAMP}),
}


def _types(kinds: Iterable[str]) -> list[str]:
    return [f"{kind}Type" for kind in kinds]


def _goal(room: Room) -> str:
    """The goal as ALFWorld's library of goals has it. That ends with the bracket that ends the problem."""
    goal = room.goal
    library = import_module("alfworld.gen.goal_library").gdict
    template = str(library[room.task.alfworld]["pddl"])
    return template.format(obj=goal.target, recep=goal.place, toggle=LAMP).replace("#", "-")


def _identifiers(names: Sequence[str]) -> list[str]:
    """Identifiers to which ALFWorld gives these names: it counts each kind down, in the order of the identifiers."""
    counts: dict[str, int] = {}
    for name in names:
        kind, _, number = name.partition(" ")
        counts[kind] = max(counts.get(kind, 0), int(number))
    marked = []
    for name in names:
        kind, _, number = name.partition(" ")
        basin = kind.endswith("basin")  # "Sink|1|SinkBasin" is called "sinkbasin"
        rank = f"{counts[kind] - int(number):03d}"
        marked.append(f"{kind.removesuffix('basin')}_bar_{rank}{f'_bar_{kind}' if basin else ''}")
    return marked
