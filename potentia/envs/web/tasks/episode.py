"""An episode of an application task: the world drawn for it, whether the goal is reached, and how far it is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from potentia.envs.web.actions import Action
from potentia.envs.web.apps.database import Contents, Difference, difference
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.elements import PageState
from potentia.envs.web.tasks.template import Move, Stage, Template, task_random

__all__ = ["ITEM_KINDS", "Episode", "Item"]

ItemKind = Literal["page_reached", "value_set", "edit_made"]
ITEM_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)

_LONGEST = 100


@dataclass(frozen=True)
class Item:
    """A subgoal of the checklist.

    Attributes:
        name: What is to be done.
        kind: A page to be reached, a control to be set, or an edit to be made.
        state: 1 done, 0.5 in progress, 0 not begun.
    """

    name: str
    kind: ItemKind
    state: float


class Episode:
    """A task drawn from a seed.

    Everything is a function of (template, seed, index, noise): the noise rows, the parameters, the goal's phrasing.

    Args:
        template: The task.
        seed: Of the environment.
        index: The episode's number since that seed.
        noise: Rows of each kind beside the task's own.

    Attributes:
        world: The applications, changed by what the agent does.
        goal: The goal in words.
        fields: Candidate texts.
    """

    def __init__(self, template: Template, seed: int, index: int = 0, noise: int = 8) -> None:
        random = task_random(seed, template.name, index)
        self._drawn = template, seed, index, noise
        self.template = template
        self.world = AppWorld(template.apps)
        for app in self.world.values():
            app.populate(random, noise)
        self.params = template.draw(random, self.world)
        self.goal = random.choice(template.phrasings).format(**self.params)
        self.fields = template.fields(self.params)
        self._initial = self.world.fork()
        self.stages = template.stages(self._initial, self.params)
        self.answer = template.answer(self._initial, self.params)
        self.start = self.world.start
        self._judged: tuple[int, bool] | None = None
        self._stage_at: tuple[int, frozenset[int] | None] | None = None

    def __getstate__(self) -> Any:
        """For copies, also in other processes: what it was drawn from, and what the databases hold."""
        return self._drawn, self.world.save()

    def __setstate__(self, state: Any) -> None:
        drawn, saved = state
        self.__init__(*drawn)  # type: ignore[misc]  # all else follows from it
        self.world.restore(saved)

    @cached_property
    def _wanted(self) -> Contents:
        world = self._initial.fork()
        for stage in self.stages:
            stage.edit(world)
        return world.contents()

    def difference(self) -> Difference:
        """What separates the state from the goal."""
        return difference(self.world.contents(), self._wanted)

    @property
    def reached(self) -> bool:
        """Whether the databases are exactly as wanted (of a question: unchanged)."""
        changes = self.world.changes
        if self._judged is None or self._judged[0] != changes:
            self._judged = changes, not self.difference()
        return self._judged[1]

    def succeeds(self, answer: str | None) -> bool:
        """Whether the task is done now. A question needs the right answer, everything else none."""
        if self.answer is None:
            return self.reached
        return answer is not None and _said(answer) == _said(self.answer) and self.reached

    @cached_property
    def _milestones(self) -> list[tuple[frozenset[int], Contents]]:
        """The states in which some of the stages are done, whatever their order, the most advanced first."""
        found = []
        count = len(self.stages)
        subsets = sorted(range(2**count), key=lambda bits: -bits.bit_count()) if count <= 4 else _prefixes(count)
        for bits in subsets:
            done = frozenset(i for i in range(count) if bits >> i & 1)
            world = self._initial.fork()
            try:
                for index in sorted(done):
                    self.stages[index].edit(world)
            except (LookupError, ValueError):
                continue  # a stage that needs an earlier one
            found.append((done, world.contents()))
        return found

    def done_stages(self) -> frozenset[int] | None:
        """The stages whose edits are made. It is None if the state is none on the way (something else was changed)."""
        changes = self.world.changes
        if self._stage_at is None or self._stage_at[0] != changes:
            now = self.world.contents()
            self._stage_at = changes, next((done for done, wanted in self._milestones if now == wanted), None)
        return self._stage_at[1]

    def remaining(self, page: PageState) -> float:
        """The number of actions that the reference solution still takes. It is ``inf`` where that can't go on."""
        done = self._question_or_done()
        if done is None:
            return math.inf
        left = [index for index in range(len(self.stages)) if index not in done]
        total = self._cost_from(left[0], page) if left else 0
        return float(total + sum(sum(self._costs[index]) for index in left[1:]) + (self.answer is not None))

    @cached_property
    def _costs(self) -> list[list[int]]:
        """The actions that each move of each stage takes when the whole reference solution is played."""
        play = Episode.__new__(Episode)
        play.__dict__.update(self.__dict__, world=self._initial.fork(), _judged=None, _stage_at=None)
        page = HtmlPage(play.world.handle, play.world.hosts)
        page.open(self.start)
        costs = [[0] * len(stage.moves) for stage in self.stages]
        for _ in range(_LONGEST):
            state = page.state()
            hint = play.hint(state)
            if hint is None or hint.kind == "answer":
                return costs
            index = next(i for i in range(len(self.stages)) if i not in (play._question_or_done() or ()))
            costs[index][_position(self.stages[index], state)] += 1
            page.act(hint)
        raise RuntimeError(f"the reference solution of {self.template.name} has no end: {self.goal}")

    @property
    def length(self) -> int:
        """The number of actions of the whole reference solution."""
        return sum(map(sum, self._costs)) + (self.answer is not None)

    def potential(self, page: PageState) -> float:
        """``-remaining / length`` in [-1, 0]. It is 0 when the task is done, -1 where the reference can't go on."""
        if self.answer is None and self.reached:
            return 0.0
        return -min(1.0, self.remaining(page) / max(self.length, 1))

    def hint(self, page: PageState) -> Action | None:
        """The reference solution's next action: a click, a text to fill in, or the answer. None means it has none."""
        done = self._question_or_done()
        if done is None:
            return None
        for index, stage in enumerate(self.stages):
            if index not in done:
                position = _position(stage, page)
                if position == len(stage.moves):
                    break
                return self._next(stage.moves[position], page, first=position == 0)
        return None if self.answer is None else Action("answer", text=self.answer)

    def checklist(self, page: PageState) -> list[Item]:
        """Subgoals in Web-Shepherd's form (Chae et al. 2025, arXiv 2505.15277), always the same in an episode."""
        done = self._question_or_done() or frozenset()
        items = []
        for index, stage in enumerate(self.stages):
            position = _position(stage, page)
            for step, move in enumerate(stage.moves):
                passed = index in done or position > step
                for label, value in move.values.items():
                    right = passed or (position == step and _holds(page, label, value))
                    items.append(Item(f"set {label} to {value}", "value_set", float(right)))
                here = 0.5 if position == step and move.values else 0.0
                kind: ItemKind = "page_reached" if move.to else "edit_made"
                items.append(Item(f"press {move.press}", kind, 1.0 if passed else here))
        return items

    def _question_or_done(self) -> frozenset[int] | None:
        if self.answer is None:
            return self.done_stages()
        return frozenset() if self.reached else None

    def _cost_from(self, index: int, page: PageState) -> int:
        """The actions that a stage takes from this page on."""
        stage, costs = self.stages[index], self._costs[index]
        position = _position(stage, page)
        if position == len(stage.moves):
            return 0
        first, *others = stage.moves[position:]
        unset = sum(not _holds(page, label, value) for label, value in first.values.items())
        # A link to another application leads to its front page, which may be where the first move leads, too.
        front = first.to.count("/") == 3 and first.to.endswith("/")
        away = int(position == 0 and not _same_host(page.url, first.to) and not front)
        later = zip(others, costs[position + 1 :], strict=True)
        return away + 1 + unset + sum(cost or 1 + len(move.values) for move, cost in later)

    def _next(self, move: Move, page: PageState, *, first: bool) -> Action | None:
        if first and not _same_host(page.url, move.to):
            target = next(app for app in self.world.values() if f"//{app.host}/" in move.to)
            return _press(page, target.title)
        for label, value in move.values.items():
            if not _holds(page, label, value):
                return _set(page, label, value)
        return _press(page, move.press)


def _prefixes(count: int) -> list[int]:
    return [(1 << done) - 1 for done in range(count, -1, -1)]


def _said(text: str) -> str:
    """An answer without what does not count: case, white space at the ends, quotes and a closing full stop."""
    return re.sub(r"\s+", " ", text).strip().strip("\"'").removesuffix(".").casefold()


def _same_host(url: str, other: str) -> bool:
    return url.split("/")[2:3] == other.split("/")[2:3]


def _position(stage: Stage, page: PageState) -> int:
    """How many moves of a stage lie behind, judged by where the page is and by whether the next can be made there.

    A form that was refused is answered at its own address, but by a page without the form.
    """
    for index in range(len(stage.moves), 0, -1):
        if stage.moves[index - 1].to == page.url:
            last = index == len(stage.moves)
            if last or _press(page, stage.moves[index].press) is not None:
                return index
    return 0


def _control(page: PageState, label: str) -> Iterator[int]:
    for row, element in enumerate(page.elements):
        if element.name == label and element.role in ("textbox", "checkbox", "radio", "combobox"):
            yield row


def _holds(page: PageState, label: str, value: str | bool) -> bool:
    for row in _control(page, label):
        element = page.elements[row]
        return ("checked" in element.flags) == value if isinstance(value, bool) else element.value == value
    return False


def _set(page: PageState, label: str, value: str | bool) -> Action | None:
    for row in _control(page, label):
        if isinstance(value, bool):
            return Action("click", row)
        if page.elements[row].role == "textbox":
            return Action("fill", row, value)
        for option in range(row + 1, len(page.elements)):
            if page.elements[option].role != "option":
                break
            if page.elements[option].name == value:
                return Action("click", option)
    return None


def _press(page: PageState, name: str) -> Action | None:
    for role in ("button", "link"):
        if (row := page.find(role, name)) is not None:
            return Action("click", row)
    return None
