"""The calendar: what each of its pages shows and does, and that its tasks can be done by those who see little."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from potentia.envs.web.apps.calendar import Calendar
from potentia.envs.web.backends.document import Document
from potentia.envs.web.tasks.calendar import CALENDAR_TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from tests.envs.web.walking import check_names, check_tasks, get, pages, post, refused, shown

LENGTHS = {
    "CalendarCancel": {2}, "CalendarReminder": {3}, "CalendarWhere": {5}, "CalendarCreate": {7}, "CalendarMove": {6},
    "CalendarGuests": {9}, "CalendarSwap": {9, 11, 13},
}  # fmt: skip
WHAT = {"title": "Trip", "place": "Sea", "notes": "Bring\r\nshoes", "reminder": "1 day"}
WHEN = {"day": "2026-03-21", "start": "08:00", "finish": "20:30"}


@pytest.fixture
def calendar() -> Calendar:
    """Events 1 to 3: on Monday and Tuesday of this week, and on Monday of the next."""
    app = Calendar()
    for title, day, place in (
        ("Lunch", "2026-03-16", "Library"), ("Review", "2026-03-17", "Online"), ("Lunch", "2026-03-23", "Studio"),
    ):  # fmt: skip
        app.put(Random(0), title, day, "10:30", "11:30", place)
    app.change("UPDATE event SET reminder = 'None'")
    app.invite(1, "Ann Lee")
    return app


@pytest.mark.parametrize("template", CALENDAR_TEMPLATES, ids=lambda template: template.name)
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(8), noise)


def test_title_and_day_of_a_goal_name_one_event_and_the_title_alone_does_not():
    for template in CALENDAR_TEMPLATES:
        for seed in range(10):
            episode = Episode(template(), seed)
            if {"title", "other", "day"} <= set(episode.params):
                found = episode.world["calendar"].rows("SELECT day FROM event WHERE title = ?", episode.params["title"])
                assert sorted(row["day"] for row in found) == sorted((episode.params["day"], episode.params["other"]))


def test_swapping_needs_both_moves_and_either_may_come_first():
    episode = Episode(next(t for t in CALENDAR_TEMPLATES if t.name == "CalendarSwap")(), 1)
    first, second = episode.stages
    second.edit(episode.world)
    assert episode.done_stages() == {1}
    assert not episode.reached
    first.edit(episode.world)
    assert episode.reached


def test_noise_never_overlaps_and_lies_in_three_weeks():
    app = Calendar()
    app.populate(Random(0), 20)
    events = app.rows("SELECT * FROM event ORDER BY day, start")
    assert len(events) == len({event["title"] for event in events}) == 20
    assert all("2026-03-16" <= event["day"] <= "2026-04-05" for event in events)
    for one, other in pairwise(events):
        assert (one["day"], one["finish"]) <= (other["day"], other["start"])


def test_a_full_day_sends_to_the_next(calendar):
    for _ in range(40):
        calendar.put(Random(0), "Talk", *calendar.free(Random(0), "2026-03-18"))
    days = {row["day"] for row in calendar.rows("SELECT day FROM event WHERE title = 'Talk'")}
    assert {"2026-03-18", "2026-03-19"} <= days


def test_every_page_has_at_most_48_rows_whose_names_differ():
    app = Calendar()
    app.populate(Random(3), 20)
    states = list(pages(app, most=80))
    assert len(states) == 80
    for state in states:
        check_names(state)
        assert len(state.elements) <= 48, state.url
        assert "There is no such page." not in [element.name for element in state.elements]


def test_a_week_shows_its_seven_days_and_leads_to_the_weeks_beside_it(calendar):
    page = shown(calendar, "/")
    assert {"Week of 2026-03-16", "Mon 2026-03-16", "Sun 2026-03-22", "Mon 2026-03-16 10:30 Lunch"} <= set(page)
    assert "Mon 2026-03-23 10:30 Lunch" not in page
    following = shown(calendar, "/?day=2026-03-25")
    assert {"Week of 2026-03-23", "Mon 2026-03-23 10:30 Lunch"} <= set(following)
    assert "Mon 2026-03-16 10:30 Lunch" not in following
    for day in ("soon", "2026-02-30", "1999-12-31", ""):
        assert get(calendar, f"/?day={day}").status == get(calendar, f"/day?day={day}").status == 400


def test_a_day_and_the_agenda_show_places(calendar):
    assert {"Mon 2026-03-16 10:30 Lunch", "Library"} <= set(shown(calendar, "/day"))
    assert "Nothing on this day." in shown(calendar, "/day?day=2026-03-18")
    calendar.put(Random(0), "Past", "2026-03-15", "10:00", "11:00")
    agenda = [name for name in shown(calendar, "/agenda") if "10:30" in name]
    assert agenda == ["Mon 2026-03-16 10:30 Lunch", "Tue 2026-03-17 10:30 Review", "Mon 2026-03-23 10:30 Lunch"]
    for number in range(8):
        calendar.put(Random(0), f"Talk {number}", "2026-03-30", f"1{number}:00", f"1{number}:30")
    assert "Next page" in shown(calendar, "/agenda")
    rest = shown(calendar, "/agenda?start=10")
    assert "Mon 2026-03-30 17:00 Talk 7" in rest
    assert "Next page" not in rest
    assert get(calendar, "/agenda?start=-1").status == 400


def test_the_search_looks_at_titles_places_notes_and_guests(calendar):
    calendar.change("UPDATE event SET notes = 'Bring cake.' WHERE id = 2")
    for text, found in (
        ("lunch", ["Mon 2026-03-16 10:30 Lunch", "Mon 2026-03-23 10:30 Lunch"]),
        ("STUDIO", ["Mon 2026-03-23 10:30 Lunch"]),
        ("cake", ["Tue 2026-03-17 10:30 Review"]),
        ("Ann", ["Mon 2026-03-16 10:30 Lunch"]),
        ("zebra", []),
        ("", []),
    ):
        assert [name for name in shown(calendar, f"/search?q={text}") if "10:30" in name] == found
    assert "Nothing was found." in shown(calendar, "/search?q=zebra")


def test_an_event_is_created_from_its_form(calendar):
    assert post(calendar, "/new", **WHAT, **WHEN).location == "/event/4"
    row = calendar.row("SELECT * FROM event WHERE id = 4")
    assert tuple(row)[1:] == ("Trip", "2026-03-21", "08:00", "20:30", "Sea", "Bring\nshoes", "1 day")
    assert {"2026-03-21", "08:00 to 20:30", "Sea", "Bring", "shoes"} <= set(shown(calendar, "/event/4"))
    form = Document(get(calendar, "/new?day=2026-05-01").body.decode()).elements()
    assert next(element.value for element in form if element.name == "Day") == "2026-05-01"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": " "}, "needs a title"), ({"day": "soon"}, "A day is written"), ({"day": "2100-01-01"}, "to 2099"),
        ({"start": "8:00"}, "A time is written"), ({"finish": "24:00"}, "A time is written"),
        ({"start": "20:30"}, "must end after"), ({"reminder": "2 days"}, "one of the reminders"),
    ],
)  # fmt: skip
def test_a_form_with_a_wrong_value_is_refused(calendar, wrong, said):
    refused(calendar, "/new", said, **{**WHAT, **WHEN, **wrong})
    if "title" in wrong:
        refused(calendar, "/event/1/edit", said, **{**WHAT, **wrong})
    elif "reminder" in wrong:
        refused(calendar, "/event/1/reminder", said, **wrong)
    else:
        refused(calendar, "/event/1/move", said, **{**WHEN, **wrong})


def test_an_event_is_edited_moved_reminded_of_and_deleted(calendar):
    others = [tuple(row) for row in calendar.rows("SELECT * FROM event WHERE id > 1")]
    assert post(calendar, "/event/1/edit", title="Supper", place="Cafe", notes="").location == "/event/1"
    assert post(calendar, "/event/1/move", **WHEN).location == "/event/1"
    assert post(calendar, "/event/1/reminder", reminder="1 hour").location == "/event/1"
    row = calendar.row("SELECT * FROM event WHERE id = 1")
    assert tuple(row)[1:] == ("Supper", "2026-03-21", "08:00", "20:30", "Cafe", "", "1 hour")
    assert post(calendar, "/event/1/delete").location == "/?day=2026-03-21"
    assert not calendar.rows("SELECT * FROM guest"), "its guests go with it"
    assert [tuple(row) for row in calendar.rows("SELECT * FROM event")] == others


def test_guests_are_invited_once_and_removed(calendar):
    assert post(calendar, "/event/1/guests", guest="Bob Ray").location == "/event/1"
    refused(calendar, "/event/1/guests", "bob ray is invited already", guest="bob ray")
    refused(calendar, "/event/1/guests", "needs a name", guest=" ")
    assert {"Remove Ann Lee", "Remove Bob Ray"} <= set(shown(calendar, "/event/1"))
    assert "Remove Bob Ray" not in shown(calendar, "/event/2")
    assert post(calendar, "/guest/1/remove").location == "/event/1"
    assert [row["name"] for row in calendar.rows("SELECT name FROM guest")] == ["Bob Ray"]
    assert post(calendar, "/guest/1/remove").status == 404


def test_what_is_not_there_is_not_found(calendar):
    before = calendar.save()
    for path in ("/event/9", "/event/9/edit", "/event/9/move"):
        assert get(calendar, path).status == 404
    form = {**WHAT, **WHEN, "guest": "Ann Lee"}
    for path in ("edit", "move", "delete", "guests", "reminder"):
        assert post(calendar, f"/event/9/{path}", **form).status == 404
    assert calendar.save() == before
