"""Tasks across two applications: they can be done, in any order, and only with what was found in the other one."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import pytest

from potentia.envs.web.elements import PageState
from potentia.envs.web.tasks.composite import COMPOSITE_TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from tests.envs.web.solving import follow, opened, play_mistake
from tests.envs.web.walking import check_tasks

LENGTHS = {
    "StockByMail": {7}, "EventFromMail": {9}, "OrderFromNote": {11, 12}, "InviteFromMail": {8, 9},
    "ReportUser": {7, 8, 9},
}  # fmt: skip
CARRIED = {
    "StockByMail": ("stock",),
    "EventFromMail": ("day", "start", "finish", "place"),
    "OrderFromNote": ("first_quantity", "second_quantity"),
    "InviteFromMail": ("email",),
    "ReportUser": ("email",),
}
"""The parameters that the goal does not tell and that are typed."""

each_template = pytest.mark.parametrize("template", COMPOSITE_TEMPLATES, ids=lambda template: template.name)


def host(page: PageState) -> str:
    return str(urlsplit(page.url).hostname)


@each_template
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(6), noise)


@each_template
def test_each_action_of_the_reference_solution_brings_the_goal_nearer_by_one_however_long_the_lists_are(template):
    for seed, noise in ((0, 3), (1, 8), (2, 20)):
        episode = Episode(template(), seed, noise=noise)
        page = opened(episode)
        for left in range(episode.length, 0, -1):
            assert episode.remaining(page.state()) == left, (episode.goal, page.url)
            follow(episode, page, 1)
        assert episode.remaining(page.state()) == 0


@each_template
def test_what_is_typed_in_one_application_was_read_in_the_other_and_is_not_in_the_goal(template):
    for seed in range(10):
        episode = Episode(template(), seed)
        carried = {episode.params[name] for name in CARRIED[template.name]}
        page, shown, typed = opened(episode), {}, set()
        while not episode.reached:
            state = page.state()
            shown.setdefault(host(state), []).extend(element.name for element in state.elements)
            hint = episode.hint(state)
            if hint.kind == "fill" and hint.text in carried:
                (elsewhere,) = shown.keys() - {host(state)}
                assert any(hint.text in name for name in shown[elsewhere]), (hint, episode.goal)
                assert hint.text not in episode.goal
                typed.add(hint.text)
            page.act(hint)
        assert typed == carried


def shape(text: str) -> str:
    return "".join("9" if letter.isdigit() else letter for letter in text.rsplit("@", maxsplit=1)[-1])


@each_template
def test_those_who_can_not_write_must_choose_what_they_carry(template):
    """The candidate texts hold what was found and, for at least one of its values, another that looks like it."""
    for seed in range(10):
        episode = Episode(template(), seed)
        fields = Counter(episode.fields)
        carried = {episode.params[name] for name in CARRIED[template.name]}
        assert carried <= set(fields)
        assert max(fields.values()) == 1
        alike = Counter(shape(text) for text in fields)
        assert any(alike[shape(text)] > sum(shape(text) == shape(other) for other in carried) for text in carried)


@each_template
def test_the_mistake_fails(template):
    for seed in range(6):
        episode = Episode(template(), seed)
        page = opened(episode)
        before = episode.world.contents()
        play_mistake(episode, page)
        assert episode.world.contents() != before
        assert not episode.succeeds(None), episode.goal


@pytest.mark.parametrize("name", ["InviteFromMail", "ReportUser"])
def test_the_order_of_the_edits_is_free(name):
    (template,) = (template for template in COMPOSITE_TEMPLATES if template.name == name)
    for seed in range(4):
        episode = Episode(template(), seed)
        second = episode.stages[1]
        page = opened(episode)
        other = Episode.__new__(Episode)
        other.__dict__.update({key: value for key, value in vars(episode).items() if not key.startswith("_")})
        other._initial, other._judged, other._stage_at, other.stages = episode._initial, None, None, [second]
        follow(other, page, 20)
        assert other.reached
        assert episode.done_stages() == {1}
        assert not episode.reached
        follow(episode, page, 20)
        assert episode.reached, episode.goal


@each_template
def test_each_application_links_to_the_other(template):
    episode = Episode(template(), 0)
    page = opened(episode)
    first, second = (app.title for app in template.apps)
    for title, there in ((second, template.apps[1]), (first, template.apps[0])):
        page.click(page.state().find("link", title))
        assert page.url == f"http://{there.name}.test/"
    assert page.blocked == 0
