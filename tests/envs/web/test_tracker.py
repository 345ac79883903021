"""The tracker: what each of its pages shows and does, and that its tasks can be done by those who see little."""

from __future__ import annotations

from random import Random

import pytest

from potentia.envs.web.apps.application import TODAY
from potentia.envs.web.apps.tracker import LABELS, Tracker
from potentia.envs.web.backends.document import Document
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.tracker import TRACKER_TEMPLATES
from tests.envs.web.solving import follow, opened
from tests.envs.web.walking import check_names, check_tasks, get, pages, post, refused, shown

LENGTHS = {
    "TrackerComment": {3}, "TrackerDeleteComment": {2}, "TrackerNewIssue": {5, 6}, "TrackerOwner": {7},
    "TrackerTriage": {6}, "TrackerBulkClose": {9, 10}, "TrackerFinishMilestone": {9},
}  # fmt: skip


@pytest.fixture
def tracker() -> Tracker:
    """Two projects with a milestone each, two people, and four issues, ids 1 to 4: three of Atlas, one of Beacon."""
    app = Tracker()
    for name in LABELS:
        app.insert("label", name=name)
    for name in ("Mila", "Noah"):
        app.insert("person", name=name)
    for number, name in enumerate(("Atlas", "Beacon"), 1):
        app.insert("project", name=name)
        app.insert("milestone", project_id=number, name=f"{name} 1.1", due="2026-05-01")
    app.file("Atlas", "Crash", "It falls over.", "urgent", "Mila")
    app.file("Atlas", "Typo", "", "low", "nobody")
    app.file("Atlas", "Slow", "", "normal", "Noah")
    app.file("Beacon", "Crash", "", "high", "Noah")
    app.change("UPDATE issue SET state = 'closed' WHERE id = 3")
    app.change("UPDATE issue SET milestone_id = 1 WHERE id IN (1, 3)")
    for issue, label in ((1, "bug"), (1, "triage"), (4, "bug")):
        app.label(issue, label)
    return app


def numbers(app, path):
    return [int(name[1:].split()[0]) for name in shown(app, path) if name.startswith("#")]


def after(names, name):
    """What stands behind a name: the cell of a table."""
    return names[names.index(name) + 1]


@pytest.mark.parametrize("template", TRACKER_TEMPLATES, ids=lambda template: template.name)
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(8), noise)


@pytest.mark.parametrize(("name", "free"), [("TrackerTriage", (0, 1)), ("TrackerFinishMilestone", (0, 2))])
def test_the_edits_may_be_made_in_another_order(name, free):
    template = next(t for t in TRACKER_TEMPLATES if t.name == name)()
    for seed in range(6):
        for first in free:
            episode = Episode(template, seed)
            episode.stages[first].edit(episode.world)
            assert episode.done_stages() == {first}
            follow(episode, opened(episode), template.budget)
            assert episode.reached


def test_the_question_has_one_answer():
    template = next(t for t in TRACKER_TEMPLATES if t.name == "TrackerOwner")()
    for seed in range(10):
        episode = Episode(template, seed)
        project = episode.params["project"]
        found = episode.world["tracker"].rows(
            "SELECT assignee FROM listed WHERE project = ? AND state = 'open' AND priority = 'urgent'", project
        )
        assert [row["assignee"] for row in found] == [episode.answer]


def test_all_issues_that_are_to_be_closed_have_the_label_and_no_others():
    template = next(t for t in TRACKER_TEMPLATES if t.name == "TrackerBulkClose")()
    for seed in range(10):
        episode = Episode(template, seed)
        app, params = episode.world["tracker"], episode.params
        before = {row["id"] for row in app.found(state="open")}
        labelled = {row["id"] for row in app.found(label=params["label"], project=params["project"])}
        follow(episode, opened(episode), template.budget)
        closed = before - {row["id"] for row in app.found(state="open")}
        assert closed == before & labelled
        assert 3 <= len(closed) <= 4


def test_noise_has_three_projects_and_grows_with_its_number():
    for rows in (3, 20):
        app = Tracker()
        app.populate(Random(0), rows)
        assert app.row("SELECT count(*) FROM issue")[0] == rows
        assert app.row("SELECT count(*) FROM project")[0] == 3
        assert app.row("SELECT min(id) >= 100 AND max(id) <= 999 FROM issue")[0]
        astray = "SELECT * FROM issue JOIN milestone ON milestone.id = milestone_id WHERE milestone.project_id <> "
        assert not app.rows(astray + "issue.project_id")
    for what in ("issue WHERE state = 'open'", "issue WHERE state = 'closed'", "labelled", "comment"):
        assert app.row(f"SELECT count(*) FROM {what}")[0] > 0


def test_every_page_has_at_most_48_rows_whose_names_differ():
    for rows in (8, 20):
        app = Tracker()
        app.populate(Random(3), rows)
        states = list(pages(app))
        assert len(states) > 2 * rows + 9
        for state in states:
            check_names(state)
            assert len(state.elements) <= 48, state.url
            assert "There is no such page." not in [element.name for element in state.elements]


def test_the_front_page_shows_ten_open_issues_the_last_first(tracker):
    assert numbers(tracker, "/") == [4, 2, 1]
    assert after(shown(tracker, "/"), "#1 Crash") == "Atlas, urgent, open"
    for _ in range(9):
        tracker.file("Atlas", "More", "", "low", "nobody")
    assert numbers(tracker, "/") == [13, 12, 11, 10, 9, 8, 7, 6, 5, 4]
    assert "Next page" in shown(tracker, "/")
    assert numbers(tracker, "/?start=10") == [2, 1]
    assert "Select #2" in shown(tracker, "/?start=10")
    assert get(tracker, "/?start=-1").status == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1]), ("words=CRASH", [4, 1]), ("words=falls", [1]), ("project=Atlas&state=any", [3, 2, 1]),
        ("state=closed", [3]), ("priority=high", [4]), ("assignee=Noah", [4, 3]), ("assignee=nobody", [2]),
        ("label=bug", [4, 1]), ("label=bug&project=Atlas&words=crash", [1]), ("label=docs", []),
        ("project=Nowhere", []),
    ],
)  # fmt: skip
def test_the_search_joins_words_and_filters(tracker, query, found):
    assert numbers(tracker, f"/found?{query}") == found
    assert ("No issues." in shown(tracker, f"/found?{query}")) == (not found)


def test_issues_that_are_ticked_are_closed_all_or_none(tracker):
    names = shown(tracker, "/found")
    assert {"Select #1", "Select #2", "Select #4", "Close selected"} <= set(names)
    assert "Select #3" not in names
    assert "Close selected" not in shown(tracker, "/found?state=closed")
    refused(tracker, "/close-selected", "Select at least one issue")
    before = tracker.save()
    assert post(tracker, "/close-selected", issue=["1", "99"]).status == 404
    assert post(tracker, "/close-selected", issue=["1", "x"]).status == 404
    assert tracker.save() == before
    assert post(tracker, "/close-selected", issue=["1", "4"]).location == "/"
    assert numbers(tracker, "/") == [2]


def test_an_issue_is_filed_and_shown(tracker):
    form = {"project": "Beacon", "title": "Blank", "text": "All white.", "priority": "high", "assignee": "Mila"}
    assert post(tracker, "/file", **form).location == "/issue/5"
    names = shown(tracker, "/issue/5")
    assert {"#5 Blank", "All white.", "Close issue"} <= set(names)
    wanted = {
        "Project": "Beacon",
        "State": "open",
        "Priority": "high",
        "Assignee": "Mila",
        "Milestone": "none",
        "Day": TODAY,
    }
    assert {name: after(names, name) for name in wanted} == wanted
    refused(tracker, "/file", "a title of at most 40 letters", **form | {"title": ""})
    refused(tracker, "/file", "a title of at most 40 letters", **form | {"title": "x" * 41})
    refused(tracker, "/file", "must be one of low, normal, high, urgent", **form | {"priority": "none"})
    before = tracker.save()
    for wrong in ({"project": "Nowhere"}, {"assignee": "Stranger"}):
        assert post(tracker, "/file", **form | wrong).status == 404
    assert tracker.save() == before


def test_an_issue_is_changed_closed_and_opened_again(tracker):
    form = Document(get(tracker, "/issue/1/edit").body.decode()).elements()
    held = {e.name: e.value for e in form if e.role in ("textbox", "combobox")}
    assert held == {"Title": "Crash", "Priority": "urgent", "Assignee": "Mila", "Milestone": "Atlas 1.1"}
    assert "Beacon 1.1" not in [e.name for e in form]
    changed = {"title": "Fall", "priority": "low", "assignee": "nobody", "milestone": "none"}
    assert post(tracker, "/issue/1/save", **changed).location == "/issue/1"
    row = tracker.issue_row(1)
    assert [row[name] for name in changed] == list(changed.values())
    assert post(tracker, "/issue/1/save", **changed | {"milestone": "Beacon 1.1"}).status == 404
    refused(tracker, "/issue/1/save", "a title of at most 40 letters", **changed | {"title": " "})
    assert post(tracker, "/issue/1/close").location == "/issue/1"
    assert numbers(tracker, "/") == [4, 2]
    assert "Reopen issue" in shown(tracker, "/issue/1")
    post(tracker, "/issue/1/reopen")
    assert numbers(tracker, "/") == [4, 2, 1]


def test_labels_are_put_on_and_taken_off(tracker):
    assert {"Remove label bug", "Remove label triage"} <= set(shown(tracker, "/issue/1"))
    assert post(tracker, "/issue/1/label", label="docs").location == "/issue/1"
    refused(tracker, "/issue/1/label", "has the label docs already", label="docs")
    assert post(tracker, "/issue/1/label", label="None such").status == 404
    assert post(tracker, "/issue/1/unlabel/1").location == "/issue/1"
    assert post(tracker, "/issue/1/unlabel/1").status == 404
    assert [label["name"] for label in tracker.labels_of(1)] == ["docs", "triage"]
    for label in ("bug", "feature", "security"):
        post(tracker, "/issue/1/label", label=label)
    assert "Add label" not in shown(tracker, "/issue/1")


def test_comments_are_added_and_deleted(tracker):
    assert post(tracker, "/issue/2/comment", comment="One").location == "/issue/2"
    post(tracker, "/issue/2/comment", comment="Two\r\nThree")
    refused(tracker, "/issue/2/comment", "needs a text", comment=" ")
    assert after(shown(tracker, "/issue/2"), f"2. Me, {TODAY}") == "Two Three"
    assert [comment["text"] for comment in tracker.comments(2)] == ["One", "Two\nThree"]
    assert post(tracker, "/comment/1/delete").location == "/issue/2"
    assert after(shown(tracker, "/issue/2"), f"1. Me, {TODAY}") == "Two Three"
    assert post(tracker, "/comment/1/delete").status == 404


def test_projects_show_how_many_issues_they_have(tracker):
    names = shown(tracker, "/projects")
    assert names[names.index("Atlas") :] == ["Atlas", "2", "1", "Beacon", "1", "0"]


def test_a_milestone_is_made_moved_and_closed_when_nothing_is_open(tracker):
    form = {"project": "Atlas", "name": "Atlas 1.2", "due": "2026-06-30"}
    assert post(tracker, "/new-milestone", **form).location == "/milestones"
    refused(tracker, "/new-milestone", "There is a milestone Atlas 1.2 already", **form)
    refused(tracker, "/new-milestone", "needs a name", **form | {"name": ""})
    refused(tracker, "/new-milestone", "needs a name", **form | {"name": "none"})
    refused(
        tracker, "/new-milestone", "a date such as 2026-04-30, not 20260630", **form | {"name": "x", "due": "20260630"}
    )
    assert post(tracker, "/new-milestone", **form | {"project": "Nowhere"}).status == 404
    assert after(shown(tracker, "/milestones"), "Atlas 1.2") == "due 2026-06-30"

    assert numbers(tracker, "/milestone/1") == [1, 3]
    options = [e.name for e in Document(get(tracker, "/milestone/1").body.decode()).elements() if e.role == "option"]
    assert options == ["none", "Atlas 1.2"]
    refused(tracker, "/milestone/1/close", "Open issues of this milestone: 1.")
    assert post(tracker, "/milestone/1/move", milestone="Beacon 1.1").status == 404
    assert post(tracker, "/milestone/1/move", milestone="Atlas 1.2").location == "/milestone/1"
    assert (numbers(tracker, "/milestone/1"), numbers(tracker, "/milestone/3")) == ([3], [1])
    assert post(tracker, "/milestone/1/close").location == "/milestone/1"
    assert after(shown(tracker, "/milestones"), "Atlas 1.1") == "closed"
    assert "Atlas 1.1" not in shown(tracker, "/issue/1/edit")
    assert "Atlas 1.1" in shown(tracker, "/issue/3/edit")
    post(tracker, "/milestone/1/reopen")
    assert "Close milestone" in shown(tracker, "/milestone/1")
    post(tracker, "/milestone/3/move", milestone="none")
    assert numbers(tracker, "/milestone/3") == []


def test_a_milestone_is_due_on_a_day_that_there_is(tracker):
    assert post(tracker, "/milestone/2/due", due="2028-02-29").location == "/milestone/2"
    assert after(shown(tracker, "/milestones"), "Beacon 1.1") == "due 2028-02-29"
    for day, said in (("2027-02-29", "not 2027-02-29"), ("soon", "not soon"), ("", "not empty")):
        refused(tracker, "/milestone/2/due", said, due=day)


@pytest.mark.parametrize("path", ["/issue/9", "/issue/9/edit", "/milestone/9", "/issue", "/nowhere", "/file"])
def test_there_is_no_such_page_to_get(tracker, path):
    assert get(tracker, path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/issue/9/save", "/issue/9/close", "/issue/9/reopen", "/issue/9/label", "/issue/9/comment",
        "/issue/9/unlabel/1", "/issue/1/unlabel/9", "/comment/9/delete", "/milestone/9/due",
        "/milestone/9/move", "/milestone/9/close", "/milestone/9/reopen",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_changed(tracker, path):
    before = tracker.save()
    form = {"title": "x", "label": "docs", "comment": "x", "due": "2026-06-01", "milestone": "none"}
    assert post(tracker, path, **form).status == 404
    assert tracker.save() == before
