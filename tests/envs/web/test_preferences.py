from __future__ import annotations

import math
from random import Random

import pytest

from potentia.envs.web.actions import Action, read_text
from potentia.envs.web.tasks import TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.explorer import Explorer
from potentia.envs.web.tasks.preferences import (
    draw_preferences,
    shuffle_rows,
    ways_by_reference,
    ways_by_search,
)
from potentia.envs.web.tasks.shortest import shortest
from potentia.preferences.steps import StepPreference, read_preferences, write_preferences

SEARCHED = ["AdminSuspend", "MailStar", "NotesLeftItem"]


def explored(name: str) -> Explorer:
    return Explorer(Episode(TEMPLATES[name](), 0))


@pytest.mark.parametrize("name", SEARCHED)
def test_after_a_right_action_the_goal_is_nearer_by_one_and_after_any_other_it_is_not(name: str) -> None:
    explorer = explored(name)
    ways = ways_by_search(explorer, explorer.start)
    assert ways is not None
    assert ways.actions == 2
    for action in explorer.offered(explorer.start):
        there = explorer.after(explorer.start, action)
        assert not explorer.succeeds(there), action
        nearer = any(explorer.succeeds(explorer.after(there, last)) for last in explorer.offered(there))
        assert nearer == (action in ways.first), action


@pytest.mark.parametrize("name", SEARCHED)
def test_the_reference_solution_begins_a_shortest_way_from_wherever_it_can_be_played(name: str) -> None:
    explorer = explored(name)
    places = [explorer.after(explorer.start, action) for action in explorer.offered(explorer.start)]
    compared = 0
    for place in places:
        found, known = ways_by_search(explorer, place, most=2), ways_by_reference(explorer, place)
        if found is not None and known is not None and found.actions == known.actions:
            assert known.first
            assert known.first <= found.first
            compared += 1
    assert compared >= 3


def test_what_costs_too_many_tries_or_actions_is_not_known() -> None:
    explorer = explored("AdminSuspend")
    assert shortest(explorer, explorer.start, most=2, tries=20) is None
    assert shortest(explorer, explorer.start, most=1, tries=2000) is None
    assert ways_by_search(explorer, explorer.start, most=1) is None


def test_any_state_can_be_gone_on_from_again() -> None:
    explorer = explored("AdminSuspend")
    start = explorer.start.shown
    here, last = explorer.start, None
    while not explorer.succeeds(here):
        last, action = here, explorer.reference(here)
        assert action is not None
        here = explorer.after(here, action)
    assert explorer.remaining(here) == 0
    assert explorer.remaining(explorer.start) == explorer.played(explorer.start) == 2
    assert explorer.start.page.state() == start
    assert last is not None
    assert explorer.remaining(last) == 1
    assert explorer.after(last, Action("back")).shown == start


def test_a_wrong_answer_ends_the_way() -> None:
    explorer = explored("NotesLeftItem")
    there = explorer.after(explorer.start, Action("answer", text="no such thing"))
    assert explorer.remaining(there) == explorer.played(there) == math.inf
    assert explorer.offered(there) == []
    with pytest.raises(ValueError, match=r"must be a click, fill, answer, back or the key Enter, got Action.*scroll"):
        explorer.after(explorer.start, Action("scroll", text="up"))


@pytest.mark.parametrize("name", ["MailReply", "CalendarMove", "ShopSaveAddress"])
def test_instances_are_five_actions_offered_of_which_one_brings_the_goal_nearer(name: str) -> None:
    found = draw_preferences(name, 3, most=2)
    assert len(found) == 4
    for instance in found:
        preference = instance.preference
        assert (len(preference.candidates), len(preference.right)) == (5, 1)
        assert instance.template == name
        assert instance.truth == ("search" if instance.remaining <= 2 else "reference")
        for action in map(read_text, preference.candidates):
            assert action.row < 0 or f"\n[{action.row}] " in preference.page


def test_no_rejected_action_brings_the_goal_nearer_and_the_right_one_does() -> None:
    explorer, judged = explored("MailReply"), 0
    drawn = {item.preference.page: item for item in draw_preferences("MailReply", 0, detour=0.0, count=7, most=0)}
    place = explorer.start
    while not explorer.succeeds(place):
        text = f"{place.shown.title} <{place.shown.url}>\n"
        same = [
            item
            for page, item in drawn.items()
            if page.startswith(text) and item.remaining == explorer.remaining(place)
        ]
        for item in same:
            left = [explorer.remaining(explorer.after(place, read_text(said))) for said in item.preference.candidates]
            (right,) = item.preference.right
            assert left[right] == item.remaining - 1
            assert all(left[wrong] >= item.remaining for wrong in item.preference.wrong)
            assert item.detours == 0
            judged += 1
        action = explorer.reference(place)
        assert action is not None
        place = explorer.after(place, action)
    assert judged == len(drawn) >= 5


def test_the_same_arguments_draw_the_same_and_others_something_else() -> None:
    assert draw_preferences("MailReply", 5, most=0) == draw_preferences("MailReply", 5, most=0)
    assert draw_preferences("MailReply", 5, most=0) != draw_preferences("MailReply", 6, most=0)
    assert draw_preferences("MailReply", 5, most=0) != draw_preferences("MailReply", 5, 1, most=0)


def test_detours_leave_the_path_of_the_reference_solution() -> None:
    assert max(item.detours for item in draw_preferences("MailReply", 0, detour=0.5, most=0)) > 0


def test_what_is_drawn_is_written_and_read_back(tmp_path) -> None:
    drawn = [item.preference for item in draw_preferences("MailReply", 0, most=0)]
    write_preferences(tmp_path / "mail.jsonl", drawn)
    assert read_preferences(tmp_path / "mail.jsonl") == drawn


def test_shuffled_rows_say_the_same_and_actions_follow_them() -> None:
    page = (
        "Shop <u>\n[0] link 'Cart'\n[1] combobox 'Size' = 'S'\n[2] option 'S' (checked)\n[3] option 'L'\n[4] text 'x'"
    )
    instance = StepPreference("buy", page, ("click(0)", "click(3)", 'fill(4, "y")', "back()"), (1,))
    orders = set()
    for seed in range(20):
        moved = shuffle_rows(instance, Random(seed))
        rows = [line.split(" ", 1)[1] for line in moved.page.split("\n")[1:]]
        orders.add(tuple(rows))
        assert sorted(rows) == sorted(line.split(" ", 1)[1] for line in page.split("\n")[1:])
        size = rows.index("combobox 'Size' = 'S'")
        assert rows[size + 1 : size + 3] == ["option 'S' (checked)", "option 'L'"]
        cart, text = rows.index("link 'Cart'"), rows.index("text 'x'")
        assert moved.candidates == (f"click({cart})", f"click({size + 2})", f'fill({text}, "y")', "back()")
        assert (moved.goal, moved.right) == (instance.goal, instance.right)
    assert len(orders) == 6  # the orders of three blocks


def test_what_can_not_be_drawn_or_shuffled_is_named() -> None:
    with pytest.raises(ValueError, match="there is no task 'Mail'; there are ShopAddToCart"):
        draw_preferences("Mail", 0)
    with pytest.raises(ValueError, match=r"detour must be a probability in \[0, 1\), got 1"):
        draw_preferences("MailReply", 0, detour=1)
    strange = StepPreference("buy", "Shop\n[1] link 'Cart'", ("click(1)", "back()"), (0,))
    with pytest.raises(ValueError, match=r"line 1 of the page must begin with '\[0\] ', got \"\[1\] link 'Cart'\""):
        shuffle_rows(strange, Random(0))
