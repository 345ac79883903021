"""Exact distances: the fewest commands from a state of a game to its end, by search over what matters to it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import cached_property

from potentia.envs.text.textworld.symbols import Deed, State, Symbols

__all__ = ["Planner", "TooManyStatesError"]

_LIMIT = 300_000
"""States that are searched before it is given up. Each takes some hundred bytes."""


class TooManyStatesError(RuntimeError):
    """A game has more states that matter than are searched."""


class Planner:
    """The distances of one game, of all states that were reached in a search so far.

    Only deeds are searched that can matter: those from which the goals follow, and of these none that can only be
    undone (closing what must be opened, dropping what must be carried). Leaving such a deed out of a plan, and what
    undoes it, leaves a plan.

    Args:
        symbols: The game.
    """

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols
        deeds, self._matters = _that_matter(symbols)
        self._all = replace(symbols, deeds=tuple(deeds))
        self._known: dict[State, int] = {}

    def distance(self, state: State) -> int:
        """The fewest commands to success, -1 if there is no way.

        Raises:
            TooManyStatesError: If the search is too large.
        """
        state &= self._mask
        if state not in self._known:
            self._search(state)
        return self._known[state]

    def plan(self, state: State) -> list[str]:
        """The commands of a shortest way, the first by name among equals. It is empty where there is none."""
        commands: list[str] = []
        state &= self._mask
        left = self.distance(state)
        while left > 0:
            left -= 1
            command, state = min(
                (deed.command, after) for deed, after in self._steps(state) if self.distance(after) == left
            )
            commands.append(command)
        return commands

    @cached_property
    def _mask(self) -> int:
        goals = (1 << len(self._symbols.goals)) - 1
        return self._matters | goals << len(self._symbols.facts) | self._symbols.lost_bit

    def _steps(self, state: State) -> list[tuple[Deed, State]]:
        return [(deed, self._all.after(state, deed) & self._mask) for deed in self._all.possible(state)]

    def _search(self, start: State) -> None:
        """Finds all states that can follow and are not known, and their distances backwards from success."""
        before: dict[State, list[State]] = {start: []}
        border: dict[int, list[State]] = {}
        queue = deque([start])
        while queue:
            state = queue.popleft()
            left = 0 if self._symbols.won(state) else self._known.get(state, -1)
            if left >= 0:
                border.setdefault(left, []).append(state)
            if left >= 0 or state in self._known or self._symbols.lost(state):
                continue
            for _, after in self._steps(state):
                if after not in before:
                    before[after] = []
                    queue.append(after)
                before[after].append(state)
            if len(before) + len(self._known) > _LIMIT:
                raise TooManyStatesError(
                    f"this game has more than {_LIMIT} states that matter: make it smaller, or don't ask for distance, "
                    "potential and plan"
                )
        for left in iter(lambda: min(border, default=None), None):
            for state in border.pop(left):
                if self._known.setdefault(state, left) == left:
                    new = [one for one in before.get(state, ()) if one not in self._known]
                    if new:
                        border.setdefault(left + 1, []).extend(new)
        for state in before:
            self._known.setdefault(state, -1)


def _that_matter(symbols: Symbols) -> tuple[list[Deed], int]:
    """The deeds that can help, and the facts that these need."""
    wanted = 0
    for goal in symbols.goals:
        for bits in (*goal.wins, *goal.fails):
            wanted |= bits
    deeds = [deed for deed in symbols.deeds if deed.adds or deed.removes]
    while True:
        deeds, matters = _leading_to(deeds, wanted)
        undone = next((deed for deed in deeds if _only_undone(deed, deeds, wanted, matters)), None)
        if undone is None:
            return deeds, matters
        deeds.remove(undone)


def _leading_to(deeds: list[Deed], wanted: int) -> tuple[list[Deed], int]:
    matters, chosen = wanted, list[Deed]()
    while True:
        helping = [deed for deed in deeds if deed.adds & matters]
        if len(helping) == len(chosen):
            return chosen, matters
        chosen = helping
        for deed in chosen:
            matters |= deed.needs


def _only_undone(deed: Deed, deeds: list[Deed], wanted: int, matters: int) -> bool:
    """Whether all that need what a deed brings about bring back what it removed, and nothing else."""
    added = deed.adds & matters
    if not deed.removes or added & wanted:
        return False
    using = [other for other in deeds if other.needs & added]
    return all(
        not other.adds & matters & ~deed.removes and other.needs & added & other.removes == other.needs & added
        for other in using
    )
