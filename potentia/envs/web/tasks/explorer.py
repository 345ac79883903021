"""Tries actions in an application task and takes them back: any state that was reached can be gone on from again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from potentia.envs.web.actions import Action, DiscreteView
from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.elements import PageState
from potentia.envs.web.tasks.episode import Episode

__all__ = ["FIELDS", "ROWS", "Explorer", "Place"]

ROWS, FIELDS = 64, 6
"""How many elements and candidate texts an agent has: what the environments give by default."""

_LONGEST = 100


@dataclass(frozen=True, eq=False)
class Place:
    """A state that was reached. Nothing changes it.

    Attributes:
        page: The page as it was left.
        saved: What the databases hold.
        contents: A number for what they hold. It is the same for the same rows.
        answer: What was answered, which ends the episode.
    """

    page: HtmlPage
    saved: Mapping[str, bytes]
    contents: int
    answer: str | None = None

    @cached_property
    def shown(self) -> PageState:
        """The rows that an agent sees."""
        state = self.page.state()
        return PageState(state.url, state.title, state.elements[:ROWS])

    def behind(self, steps: int) -> tuple[str, ...]:
        """The addresses that so many steps back lead to, the nearest last."""
        past = self.page.past
        return past[max(0, len(past) - steps) :]


class Explorer:
    """The states of an episode and the actions between them.

    It moves the episode's world to and fro, so nobody else may use it meanwhile.

    Args:
        episode: An application task.

    Attributes:
        start: The first state.
    """

    def __init__(self, episode: Episode) -> None:
        self.episode = episode
        self._view = DiscreteView(ROWS, FIELDS)
        self._numbers: dict[Any, int] = {}
        page = HtmlPage(episode.world.handle, episode.world.hosts)
        page.open(episode.start)
        self._saved: Mapping[str, bytes] = episode.world.save()
        self.start = Place(page, self._saved, self._number())

    def offered(self, place: Place) -> list[Action]:
        """What the discrete view's mask allows but for the noop: clicks, fills, answers (of a question), back, Enter.

        An answer is given as its text. Each action is there once. There is none after an answer.
        """
        if place.answer is not None:
            return []
        elements, fields = place.shown.elements, self.episode.fields
        mask = self._view.mask(elements, fields, self.episode.answer is not None, False)
        actions = (self._view.read(index, fields) for index in np.flatnonzero(mask)[1:])
        resolved = (Action("answer", text=elements[a.row].name) if a.kind == "answer" else a for a in actions)
        return list(dict.fromkeys(resolved))

    def after(self, place: Place, action: Action) -> Place:
        """Where an action leads.

        Raises:
            ValueError: If it is of a kind that `offered` never gives.
        """
        if action.kind == "answer":
            return Place(place.page, place.saved, place.contents, action.text)
        if action.kind not in ("click", "fill", "back") and action != Action("press", text="Enter"):
            raise ValueError(f"the action must be a click, fill, answer, back or the key Enter, got {action}")
        self._go_to(place)
        page, world = place.page.fork(), self.episode.world
        before = world.changes
        page.act(action)
        if world.changes == before:
            return Place(page, place.saved, place.contents)
        self._saved = world.save()
        return Place(page, self._saved, self._number())

    def succeeds(self, place: Place) -> bool:
        """Whether the task is done."""
        self._go_to(place)
        return self.episode.succeeds(place.answer)

    def remaining(self, place: Place) -> float:
        """`Episode.remaining`. It is 0 where the task is done, ``inf`` after a wrong answer."""
        if self.succeeds(place):
            return 0.0
        return math.inf if place.answer is not None else self.episode.remaining(place.shown)

    def checklist(self, place: Place) -> float:
        """The mean state of `Episode.checklist`, in [0, 1]."""
        self._go_to(place)
        items = self.episode.checklist(place.shown)
        return sum(item.state for item in items) / len(items)

    def reference(self, place: Place) -> Action | None:
        """The next action of the reference solution, if it has one from here."""
        self._go_to(place)
        return self.episode.hint(place.shown)

    def played(self, place: Place) -> float:
        """The actions that the reference solution, played from here, takes to do the task. It is ``inf`` if never."""
        for taken in range(_LONGEST):
            if self.succeeds(place):
                return taken
            if place.answer is not None or (action := self.reference(place)) is None:
                break
            place = self.after(place, action)
        return math.inf

    def _go_to(self, place: Place) -> None:
        if self._saved is not place.saved:
            self.episode.world.restore(place.saved)
            self._saved = place.saved

    def _number(self) -> int:
        tables = self.episode.world.contents()
        rows = frozenset((table, frozenset(rows.items())) for table, rows in tables.items())
        return self._numbers.setdefault(rows, len(self._numbers))
