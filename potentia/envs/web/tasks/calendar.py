"""Tasks in the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.application import TODAY
from potentia.envs.web.apps.calendar import PLACES, REMINDERS, Calendar, event_title, listed
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_CALENDAR = "http://calendar.test"
_THIS_WEEK, _LATER, _ANY = range(7), range(7, 21), range(21)
"""Days from today."""


def _calendar(world: AppWorld) -> Calendar:
    app = world["calendar"]
    assert isinstance(app, Calendar)
    return app


def _day_in(days: int) -> str:
    return str(date.fromisoformat(TODAY) + timedelta(days=days))


def _event(world: AppWorld, title: str, day: str) -> int:
    return int(_calendar(world).row("SELECT id FROM event WHERE title = ? AND day = ?", title, day)["id"])


def _link(world: AppWorld, title: str, day: str) -> Move:
    """The link by which every list leads to an event."""
    row = _calendar(world).row("SELECT * FROM event WHERE title = ? AND day = ?", title, day)
    return Move(listed(row), f"{_CALENDAR}/event/{row['id']}")


def _by_week(world: AppWorld, title: str, day: str) -> list[Move]:
    """From anywhere to an event of this week."""
    return [Move("Week", f"{_CALENDAR}/"), _link(world, title, day)]


def _by_search(world: AppWorld, title: str, day: str) -> list[Move]:
    """From anywhere to an event of whatever day."""
    found = f"{_CALENDAR}/search?{urlencode({'q': title})}"
    return [Move("Search", f"{_CALENDAR}/search"), Move("Find", found, {"Text": title}), _link(world, title, day)]


def _move(way: list[Move], event: int, day: str, start: str, finish: str) -> Stage:
    """An event gets another day and other times."""
    form = Move("Move", f"{_CALENDAR}/event/{event}/move")
    save = Move("Save times", values={"Day": day, "From": start, "To": finish})
    return Stage([*way, form, save], lambda world: _calendar(world).move(event, day, start, finish))


def _title(random: Random, world: AppWorld) -> str:
    """A title that no event has."""
    taken = frozenset(row["title"] for row in _calendar(world).rows("SELECT title FROM event"))
    return distinct(random, 1, lambda: event_title(random), besides=taken)[0]


def _put(random: Random, world: AppWorld, title: str, day: int, place: str = "") -> int:
    """Puts an event into free time so many days from today. Where that day is full, the next one is taken."""
    return _calendar(world).put(random, title, *_calendar(world).free(random, _day_in(day)), place)


def _twice(random: Random, world: AppWorld, first: range, second: range) -> Params:
    """Two events of one title on different days. The task is about the first."""
    title, day = _title(random, world), random.choice(first)
    places = random.sample(PLACES, 2)
    events = [
        _put(random, world, title, at, place)
        for at, place in zip((day, random.choice([d for d in second if d != day])), places, strict=True)
    ]
    days = [_calendar(world).row("SELECT day FROM event WHERE id = ?", event)["day"] for event in events]
    return {"title": title, "day": days[0], "other": days[1]}


class _CalendarTask(Template):
    apps = (Calendar,)


class Cancel(_CalendarTask):
    """One of two events of this week with the same title is deleted."""

    name = "CalendarCancel"
    difficulty = "easy"
    complexity = 0.6
    tags = ("delete", "distractor")
    phrasings = (
        'Delete the event "{title}" on "{day}".',
        'Cancel what I have planned on "{day}" as "{title}", but on that day only.',
        'On "{day}" there is "{title}" in my calendar: remove it and leave all others.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        return _twice(random, world, _THIS_WEEK, _THIS_WEEK)

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        title, day = params["title"], params["day"]
        event = _event(world, title, day)
        moves = [*_by_week(world, title, day), Move("Delete event")]
        return [Stage(moves, lambda world: _calendar(world).change("DELETE FROM event WHERE id = ?", event))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"day": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"], params["day"])


class Remind(_CalendarTask):
    """The reminder of an event of this week is changed."""

    name = "CalendarReminder"
    difficulty = "easy"
    complexity = 0.8
    tags = ("edit", "toggle", "distractor")
    phrasings = (
        'Set the reminder of "{title}" on "{day}" to "{reminder}".',
        'I want to be reminded of "{title}" ("{day}") like this: "{reminder}".',
        'Choose "{reminder}" as the reminder for the event on "{day}" called "{title}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        params = _twice(random, world, _THIS_WEEK, _THIS_WEEK)
        old = _calendar(world).rows("SELECT reminder FROM event WHERE title = ?", params["title"])
        left = [reminder for reminder in REMINDERS if reminder not in {row["reminder"] for row in old}]
        return params | {"reminder": random.choice(left)}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        title, day, reminder = params["title"], params["day"], params["reminder"]
        event = _event(world, title, day)
        moves = [*_by_week(world, title, day), Move("Save reminder", values={"Reminder": reminder})]
        return [
            Stage(
                moves,
                lambda world: _calendar(world).change("UPDATE event SET reminder = ? WHERE id = ?", reminder, event),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"day": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"], params["day"], params["reminder"])


class Where(_CalendarTask):
    """Where does an event of the weeks to come take place?"""

    name = "CalendarWhere"
    difficulty = "medium"
    complexity = 1.2
    tags = ("question", "search", "distractor")
    phrasings = (
        'Where does "{title}" on "{day}" take place? Answer with the place as shown.',
        'On "{day}" I have "{title}". To which place do I have to go?',
        'Look up the event "{title}" of "{day}" and answer with its place.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        return _twice(random, world, _LATER, _ANY)

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [Stage(_by_search(world, params["title"], params["day"]), lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        event = _event(world, params["title"], params["day"])
        return str(_calendar(world).row("SELECT place FROM event WHERE id = ?", event)["place"])

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        return self.answer(world, params | {"day": params["other"]})

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"day": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"], params["day"])


class Create(_CalendarTask):
    """An event is added."""

    name = "CalendarCreate"
    difficulty = "medium"
    complexity = 1.6
    tags = ("create", "form")
    phrasings = (
        'Create the event "{title}" on "{day}" from "{start}" to "{finish}" at the place "{place}".',
        'Put "{title}" into my calendar. Day: "{day}". From "{start}" to "{finish}". Place: "{place}".',
        'On "{day}" I am at "{place}" for "{title}", which begins at "{start}" and ends at "{finish}". Add it.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        hour = random.randint(10, 18)
        return {
            "title": _title(random, world),
            "day": _day_in(random.randint(1, 60)),
            "start": f"{hour}:{random.choice((15, 45))}",
            "finish": f"{hour + random.randint(1, 3)}:{random.choice((15, 45))}",
            "place": random.choice(PLACES),
        }

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        del world
        labels = {"Title": "title", "Day": "day", "From": "start", "To": "finish", "Place": "place"}
        values = {label: params[name] for label, name in labels.items()}
        return [
            Stage(
                [Move("New event", f"{_CALENDAR}/new"), Move("Save event", values=values)],
                lambda world: _calendar(world).insert("event", **params, notes="", reminder="None"),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        tomorrow = date.fromisoformat(params["day"]) + timedelta(days=1)
        return self.stages(world, params | {"day": str(tomorrow)})


class Postpone(_CalendarTask):
    """One of two events of this week with the same title gets another day and other times."""

    name = "CalendarMove"
    difficulty = "medium"
    complexity = 1.4
    tags = ("edit", "form", "distractor")
    phrasings = (
        'Move "{title}" from "{day}" to "{new_day}", "{start}" to "{finish}".',
        'The event "{title}" of "{day}" now takes place on "{new_day}" from "{start}" to "{finish}". Move it.',
        'Change my calendar: "{new_day}", from "{start}" to "{finish}", is when we do "{title}", not "{day}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        hour = random.randint(10, 18)
        return _twice(random, world, _THIS_WEEK, _THIS_WEEK) | {
            "new_day": _day_in(random.randint(7, 30)),
            "start": f"{hour}:{random.choice((15, 45))}",
            "finish": f"{hour + random.randint(1, 3)}:{random.choice((15, 45))}",
        }

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        title, day = params["title"], params["day"]
        event = _event(world, title, day)
        return [_move(_by_week(world, title, day), event, params["new_day"], params["start"], params["finish"])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"day": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return tuple(params[name] for name in ("title", "day", "new_day", "start", "finish"))


class Guests(_CalendarTask):
    """Two people are invited to an event, and one of two guests with the same first name is taken off its list."""

    name = "CalendarGuests"
    difficulty = "hard"
    complexity = 2.0
    tags = ("create", "delete", "search", "distractor")
    phrasings = (
        'For "{title}" on "{day}": invite "{first}" and "{second}", and take "{gone}" off the guests.',
        '"{gone}" can not come to "{title}" on "{day}". Remove this guest, and add "{first}" and "{second}" instead.',
        'Add the guests "{first}" and "{second}" to the event of "{day}" called "{title}"; remove the guest "{gone}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        params = _twice(random, world, _LATER, _ANY)
        first_names = random.sample(FIRST_NAMES, 3)
        *new, gone, other = (
            f"{first} {last}"
            for first, last in zip([*first_names, first_names[2]], random.sample(LAST_NAMES, 4), strict=True)
        )
        for day in (params["day"], params["other"]):
            for name in (gone, other):
                _calendar(world).invite(_event(world, params["title"], day), name)
        return {"title": params["title"], "day": params["day"]} | {
            "first": new[0], "second": new[1], "gone": gone, "namesake": other,
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        way = _by_search(world, params["title"], params["day"])
        event = _event(world, params["title"], params["day"])
        gone = params["gone"]
        removal = Stage(
            [*way, Move(f"Remove {gone}")],
            lambda world: _calendar(world).change("DELETE FROM guest WHERE event_id = ? AND name = ?", event, gone),
        )
        return [*(self._invitation(way, event, params[name]) for name in ("first", "second")), removal]

    def _invitation(self, way: list[Move], event: int, name: str) -> Stage:
        moves = [*way, Move("Add guest", values={"Guest": name})]
        return Stage(moves, lambda world: _calendar(world).invite(event, name))

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"gone": params["namesake"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return tuple(params[name] for name in ("title", "day", "first", "second", "gone"))


class Swap(_CalendarTask):
    """Two events of this week change places. When they are must be looked up."""

    name = "CalendarSwap"
    difficulty = "hard"
    complexity = 2.6
    tags = ("edit", "several pages", "looking up")
    phrasings = (
        'Let the events "{title}" and "{other}" of this week change places: each gets the day and times of the other.',
        'Swap "{title}" with "{other}" this week, so that each takes place when the other did (day, from, to).',
        'This week, "{other}" should be when "{title}" is and the other way round. Move both, with their full times.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        params: Params = {}
        for name, key, day in zip(("title", "other"), ("first", "second"), random.sample(range(5), 2), strict=True):
            params[name] = _title(random, world)
            event = _put(random, world, params[name], day)
            _calendar(world).change(  # of another length than whatever else stands there
                "UPDATE event SET finish = substr(start, 1, 3) || ? WHERE id = ?", random.choice(("50", "55")), event
            )
            row = _calendar(world).row("SELECT day, start, finish FROM event WHERE id = ?", event)
            params |= {f"{key}_{column}": row[column] for column in ("day", "start", "finish")}
        return params

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        slots = [tuple(params[f"{key}_{part}"] for part in ("day", "start", "finish")) for key in ("first", "second")]
        stages = []
        for title, old, new in ((params["title"], *slots), (params["other"], *reversed(slots))):
            event = _event(world, title, old[0])
            stages.append(_move(_by_week(world, title, old[0]), event, *new))
        return stages

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"second_finish": params["second_start"][:3] + "59"})

    def fields(self, params: Params) -> tuple[str, ...]:
        parts = ("day", "start", "finish")
        return tuple(params[f"{key}_{part}"] for key in ("first", "second") for part in parts)


CALENDAR_TEMPLATES: tuple[type[Template], ...] = (
    Cancel, Remind, Where, Create, Postpone, Guests, Swap,
)  # fmt: skip
