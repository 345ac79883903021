"""Rooms at random, in each of which the task can be done and isn't yet."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from potentia.envs.text.household.room import Room
from potentia.envs.text.household.tables import HOLDERS, LAMP, LAMP_STANDS, OBJECTS, RECEPTACLES
from potentia.envs.text.household.tasks import TASKS, Goal, Task

__all__ = ["SIZES", "furnish"]

SIZES = {"full": (10, 20), "small": (1, 4)}
"""By name, the fewest and the most kinds of objects besides that of the goal."""

_COPIES = 3  # of one kind of object, at most: ALFRED's MAX_NUM_OF_OBJ_INSTANCES


def furnish(tasks: Sequence[str], rng: Random, *, size: str = "full", paraphrase: bool = False) -> Room:
    """Draws a room with one of the tasks.

    Each goal that makes sense in the kind of room is as likely as any other. The objects of its kind lie where they
    are not wanted. The others lie anywhere that holds them.

    Args:
        tasks: Names in `TASKS`.
        rng: Decides.
        size: "full": as many receptacles and objects as ALFWorld's rooms have, about 25 and 30. "small": at most two
            receptacles of each kind, and a few objects.
        paraphrase: Whether the goal may be said in other words than ALFWorld's.
    """
    task = TASKS[rng.choice(list(tasks))]
    options: list[tuple[str, str]] = []
    while not options:  # hardly ever a second time: only in a room that lacks almost all that it could have
        kind = rng.choice(task.rooms)
        counts = {receptacle: rng.randint(*_range(bounds, size)) for receptacle, bounds in RECEPTACLES[kind].items()}
        standing = {receptacle: count for receptacle, count in counts.items() if count}
        options = _goals(task, kind, standing)
    target, place = rng.choice(options)
    sentences = task.sentences + task.paraphrases if paraphrase else task.sentences
    goal = Goal(task.name, target, place, rng.choice(sentences).format(obj=target, recep=place))
    return _filled(task, kind, standing, goal, rng, size)


def _range(bounds: tuple[int, int], size: str) -> tuple[int, int]:
    least, most = bounds
    return (least, most) if size == "full" else (min(least, 1), min(most, 2))


def _goals(task: Task, room: str, standing: dict[str, int]) -> list[tuple[str, str]]:
    """Kinds of objects and where they may be wanted: there, and not where they are washed, heated or cooled."""
    if not task.count:
        stands = any(stand in standing for stand in LAMP_STANDS)
        return [(target, LAMP) for target in OBJECTS[room] if stands and _homes(target, standing)]
    process = task.process
    targets = [target for target in OBJECTS[room] if process is None or target in process.objects]
    homes = {target: _homes(target, standing) for target in targets}
    return [
        (target, place)
        for target in targets
        for place in homes[target]
        if len(homes[target]) > 1 and not (process and place == process.place)
    ]


def _homes(target: str, standing: dict[str, int], but: str = "") -> list[str]:
    """The kinds of receptacles that can hold a kind of object."""
    return [kind for kind in standing if kind != but and target in HOLDERS[kind]]


def _filled(task: Task, kind: str, standing: dict[str, int], goal: Goal, rng: Random, size: str) -> Room:
    receptacles = [f"{name} {number}" for name, count in sorted(standing.items()) for number in range(1, count + 1)]
    of_kind: dict[str, list[int]] = {}
    for number, name in enumerate(receptacles):
        of_kind.setdefault(name.partition(" ")[0], []).append(number)
    others = [name for name in OBJECTS[kind] if name != goal.target and _homes(name, standing)]
    rng.shuffle(others)
    counts = {name: rng.randint(1, _COPIES if size == "full" else 1) for name in others[: rng.randint(*SIZES[size])]}
    counts[goal.target] = rng.randint(max(task.count, 1), _COPIES if size == "full" else max(task.count, 1))
    if not task.count or (set(LAMP_STANDS) & set(standing) and kind != "kitchen" and rng.random() < 0.5):
        counts[LAMP] = 1
    objects: list[str] = []
    places: list[int] = []
    for name in sorted(counts):
        homes = [stand for stand in LAMP_STANDS if stand in standing] if name == LAMP else _homes(
            name, standing, goal.place if name == goal.target else ""
        )  # fmt: skip
        possible = [number for home in homes for number in of_kind[home]]
        for copy in range(1, counts[name] + 1):
            objects.append(f"{name} {copy}")
            places.append(rng.choice(possible))
    return Room(receptacles, objects, places, goal)
