"""What is true in a game and what each command changes, as bits, read once from TextWorld's own logic."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

__all__ = ["Deed", "Goal", "Symbols", "read_symbols"]

State = int
"""A bit a fact, and above them a bit for each goal that is reached and one for a game that is lost."""


@dataclass(frozen=True)
class Deed:
    """A command in a situation: what it needs, adds and removes, as bits of facts.

    Attributes:
        command: As it is typed.
        event: As the running game reports it.
        kind: The name of TextWorld's rule, such as "take/c".
        needs: All of them must hold.
        adds: Hold afterwards.
        removes: Don't.
    """

    command: str
    event: str
    kind: str
    needs: int
    adds: int
    removes: int


@dataclass(frozen=True)
class Goal:
    """A quest: it is reached once the bits of one of ``wins`` hold, and the game is lost at those of one of ``fails``.

    Attributes:
        wins: Alternatives.
        fails: Alternatives, as long as the goal is not reached.
        optional: Whether the game is won without it.
    """

    wins: tuple[int, ...]
    fails: tuple[int, ...]
    optional: bool


@dataclass(frozen=True)
class Symbols:
    """A game's logic.

    Attributes:
        facts: In words, by bit.
        deeds: All that can be done somewhere.
        goals: The quests.
        start: The facts at the start.
        objective: What the game asks for, in words.
        max_score: What all quests together pay.
        names: Of things that have one, by the id that TextWorld gives them.
    """

    facts: tuple[tuple[str, ...], ...]
    deeds: tuple[Deed, ...]
    goals: tuple[Goal, ...]
    start: State
    objective: str
    max_score: int
    names: dict[str, str]

    @cached_property
    def lost_bit(self) -> int:
        """Set where a goal has failed."""
        return 1 << (len(self.facts) + len(self.goals))

    @cached_property
    def won_bits(self) -> int:
        """All set where the game is won."""
        return sum(1 << (len(self.facts) + k) for k, goal in enumerate(self.goals) if goal.wins and not goal.optional)

    def won(self, state: State) -> bool:
        """Whether all goals that count are reached."""
        return state & self.won_bits == self.won_bits and not state & self.lost_bit

    def lost(self, state: State) -> bool:
        """Whether the game is lost."""
        return bool(state & self.lost_bit)

    def after(self, state: State, deed: Deed) -> State:
        """The state after a deed that is possible."""
        return self.settle((state & ~deed.removes) | deed.adds)

    def settle(self, state: State) -> State:
        """The state at the end of a turn, with the goals that are reached or failed in it."""
        for k, goal in enumerate(self.goals):
            bit = 1 << (len(self.facts) + k)
            if state & bit:
                continue
            if any(state & fail == fail for fail in goal.fails):
                state |= self.lost_bit
            elif any(state & win == win for win in goal.wins):
                state |= bit
        return state

    @cached_property
    def here(self) -> int:
        """All places where the player may be."""
        return sum(1 << bit for bit, fact in enumerate(self.facts) if fact[:2] == ("at", "P"))

    @cached_property
    def _places(self) -> dict[int, tuple[Deed, ...]]:
        """The deeds by the bit of the place where the player must be, 0 for any."""
        places: dict[int, list[Deed]] = defaultdict(list)
        for deed in self.deeds:
            places[deed.needs & self.here].append(deed)
        return {place: tuple(deeds) for place, deeds in places.items()}

    def possible(self, state: State) -> Iterator[Deed]:
        """What can be done in a state."""
        for place, deeds in self._places.items():
            if state & place == place:
                for deed in deeds:
                    if state & deed.needs == deed.needs:
                        yield deed

    @cached_property
    def _events(self) -> dict[str, tuple[Deed, ...]]:
        """By what the game reports. Those that need most come first, as in TextWorld."""
        events: dict[str, list[Deed]] = defaultdict(list)
        for deed in self.deeds:
            events[deed.event].append(deed)
        return {
            event: tuple(sorted(deeds, key=lambda deed: -deed.needs.bit_count())) for event, deeds in events.items()
        }

    def reported(self, state: State, event: str) -> Deed | None:
        """The deed that a running game reports in a state. None is one that changes nothing."""
        found = (deed for deed in self._events.get(event.lower(), ()) if state & deed.needs == deed.needs)
        return next(found, None)

    def holding(self, state: State) -> list[tuple[str, ...]]:
        """The facts of a state: a predicate and the ids of things each."""
        return [fact for bit, fact in enumerate(self.facts) if state >> bit & 1]

    def in_words(self, state: State) -> list[str]:
        """The facts of a state with the names of things, sorted."""
        return sorted(
            " ".join([fact[0], *(self.names.get(one, one) for one in fact[1:])]) for fact in self.holding(state)
        )

    def to_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Symbols:
        """What `to_json` wrote."""
        raw = json.loads(text)
        raw["facts"] = tuple(tuple(fact) for fact in raw["facts"])
        raw["deeds"] = tuple(Deed(**deed) for deed in raw["deeds"])
        raw["goals"] = tuple(Goal(tuple(goal["wins"]), tuple(goal["fails"]), goal["optional"]) for goal in raw["goals"])
        return cls(**raw)


def read_symbols(game: Any) -> Symbols:
    """Finds every deed of a game of TextWorld, by letting all that can ever be true be true at once.

    Args:
        game: A ``textworld.Game``.
    """
    from textworld.generator.inform7 import Inform7Game  # noqa: PLC0415 - the extra "text"
    from textworld.logic import State as Facts  # noqa: PLC0415

    world, kb = game.world, game.kb
    known = Facts(kb.logic, world.state.facts)
    actions: dict[Any, Any] = {}
    while True:
        fresh = [
            action
            for action in known.all_applicable_actions(kb.rules.values(), kb.types.constants_mapping)
            if action not in actions
        ]
        if not fresh:
            break
        for action in fresh:
            actions[action] = action
            known.add_facts(action.postconditions)
    quests = [quest for quest in game.quests if not quest.repeatable]
    conditions = {fact for quest in quests for event in _events(quest) for fact in event.condition.preconditions}
    number = {fact: bit for bit, fact in enumerate(sorted({*known.facts, *conditions}, key=str))}

    def bits(facts: Any) -> int:
        return sum(1 << number[fact] for fact in set(facts))

    inform7 = Inform7Game(game)
    whole = f"make/recipe/{sum(fact.name == 'in' and fact.names[-1] == 'RECIPE' for fact in world.state.facts)}"
    deeds = [
        Deed(
            inform7.gen_commands_from_actions([action])[0],
            kb.inform7_events[action.name].format(**_names(inform7, action)).lower(),
            action.name,
            bits(action.preconditions),
            bits(action.added),
            bits(action.removed),
        )
        for action in actions
        # The logic also lets a meal be made of a part of its recipe. The running game does not.
        if not action.name.startswith("make/recipe/") or action.name == whole
    ]
    return Symbols(
        facts=tuple((fact.name, *(one.name for one in fact.arguments)) for fact in number),
        deeds=tuple(sorted(set(deeds), key=lambda deed: (deed.command, deed.needs))),
        goals=tuple(
            Goal(
                tuple(bits(event.condition.preconditions) for event in quest.win_events),
                tuple(bits(event.condition.preconditions) for event in quest.fail_events),
                bool(quest.optional),
            )
            for quest in quests
        ),
        start=bits(world.state.facts),
        objective=game.objective,
        max_score=int(sum(quest.reward for quest in quests)),
        names={key: info.name for key, info in game.infos.items() if info.name},
    )


def _events(quest: Any) -> Iterator[Any]:
    yield from quest.win_events
    yield from quest.fail_events


def _names(inform7: Any, action: Any) -> dict[str, str]:
    """The names of what stands for each variable of the action's rule."""
    mapping = inform7.kb.rules[action.name].match(action)
    return {placeholder.name: inform7.entity_infos[one.name].name for placeholder, one in mapping.items()}
