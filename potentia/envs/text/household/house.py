"""The rules of ALFWorld's house: what commands do, and what is said of it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from typing import Any

from potentia.envs.text.household.language import HELP, described, understand
from potentia.envs.text.household.room import Room
from potentia.envs.text.household.tables import CLEANABLE, COOLABLE, HEATABLE, VESSELS

__all__ = ["NOTHING", "House"]

NOTHING = "Nothing happens."
"""What is said of a command that does nothing."""

_MIDDLE = "You are in the middle of a room. Looking quickly around you, "
_AT = {"clean": ("sinkbasin", CLEANABLE), "heat": ("microwave", HEATABLE), "cool": ("fridge", COOLABLE)}
Meaning = tuple[Callable[..., str], int, int]


class House:
    """A room in which one walks from receptacle to receptacle and carries at most one object.

    The rules and sentences are those of ALFWorld 0.4.2 (its ``alfred.pddl`` and ``alfred.twl2``, MIT License). Sets of
    receptacles and objects are bits of a number: bit k is number k of the `Room`.

    Args:
        room: What stands and lies where.
        wording: "move", as ALFWorld says from 0.4 on: "move apple 1 to fridge 1"; or "put", as it said before: "put
            apple 1 in/on fridge 1". Either is understood. This is what is answered and offered.

    Attributes:
        at: The receptacle that one stands at, -1 in the middle of the room, where nobody comes back to.
        held: The object in one's hand, -1 for none.
        places: The receptacle of each object, -1 for the one that is held.
        contents: The objects in each receptacle, in the order of their numbers.
        opened: The receptacles that are open.
        clean: The objects that were cleaned.
        hot: Those that are hot.
        cool: Those that are cold.
        sliced: Those that were sliced.
        lit: The lamps that were turned on. ALFWorld's stay on.
    """

    __slots__ = (
        "at", "clean", "contents", "cool", "held", "hot", "lit", "opened", "places", "room", "sliced", "wording",
    )  # fmt: skip

    def __init__(self, room: Room, wording: str = "move") -> None:
        self.room, self.wording = room, wording
        self.at = self.held = -1
        self.places = list(room.places)
        self.contents: list[list[int]] = [[] for _ in room.receptacles]
        for obj, place in enumerate(room.places):
            self.contents[place].append(obj)
        self.opened = self.clean = self.hot = self.cool = self.sliced = self.lit = 0

    def state(self) -> tuple[Any, ...]:
        """All that changes, as a key."""
        return (
            self.at, self.held, tuple(self.places), self.opened, self.clean, self.hot, self.cool, self.sliced, self.lit,
        )  # fmt: skip

    def intro(self) -> str:
        """What is said first."""
        task = f"Your task is to: {self.room.goal.sentence}."
        return f"-= Welcome to TextWorld, ALFRED! =-\n\n{_MIDDLE}{self.room.overview}\n\n{task}"

    def do(self, command: str) -> str:
        """Does what a command says, and returns what is answered."""
        act, first, second = self.room.parsed.get(command) or self._parse(command)
        return act(self, first, second)

    def visible(self) -> list[int]:
        """The objects in view where one stands, besides the one held."""
        at = self.at
        if at < 0 or (self.room.openable[at] and not self.opened >> at & 1):
            return []
        return self.contents[at]

    def won(self) -> bool:
        """Whether the task is done."""
        room, task = self.room, self.room.task
        if not task.count:
            return self.held in room.targets and any(
                self.lit >> lamp & 1 and self.places[lamp] == self.at for lamp in room.lamps
            )
        ready = self.ready()
        done = [self.places[obj] for obj in room.targets if self.places[obj] in room.goal_places and ready >> obj & 1]
        return len(done) - len(set(done)) >= task.count - 1 if done else False

    def ready(self) -> int:
        """The objects that what the task asks for was done to."""
        process = self.room.task.process
        if process is None:
            return -1
        return {"clean": self.clean, "heat": self.hot, "cool": self.cool}[process.verb]

    def commands(self) -> list[str]:
        """The commands that do something: first those on what is at hand, then walks, then those that only look."""
        room, at, held = self.room, self.at, self.held
        acts: list[str] = []
        looks = ["look", "inventory", "help"]
        if at >= 0:
            place, seen = room.receptacles[at], self.visible()
            if room.openable[at]:
                acts.append(f"{'close' if self.opened >> at & 1 else 'open'} {place}")
            if held < 0:
                acts += [f"take {room.objects[obj]} from {place}" for obj in seen if obj not in room.lamps]
            else:
                acts += self._held_commands(place)
            acts += [f"use {room.objects[obj]}" for obj in self.contents[at] if obj in room.lamps]
            looks.insert(0, f"examine {place}")
        if held >= 0:
            looks.insert(0, f"examine {room.objects[held]}")
        here = room.receptacles[at] if at >= 0 else ""
        return [*acts, *(walk for name, walk in room.walks.items() if name != here), *looks]

    def _held_commands(self, place: str) -> list[str]:
        room, at, held = self.room, self.at, self.held
        name, kind = room.objects[held], room.object_kinds[held]
        acts: list[str] = []
        if room.fits(held, at) and not (room.openable[at] and not self.opened >> at & 1):
            acts.append(f"move {name} to {place}" if self.wording == "move" else f"put {name} in/on {place}")
        acts += [f"{verb} {name} with {place}" for verb, (where, kinds) in _AT.items()
                 if room.kinds[at] == where and kind in kinds]  # fmt: skip
        if held in room.knives:
            acts += [f"slice {room.objects[obj]} with {name}" for obj in self.contents[at] if obj in room.sliceable]
        return acts

    def _parse(self, command: str) -> Meaning:
        verb, first, second = understand(command, self.room.receptacles, self.room.objects)
        meaning = _ACTS[verb], first, second
        if verb and len(self.room.parsed) < 2_000:  # agents can say any amount of nonsense
            self.room.parsed[command] = meaning
        return meaning

    def _nothing(self, first: int, second: int) -> str:
        return NOTHING

    def _help(self, first: int, second: int) -> str:
        return HELP

    def _look(self, first: int, second: int) -> str:
        if self.at < 0:
            return f"{_MIDDLE}you see nothing."  # ALFWorld says only once what there is
        return f"You are facing the {self.room.receptacles[self.at]}. Next to it, you see nothing."

    def _inventory(self, first: int, second: int) -> str:
        if self.held < 0:
            return "You are not carrying anything."
        return f"You are carrying: {self.room.indefinite[self.held]}."

    def _go(self, place: int, second: int) -> str:
        if place == self.at:
            return NOTHING
        self.at = place
        return f"You arrive at {self.room.receptacles[place]}. {self._shown(place)}"

    def _open(self, place: int, second: int) -> str:
        if place != self.at or not self.room.openable[place] or self.opened >> place & 1:
            return NOTHING
        self.opened |= 1 << place
        return f"You open the {self.room.receptacles[place]}. {self._shown(place)}"

    def _close(self, place: int, second: int) -> str:
        if place != self.at or not self.opened >> place & 1:
            return NOTHING
        self.opened ^= 1 << place
        return f"You close the {self.room.receptacles[place]}."

    def _take(self, obj: int, place: int) -> str:
        room = self.room
        if place != self.at or self.held >= 0 or obj in room.lamps or obj not in self.visible():
            return NOTHING
        self.contents[place].remove(obj)
        self.places[obj], self.held = -1, obj
        return f"You pick up the {room.objects[obj]} from the {room.receptacles[place]}."

    def _put(self, obj: int, place: int) -> str:
        room = self.room
        shut = room.openable[place] and not self.opened >> place & 1
        if place != self.at or obj != self.held or shut or not room.fits(obj, place):
            return NOTHING
        insort(self.contents[place], obj)
        self.places[obj], self.held = place, -1
        how = "move" if self.wording == "move" else "put"
        where = "to" if self.wording == "move" else "in/on"
        return f"You {how} the {room.objects[obj]} {where} the {room.receptacles[place]}."

    def _may(self, verb: str, obj: int, place: int) -> bool:
        where, kinds = _AT[verb]
        at_it = place == self.at and self.room.kinds[place] == where
        return at_it and obj == self.held and self.room.object_kinds[obj] in kinds

    def _clean(self, obj: int, place: int) -> str:
        if not self._may("clean", obj, place):
            return NOTHING
        self.clean |= 1 << obj
        return f"You clean the {self.room.objects[obj]} using the {self.room.receptacles[place]}."

    def _heat(self, obj: int, place: int) -> str:
        if not self._may("heat", obj, place):
            return NOTHING
        self.hot |= 1 << obj
        self.cool &= ~(1 << obj)
        return f"You heat the {self.room.objects[obj]} using the {self.room.receptacles[place]}."

    def _cool(self, obj: int, place: int) -> str:
        if not self._may("cool", obj, place):
            return NOTHING
        self.cool |= 1 << obj
        self.hot &= ~(1 << obj)
        return f"You cool the {self.room.objects[obj]} using the {self.room.receptacles[place]}."

    def _use(self, lamp: int, second: int) -> str:
        if lamp not in self.room.lamps or self.at < 0 or self.places[lamp] != self.at:
            return NOTHING
        self.lit |= 1 << lamp
        return f"You turn on the {self.room.objects[lamp]}."

    def _slice(self, obj: int, knife: int) -> str:
        room = self.room
        at_it = self.at >= 0 and self.places[obj] == self.at
        if not at_it or knife != self.held or knife not in room.knives or obj not in room.sliceable:
            return NOTHING
        self.sliced |= 1 << obj
        return f"You sliced the {room.objects[obj]} with the {room.objects[knife]}."

    def _examine_place(self, place: int, second: int) -> str:
        return self._shown(place) if place == self.at else NOTHING

    def _examine(self, obj: int, second: int) -> str:
        if obj != self.held:
            return NOTHING  # in ALFWorld, too, one sees no more of an object until one holds it
        name = self.room.objects[obj]
        if self.room.object_kinds[obj] in VESSELS:
            return f"This is a normal {name}. In it, you see nothing."
        states = (self.hot >> obj & 1, self.cool >> obj & 1, self.clean >> obj & 1, self.sliced >> obj & 1)
        return described(name, *map(bool, states))

    def _shown(self, place: int) -> str:
        room = self.room
        name = room.receptacles[place]
        if not room.openable[place]:
            return f"On the {name}, you see {room.listed(self.contents[place])}."
        if not self.opened >> place & 1:
            return f"The {name} is closed."
        return f"The {name} is open. In it, you see {room.listed(self.contents[place])}."


_ACTS: dict[str, Callable[..., str]] = {
    "": House._nothing,
    "look": House._look,
    "inventory": House._inventory,
    "help": House._help,
    "go to": House._go,
    "open": House._open,
    "close": House._close,
    "take": House._take,
    "put": House._put,
    "clean": House._clean,
    "heat": House._heat,
    "cool": House._cool,
    "use": House._use,
    "slice": House._slice,
    "examine": House._examine,
    "examine place": House._examine_place,
}
