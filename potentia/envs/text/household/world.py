"""ALFWorld's household tasks as an environment."""

from __future__ import annotations

from random import Random
from typing import Any

from potentia.envs.text.game import PlainGame, Turn, text_hash
from potentia.envs.text.household.furnishing import SIZES, furnish
from potentia.envs.text.household.house import NOTHING, House
from potentia.envs.text.household.report import caption, facts
from potentia.envs.text.household.room import Room
from potentia.envs.text.household.tasks import TASKS
from potentia.envs.text.household.way import shortest_way
from potentia.envs.world import Wanted
from potentia.limits import check_among

__all__ = ["Household", "make_household"]

_WORDINGS = ("move", "put")
_SILENT = frozenset[str]()


class Household(PlainGame):
    """The six household tasks of ALFWorld (Shridhar et al. 2021, arXiv 2010.03768), in plain Python.

    The commands, answers and rules are ALFWorld's: one walks from receptacle to receptacle, opens what is closed, takes
    one object at a time, washes, heats or cools it, and puts it where it is wanted. Only what is in view is told. The
    rooms are drawn from ALFRED's tables (Shridhar et al. 2020, arXiv 1912.01734). The reward is 1 at success.

    Args:
        task: A name in `TASKS`, or "any": each episode draws one of the six.
        size: "full": rooms as large as ALFWorld's. "small": at most two receptacles of a kind, and a few objects.
        rooms: The number of different rooms, the same in each environment, from which each episode draws one. None:
            each episode has a new one.
        wording: "move", as ALFWorld says from 0.4 on ("move apple 1 to fridge 1"), or "put", as it said before ("put
            apple 1 in/on fridge 1"). Either is understood.
        paraphrase: Whether goals are also said in other words than ALFWorld's.
        max_episode_steps: After so many commands the episode is truncated. 50 is ALFWorld's limit.
        info_keys: The keys of ``info`` wanted, "all", or None for those that cost nothing.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If an argument is none of these.
    """

    kept = ("house",)

    def __init__(
        self,
        task: str = "any",
        *,
        size: str = "full",
        rooms: int | None = None,
        wording: str = "move",
        paraphrase: bool = False,
        max_episode_steps: int | None = 50,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        check_among(("any", *TASKS), task=task)
        check_among(tuple(SIZES), size=size)
        check_among(_WORDINGS, wording=wording)
        if rooms is not None and (isinstance(rooms, bool) or not isinstance(rooms, int) or rooms < 1):
            raise ValueError(f"rooms must be None or a whole number from 1, got {rooms!r}")
        self._tasks = tuple(TASKS) if task == "any" else (task,)
        self._size, self._rooms, self._wording, self._paraphrase = size, rooms, wording, paraphrase
        self._pool: dict[int, Room] = {}
        self._known: tuple[tuple[Any, ...], tuple[str, ...]] | None = None
        self.event_names = tuple(dict.fromkeys(event for name in self._tasks for event in TASKS[name].events))
        self.distance_scale = float(max(TASKS[name].farthest for name in self._tasks))
        self.house = House(furnish(self._tasks, Random(0), size=size), wording)
        super().__init__(
            {
                "caption": self._caption,
                "state_hash": self._hash,
                "distance": self._distance,
                "facts": self._facts,
                "plan": self._plan_lines,
            },
            max_episode_steps=max_episode_steps,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def commands(self) -> list[str]:
        """ALFWorld's admissible commands: first those on what is at hand, then walks, then those that only look."""
        return self.house.commands()

    @property
    def optimal_return(self) -> float | None:
        """1, if the time limit allows the farthest task."""
        return 1.0 if self.time_limit is None or self.time_limit >= self.distance_scale else None

    def goal_text(self) -> str:
        """ALFWorld's sentence, such as "put a clean mug in cabinet"."""
        return self.house.room.goal.sentence

    def plan(self) -> tuple[str, ...]:
        """The commands of a shortest way to success from here, by what is true and not by what was seen."""
        key = (id(self.house.room), *self.house.state())
        if self._known is None or self._known[0] != key:
            self._known = key, shortest_way(self.house)
        return self._known[1]

    def _begin(self) -> str:
        drawn = self.np_random.integers(2**62 if self._rooms is None else self._rooms)
        self.house = House(self._room(int(drawn)), self._wording)
        self._known = None
        return self.house.intro()

    def _room(self, number: int) -> Room:
        if (room := self._pool.get(number)) is None:
            room = furnish(self._tasks, Random(number), size=self._size, paraphrase=self._paraphrase)
            if self._rooms is not None:
                self._pool[number] = room
        return room

    def _act(self, command: str) -> Turn:
        house = self.house
        before = (house.held, house.ready(), house.lit) if "subgoals" in self.info_keys else None
        text = house.do(command)
        if text is NOTHING:
            return Turn(text)
        success = house.won()
        events = self._events(text, *before, success) if before else _SILENT
        return Turn(text, float(success), success, False, events)

    def _events(self, text: str, held: int, ready: int, lit: int, success: bool) -> frozenset[str]:
        """The subgoals of a command, by what was held, washed and lit before it."""
        house = self.house
        room, task = house.room, house.room.task
        events = set()
        if text.startswith(("You arrive", "You open")) and any(self._sought(obj) for obj in house.visible()):
            events.add("found")
        elif held != house.held:
            if house.held in room.targets:
                events.add("taken")
            elif success:
                events.add("placed")
            elif task.count > 1 and held in room.targets and house.at in room.goal_places:
                events.add("placed_first")
        elif task.process and house.ready() & ~ready & sum(1 << obj for obj in room.targets):
            events.add(task.process.event)
        elif house.lit != lit and not task.count:
            events.add("lamp_on")
        if success and not task.count:
            events.add("looked")
        return frozenset(events) if events else _SILENT

    def _sought(self, obj: int) -> bool:
        """Whether an object is of the kind wanted, and not yet where it is wanted."""
        house, room = self.house, self.house.room
        if obj not in room.targets:
            return False
        return house.places[obj] not in room.goal_places or not house.ready() >> obj & 1

    def _distance(self) -> int:
        return len(self.plan())

    def _plan_lines(self) -> str:
        return "\n".join(self.plan())

    def _caption(self) -> str:
        return caption(self.house)

    def _facts(self) -> str:
        return "\n".join(facts(self.house))

    def _hash(self) -> int:
        room = self.house.room
        goal = room.goal
        return text_hash(*room.receptacles, "", *room.objects, goal.task, goal.target, goal.place, goal.sentence,
                         repr(self.house.state()))  # fmt: skip


def make_household(**kwargs: Any) -> Household:
    """A `Household` of these arguments."""
    return Household(**kwargs)
