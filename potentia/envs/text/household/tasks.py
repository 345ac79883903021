"""The six tasks of ALFWorld: what is to be done, where, and in which words."""

from __future__ import annotations

from dataclasses import dataclass

from potentia.envs.text.household.tables import CLEANABLE, COOLABLE, HEATABLE

__all__ = ["TASKS", "Goal", "Process", "Task"]


@dataclass(frozen=True)
class Process:
    """What is done to an object on its way.

    Attributes:
        verb: The command, as in "clean apple 1 with sinkbasin 1".
        place: The kind of receptacle that it is done at.
        objects: The kinds of objects that it can be done to.
        event: The subgoal.
    """

    verb: str
    place: str
    objects: frozenset[str]
    event: str


@dataclass(frozen=True)
class Task:
    """A kind of task.

    Attributes:
        name: Of its id.
        alfworld: Its name in ALFWorld.
        rooms: The kinds of rooms where it is set.
        sentences: ALFWorld's own templates of the goal.
        paraphrases: Others of this library.
        farthest: The most commands that success can take, from the worst state there is.
        process: What is done to the object first, if anything.
        count: How many objects are to be placed. 0: one is to be held under a lamp that is on.
    """

    name: str
    alfworld: str
    rooms: tuple[str, ...]
    sentences: tuple[str, ...]
    paraphrases: tuple[str, ...]
    farthest: int
    process: Process | None = None
    count: int = 1

    @property
    def events(self) -> tuple[str, ...]:
        """The names of its subgoals, in the order in which they are due."""
        if not self.count:
            return "found", "taken", "lamp_on", "looked"
        on_the_way = (self.process.event,) if self.process else ("placed_first",) * (self.count - 1)
        return "found", "taken", *on_the_way, "placed"


@dataclass(frozen=True)
class Goal:
    """A task with its objects.

    Attributes:
        task: The name of the kind of task.
        target: The kind of object.
        place: The kind of receptacle it is to lie in, or of the lamp.
        sentence: The goal in words.
    """

    task: str
    target: str
    place: str
    sentence: str


_CLEAN = Process("clean", "sinkbasin", CLEANABLE, "cleaned")
_HEAT = Process("heat", "microwave", HEATABLE, "heated")
_COOL = Process("cool", "fridge", COOLABLE, "cooled")
_ANYWHERE = ("kitchen", "livingroom", "bedroom", "bathroom")

# The farthest state has one's hands full of something else (go, open, put), the object in something closed (go, open,
# take), the receptacle closed and elsewhere (go, open, put). A process adds two, a second object five.
_ALL = (
    Task(
        "PickAndPlace",
        "pick_and_place_simple",
        _ANYWHERE,
        ("put a {obj} in {recep}", "put some {obj} on {recep}"),
        ("find a {obj} and leave it in {recep}", "there should be a {obj} in the {recep}"),
        farthest=9,
    ),
    Task(
        "LookInLight",
        "look_at_obj_in_light",
        ("livingroom", "bedroom"),
        ("look at {obj} under the {recep}", "examine the {obj} with the {recep}"),
        ("hold a {obj} in the light of the {recep}", "take a {obj} to a {recep} that is on"),
        farthest=8,
        count=0,
    ),
    Task(
        "PickCleanThenPlace",
        "pick_clean_then_place_in_recep",
        ("kitchen", "bathroom"),
        ("put a clean {obj} in {recep}", "clean some {obj} and put it in {recep}"),
        ("wash a {obj} and leave it in {recep}", "there should be a clean {obj} in the {recep}"),
        farthest=11,
        process=_CLEAN,
    ),
    Task(
        "PickHeatThenPlace",
        "pick_heat_then_place_in_recep",
        ("kitchen",),
        ("put a hot {obj} in {recep}", "heat some {obj} and put it in {recep}"),
        ("warm a {obj} up and leave it in {recep}", "there should be a hot {obj} in the {recep}"),
        farthest=11,
        process=_HEAT,
    ),
    Task(
        "PickCoolThenPlace",
        "pick_cool_then_place_in_recep",
        ("kitchen",),
        ("put a cool {obj} in {recep}", "cool some {obj} and put it in {recep}"),
        ("chill a {obj} and leave it in {recep}", "there should be a cold {obj} in the {recep}"),
        farthest=11,
        process=_COOL,
    ),
    Task(
        "PickTwoAndPlace",
        "pick_two_obj_and_place",
        _ANYWHERE,
        ("put two {obj} in {recep}", "find two {obj} and put them in {recep}"),
        ("bring two {obj} together in one {recep}", "there should be two {obj} in the same {recep}"),
        farthest=14,
        count=2,
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _ALL}
"""By name."""
