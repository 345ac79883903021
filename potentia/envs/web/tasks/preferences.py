"""Which action is the right step: instances drawn from application tasks, where the truth is known (WebPRMBench)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from potentia.envs.web.actions import read_text, write_text
from potentia.envs.web.elements import page_text
from potentia.envs.web.tasks import TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.explorer import Explorer, Place
from potentia.envs.web.tasks.shortest import Ways, shortest
from potentia.envs.web.tasks.template import task_random
from potentia.preferences.steps import StepPreference

__all__ = ["Truth", "WebPreference", "draw_preferences", "shuffle_rows", "ways_by_reference", "ways_by_search"]

Truth = Literal["search", "reference"]

_ROW = re.compile(r"\[(\d+)\] (.*)")
_REJECTED = 4
_DETOURS = 5


@dataclass(frozen=True)
class WebPreference:
    """An instance and where it comes from.

    Attributes:
        preference: The instance: one right action and four rejected, as in WebPRMBench (Zhang et al. 2026, arXiv
            2601.21872).
        template: The task's name.
        truth: How it is known. "search": the right action begins a shortest way to the goal and none of the rejected
            does, proven by `ways_by_search`. "reference": the reference solution needs one action less after the
            right one, and not less after the rejected ones. Another way, which it does not know, may be as short.
        remaining: The number of actions from here to the goal.
        detours: How many of the actions that led here were drawn at random. It is 0 on the path of the
            reference solution.
        checklist: The mean state of `Episode.checklist` after each candidate.
    """

    preference: StepPreference
    template: str
    truth: Truth
    remaining: int
    detours: int
    checklist: tuple[float, ...]


def ways_by_search(explorer: Explorer, place: Place, most: int = 3, tries: int = 2000) -> Ways | None:
    """The shortest ways to the goal, by `potentia.envs.web.tasks.shortest.shortest`.

    Returns:
        None if they are out of the search's reach, or the answer to a question stands where the reference solution has
        not looked yet: there it may be known, or be the same by chance.
    """
    needed = explorer.played(place)
    if not 0 < needed <= most:
        return None
    found = shortest(explorer, place, int(needed), tries)
    lucky = found is not None and explorer.episode.answer is not None and found.actions < needed
    return None if lucky else found


def ways_by_reference(explorer: Explorer, place: Place) -> Ways | None:
    """The ways whose first action lessens `Episode.remaining` by 1, each confirmed by playing on to the goal.

    Returns:
        None if the goal can't be reached from here, or an action shows that `remaining` is not exact here.
    """
    before = explorer.remaining(place)
    if before in (0.0, math.inf) or explorer.played(place) != before:
        return None
    first = set()
    for action in explorer.offered(place):
        there = explorer.after(place, action)
        if (left := explorer.remaining(there)) < before:
            if left != before - 1 or explorer.played(there) != left:
                return None
            first.add(action)
    return Ways(int(before), frozenset(first))


def draw_preferences(
    name: str,
    seed: int,
    index: int = 0,
    *,
    count: int = 4,
    detour: float = 0.3,
    most: int = 3,
    tries: int = 2000,
) -> list[WebPreference]:
    """Draws instances from an episode: where it has been, one of the right actions, and four of the others.

    The reference solution is followed. Before each of its actions, with probability ``detour``, one of those offered is
    drawn instead, unless the task could not be done after it. Everything is a function of the arguments.

    Args:
        name: A name in `potentia.envs.web.tasks.TEMPLATES`.
        seed: Of the environment.
        index: The episode's number since that seed.
        count: How many instances at most. There are fewer where a page offers too little.
        detour: In [0, 1).
        most: The number of remaining actions up to which the truth is searched for. With 0, it never is.
        tries: What a search by `potentia.envs.web.tasks.shortest.shortest` may cost, in actions.

    Raises:
        ValueError: If there is no such task, or the detour is out of range.
    """
    if name not in TEMPLATES:
        raise ValueError(f"there is no task {name!r}; there are {', '.join(TEMPLATES)}")
    if not 0 <= detour < 1:
        raise ValueError(f"detour must be a probability in [0, 1), got {detour}")
    random = task_random(seed, f"preferences of {name}", index)
    explorer = Explorer(Episode(TEMPLATES[name](), seed, index))
    places = list(_walk(explorer, random, detour))
    found: list[WebPreference] = []
    for place, detours in random.sample(places, len(places)):
        if len(found) == count:
            break
        instance = _instance(explorer, place, random, most, tries)
        if instance is not None and instance.preference.page not in {known.preference.page for known in found}:
            found.append(replace(instance, detours=detours))
    return found


def _walk(explorer: Explorer, random: Random, detour: float) -> Iterator[tuple[Place, int]]:
    """The states on the way to the goal, and the number of detours before each."""
    place, detours = explorer.start, 0
    for _ in range(explorer.episode.template.budget):
        if explorer.succeeds(place):
            return
        yield place, detours
        if random.random() < detour:
            there = _detoured(explorer, place, random)
            detours += there is not None
        else:
            there = None
        if there is None:
            action = explorer.reference(place)
            if action is None:
                return
            there = explorer.after(place, action)
        place = there


def _detoured(explorer: Explorer, place: Place, random: Random) -> Place | None:
    """A neighbour from which the goal can still be reached. It is None if none of those drawn is one."""
    actions = [action for action in explorer.offered(place) if action.kind != "answer"]
    for action in random.sample(actions, min(_DETOURS, len(actions))):
        there = explorer.after(place, action)
        if 0 < explorer.played(there) < math.inf:
            return there
    return None


def _instance(explorer: Explorer, place: Place, random: Random, most: int, tries: int) -> WebPreference | None:
    """An instance of a state. It is None if the truth is not known there, or too few actions are wrong."""
    truth: Truth = "search"
    ways = ways_by_search(explorer, place, most, tries)
    if ways is None:
        truth, ways = "reference", ways_by_reference(explorer, place)
    if ways is None:
        return None
    offered = explorer.offered(place)
    right = [action for action in offered if action in ways.first]
    wrong = [action for action in offered if action not in ways.first]
    if not right or len(wrong) < _REJECTED:
        return None
    candidates = [correct := random.choice(right), *random.sample(wrong, _REJECTED)]
    random.shuffle(candidates)
    texts = tuple(map(write_text, candidates))
    preference = StepPreference(explorer.episode.goal, page_text(place.shown), texts, (candidates.index(correct),))
    checklist = tuple(explorer.checklist(explorer.after(place, action)) for action in candidates)
    return WebPreference(preference, explorer.episode.template.name, truth, ways.actions, 0, checklist)


def shuffle_rows(instance: StepPreference, random: Random) -> StepPreference:
    """The same page with its rows in another order, the options of a list below it. Actions name the new rows.

    A judge that goes by what rows say, and not by where they stand, is as good as before.

    Args:
        instance: One whose page is written by `potentia.envs.web.elements.page_text`.
        random: Draws the order.

    Raises:
        ValueError: If the page is of another form, or a candidate is no action.
    """
    title, *lines = instance.page.split("\n")
    rows = [_ROW.fullmatch(line) for line in lines]
    blocks: list[list[int]] = []
    for number, row in enumerate(rows):
        if row is None or int(row[1]) != number:
            raise ValueError(f"line {number + 1} of the page must begin with '[{number}] ', got {lines[number]!r}")
        if row[2].startswith("option ") and blocks:
            blocks[-1].append(number)
        else:
            blocks.append([number])
    random.shuffle(blocks)
    order = [number for block in blocks for number in block]
    moved = [f"[{new}] {row[2]}" for new, old in enumerate(order) if (row := rows[old])]
    actions = (read_text(candidate) for candidate in instance.candidates)
    candidates = tuple(write_text(replace(a, row=order.index(a.row)) if a.row >= 0 else a) for a in actions)
    return StepPreference(instance.goal, "\n".join([title, *moved]), candidates, instance.right)
