"""Breadth-first search over the actions of `HtmlPage` proves that no way to a goal is shorter than `Episode.length`.

Proven for the templates in `FEWEST`, each with its parameters drawn from seed 0 and 3 rows of noise. Tried in each
state: a click on every interactive row, every field of the episode in every text box, Enter, and the way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.tasks.admin import ADMIN_TEMPLATES
from potentia.envs.web.tasks.calendar import CALENDAR_TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.mail import MAIL_TEMPLATES
from potentia.envs.web.tasks.notes import NOTES_TEMPLATES
from potentia.envs.web.tasks.shop import SHOP_TEMPLATES
from potentia.envs.web.tasks.tracker import TRACKER_TEMPLATES
from tests.envs.web.solving import follow, opened

FEWEST = {
    "ShopAddToCart": 3, "ShopRemoveFromCart": 2, "AdminSuspend": 2, "AdminSettings": 4, "MailStar": 2,
    "MailDelete": 3, "CalendarCancel": 2, "CalendarReminder": 3, "NotesDelete": 2, "NotesLeftItem": 2,
    "TrackerComment": 3,
}  # fmt: skip
FOLLOWED = 30
TEMPLATES = {
    template.name: template
    for templates in (
        SHOP_TEMPLATES, ADMIN_TEMPLATES, MAIL_TEMPLATES, CALENDAR_TEMPLATES, NOTES_TEMPLATES, TRACKER_TEMPLATES,
    )
    for template in templates
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A state that was reached: how soon, what the databases hold, and the page as it was left."""

    depth: int
    saved: dict[str, bytes]
    page: HtmlPage


class Search:
    """All states that fewer actions than the fewest lead to, the nearest first.

    Attributes:
        fewest: What `FEWEST` says.
        episode: Its world is in the state that `go_to` was last called with.
        places: The states; the first is the beginning.
    """

    def __init__(self, name: str) -> None:
        self.fewest = FEWEST[name]
        self.episode = Episode(TEMPLATES[name](), 0, noise=3)
        self._contents: dict[tuple[bytes, ...], Any] = {}
        self._goal = _frozen(self.episode._wanted)
        self.places = [Place(0, self.episode.world.save(), opened(self.episode))]
        seen = {self._identity(self.places[0])}
        for place in self.places:  # grows as it goes
            for page in self._successors(place) if place.depth < self.fewest - 1 else ():
                following = Place(place.depth + 1, self.episode.world.save(), page)
                if (identity := self._identity(following)) not in seen:
                    seen.add(identity)
                    self.places.append(following)

    def is_goal(self, place: Place) -> bool:
        """Whether fewer actions than the fewest would do; one that answers is still to come."""
        if self._contents[tuple(place.saved.values())] != self._goal:
            return False
        shown = {text for element in place.page.state().elements for text in (element.name, element.value)}
        return self.episode.answer is None or (place.depth < self.fewest - 1 and self.episode.answer in shown)

    def go_to(self, place: Place) -> HtmlPage:
        """Puts the episode into a state; a page to act on."""
        self.episode.world.restore(place.saved)
        self.episode._judged = self.episode._stage_at = None  # they are remembered by a number that restoring keeps
        return place.page.fork()

    def _successors(self, place: Place) -> Iterator[HtmlPage]:
        for row, element in enumerate(place.page.state().elements):
            if "interactive" in element.flags:
                page = self.go_to(place)
                page.click(row)
                yield page
            for text in self.episode.fields if "editable" in element.flags else ():
                page = self.go_to(place)
                page.fill(row, text)
                yield page
        for key in (HtmlPage.enter, HtmlPage.back):
            page = self.go_to(place)
            key(page)
            yield page

    def _identity(self, place: Place) -> Any:
        """Address, controls and contents, and as much of what lies behind as there are actions left to go back."""
        past = place.page.past
        behind = past[max(0, len(past) - (self.fewest - place.depth)) :]
        return place.page.url, tuple(place.page.state().elements), behind, self._content(place.saved)

    def _content(self, saved: dict[str, bytes]) -> Any:
        """What the world holds, which was saved as this."""
        key = tuple(saved.values())
        if key not in self._contents:
            self._contents[key] = _frozen(self.episode.world.contents())
        return self._contents[key]


def _frozen(contents: Any) -> Any:
    return frozenset((table, frozenset(rows.items())) for table, rows in contents.items())


@pytest.fixture(scope="module", params=FEWEST)
def search(request: pytest.FixtureRequest) -> Search:
    return Search(request.param)


def test_no_way_is_shorter_than_the_reference_solution(search):
    episode = search.episode
    assert not any(search.is_goal(place) for place in search.places)
    page, answer = search.go_to(search.places[0]), None
    for left in range(search.fewest, 0, -1):
        assert not episode.succeeds(answer)
        assert episode.remaining(page.state()) == left
        _, answer = follow(episode, page, 1)
    assert episode.succeeds(answer)
    assert episode.length == search.fewest


def test_what_remains_is_never_less_than_any_way_takes(search):
    for place in search.places:
        page = search.go_to(place)
        assert search.episode.remaining(page.state()) >= search.fewest - place.depth, page.url


def test_what_remains_is_what_following_the_hints_takes_from_wherever_one_is(search):
    for place in search.places[:: max(1, len(search.places) // FOLLOWED)]:
        page = search.go_to(place)
        remaining = search.episode.remaining(page.state())
        if remaining == math.inf:
            assert search.episode.hint(page.state()) is None
        else:
            taken, answer = follow(search.episode, page, 20)
            assert taken == remaining
            assert search.episode.succeeds(answer)
