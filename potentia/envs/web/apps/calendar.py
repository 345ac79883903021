"""A calendar: events with guests and reminders, seen by the week, the day, as an agenda or by search."""

from __future__ import annotations

import re
from datetime import date, timedelta
from random import Random
from sqlite3 import Row
from typing import ClassVar

from potentia.envs.web.apps.application import TODAY, App, BadInput, route
from potentia.envs.web.apps.contacts import start_of
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, TOPICS, distinct
from potentia.envs.web.http import Request, Response, redirect

KINDS = ("call", "lunch", "meeting", "review", "workshop")
PLACES = ("Cafe Linde", "Hall 2", "Library", "Online", "Room 12", "Room 21", "Studio", "Terrace")
REMINDERS = ("None", "10 minutes", "30 minutes", "1 hour", "1 day")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_A_PAGE = 10


class Calendar(App):
    """Events last from a time to a later one of the same day. Events may overlap."""

    name = "calendar"
    title = "Calendar"
    schema = """
        CREATE TABLE event (id INTEGER PRIMARY KEY, title TEXT, day TEXT, start TEXT, finish TEXT, place TEXT,
                            notes TEXT, reminder TEXT);
        CREATE TABLE guest (id INTEGER PRIMARY KEY, event_id INTEGER REFERENCES event(id) ON DELETE CASCADE, name TEXT,
                            UNIQUE (event_id, name));
    """
    bar: ClassVar = {"Week": "/", "Agenda": "/agenda", "Search": "/search", "New event": "/new"}

    def populate(self, random: Random, rows: int) -> None:
        """``rows`` events in this week and the two that follow, no two of a title, some with guests."""
        for title in distinct(random, rows, lambda: event_title(random)):
            day = str(date.fromisoformat(TODAY) + timedelta(days=random.randrange(21)))
            event = self.put(random, title, *self.free(random, day))
            for _ in range(random.choice((0, 0, 1, 2))):
                self.invite(event, f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}", again=True)

    def free(self, random: Random, day: str) -> tuple[str, str, str]:
        """A day and times of it, from 08:00 on, that no event overlaps. Where the day is full, a later one is taken."""
        starts = [f"{hour:02}:{minute}" for hour in range(8, 19) for minute in ("00", "30")]
        random.shuffle(starts)
        for start in starts:
            finish = f"{int(start[:2]) + 1:02}{start[2:]}"
            if not self.rows("SELECT id FROM event WHERE day = ? AND start < ? AND finish > ?", day, finish, start):
                return day, start, finish
        return self.free(random, str(date.fromisoformat(day) + timedelta(days=1)))

    def put(self, random: Random, title: str, day: str, start: str, finish: str, place: str = "") -> int:
        """Adds an event somewhere. The result is its id."""
        return self.insert(
            "event", title=title, day=day, start=start, finish=finish, place=place or random.choice(PLACES), notes="",
            reminder=random.choice(REMINDERS),
        )  # fmt: skip

    def invite(self, event: int, name: str, *, again: bool = False) -> None:
        """Adds a guest. One who is invited already is refused, unless ``again`` lets it pass."""
        if self.rows("SELECT id FROM guest WHERE event_id = ? AND lower(name) = lower(?)", event, name):
            if again:
                return
            raise BadInput(f"{name} is invited already.")
        self.insert("guest", event_id=event, name=name)

    def move(self, event: int, day: str, start: str, finish: str) -> None:
        """Gives an event another day and other times."""
        self.change("UPDATE event SET day = ?, start = ?, finish = ? WHERE id = ?", day, start, finish, event)

    @route("GET", "/")
    def week(self, request: Request) -> Response:
        """The events of the week in which a day lies."""
        day = date.fromisoformat(_day(request.asked("day", TODAY)))
        monday = day - timedelta(days=day.weekday())
        days = [str(monday + timedelta(days=number)) for number in range(7)]
        found = self.rows("SELECT * FROM event WHERE day BETWEEN ? AND ? ORDER BY day, start, id", days[0], days[-1])
        return self.page(
            "calendar/week.html",
            f"Week of {monday}",
            days=[(day, f"{_WEEKDAYS[n]} {day}", [e for e in found if e["day"] == day]) for n, day in enumerate(days)],
            listed=listed,
            previous=monday - timedelta(days=7),
            following=monday + timedelta(days=7),
        )

    @route("GET", "/day")
    def day(self, request: Request) -> Response:
        """The events of a day."""
        day = _day(request.asked("day", TODAY))
        found = self.rows("SELECT * FROM event WHERE day = ? ORDER BY start, id", day)
        heading = f"{_WEEKDAYS[date.fromisoformat(day).weekday()]} {day}"
        return self.page("calendar/day.html", heading, day=day, events=found, listed=listed)

    @route("GET", "/agenda")
    def agenda(self, request: Request) -> Response:
        """The events from today on, ten a page."""
        start = start_of(request)
        found = self.rows("SELECT * FROM event WHERE day >= ? ORDER BY day, start, id", TODAY)
        return self.page(
            "calendar/agenda.html",
            "Agenda",
            events=found[start : start + _A_PAGE],
            listed=listed,
            following=start + _A_PAGE if start + _A_PAGE < len(found) else None,
        )

    @route("GET", "/search")
    def search(self, request: Request) -> Response:
        """Events whose title, place, notes or guests contain a text, the first ten."""
        wanted = request.asked("q").strip()
        found = self.rows(
            "SELECT event.* FROM event LEFT JOIN guest ON event_id = event.id GROUP BY event.id HAVING instr(lower("
            "title || char(10) || place || char(10) || notes || char(10) || coalesce(group_concat(name, char(10)), '')"
            "), lower(?)) "
            "ORDER BY day, start, event.id",
            wanted,
        )
        events = found[:_A_PAGE] if wanted else []
        return self.page("calendar/search.html", "Search", wanted=wanted, events=events, listed=listed)

    @route("GET", "/new")
    def new(self, request: Request) -> Response:
        """The form of a new event."""
        day = request.asked("day", TODAY)
        return self.page("calendar/new.html", "New event", day=day, reminders=REMINDERS)

    @route("POST", "/new")
    def create(self, request: Request) -> Response:
        """Adds an event."""
        reminder = _reminder(request)
        event = self.insert("event", **_what(request), **_when(request), reminder=reminder)
        return redirect(f"/event/{event}")

    @route("GET", "/event/{event}")
    def event(self, request: Request, event: int) -> Response:
        """One event, its guests, and what can be done with it."""
        del request
        row = self._event(event)
        guests = self.rows("SELECT * FROM guest WHERE event_id = ? ORDER BY name", event)
        return self.page("calendar/event.html", row["title"], event=row, guests=guests, reminders=REMINDERS)

    @route("GET", "/event/{event}/edit")
    def edit_form(self, request: Request, event: int) -> Response:
        """The form that changes what an event is."""
        del request
        return self.page("calendar/edit.html", "Edit event", event=self._event(event))

    @route("POST", "/event/{event}/edit")
    def edit(self, request: Request, event: int) -> Response:
        """Changes the title, the place and the notes of an event."""
        self._event(event)
        values = _what(request)
        self.change("UPDATE event SET title = ?, place = ?, notes = ? WHERE id = ?", *values.values(), event)
        return redirect(f"/event/{event}")

    @route("GET", "/event/{event}/move")
    def move_form(self, request: Request, event: int) -> Response:
        """The form that changes when an event is."""
        del request
        row = self._event(event)
        return self.page("calendar/move.html", f"Move {row['title']}", event=row)

    @route("POST", "/event/{event}/move")
    def move_event(self, request: Request, event: int) -> Response:
        """Moves an event to another day or time."""
        self._event(event)
        self.move(event, **_when(request))
        return redirect(f"/event/{event}")

    @route("POST", "/event/{event}/delete")
    def delete(self, request: Request, event: int) -> Response:
        """Deletes an event. The answer shows the week in which it was."""
        del request
        day = self._event(event)["day"]
        self.change("DELETE FROM event WHERE id = ?", event)
        return redirect(f"/?day={day}")

    @route("POST", "/event/{event}/reminder")
    def remind(self, request: Request, event: int) -> Response:
        """Sets how long before an event one is reminded of it."""
        self._event(event)
        self.change("UPDATE event SET reminder = ? WHERE id = ?", _reminder(request), event)
        return redirect(f"/event/{event}")

    @route("POST", "/event/{event}/guests")
    def add_guest(self, request: Request, event: int) -> Response:
        """Invites somebody."""
        self._event(event)
        if not (name := request.sent("guest")):
            raise BadInput("A guest needs a name.")
        self.invite(event, name)
        return redirect(f"/event/{event}")

    @route("POST", "/guest/{guest}/remove")
    def remove_guest(self, request: Request, guest: int) -> Response:
        """Takes somebody off the list of guests."""
        del request
        event = self.row("SELECT event_id FROM guest WHERE id = ?", guest)["event_id"]
        self.change("DELETE FROM guest WHERE id = ?", guest)
        return redirect(f"/event/{event}")

    def _event(self, event: int) -> Row:
        return self.row("SELECT * FROM event WHERE id = ?", event)


def event_title(random: Random) -> str:
    """A title such as "Budget review"."""
    return f"{random.choice(TOPICS)} {random.choice(KINDS)}".capitalize()


def listed(event: Row) -> str:
    """How lists name an event: ``"Tue 2026-03-17 10:30 Budget review"``."""
    weekday = _WEEKDAYS[date.fromisoformat(event["day"]).weekday()]
    return f"{weekday} {event['day']} {event['start']} {event['title']}"


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"A day is written as {TODAY}.") from None
    if not 2000 <= day.year < 2100:
        raise BadInput("The calendar goes from 2000 to 2099.")
    return str(day)


def _what(request: Request) -> dict[str, str]:
    values = {name: request.sent(name).replace("\r\n", "\n") for name in ("title", "place", "notes")}
    if not values["title"]:
        raise BadInput("An event needs a title.")
    return values


def _when(request: Request) -> dict[str, str]:
    values = {"day": _day(request.sent("day")), "start": request.sent("start"), "finish": request.sent("finish")}
    if not (_TIME.fullmatch(values["start"]) and _TIME.fullmatch(values["finish"])):
        raise BadInput("A time is written as 09:30.")
    if values["start"] >= values["finish"]:
        raise BadInput("An event must end after it begins.")
    return values


def _reminder(request: Request) -> str:
    reminder = request.sent("reminder")
    if reminder not in REMINDERS:
        raise BadInput("Choose one of the reminders.")
    return reminder
