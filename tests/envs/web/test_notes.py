"""The notes: what each of their pages shows and does, and that their tasks can be done by those who see little."""

from __future__ import annotations

from random import Random

import pytest

from potentia.envs.web.apps.notes import TAGS, Notes
from potentia.envs.web.apps.words import GROCERIES
from potentia.envs.web.backends.document import Document
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.notes import NOTES_TEMPLATES
from tests.envs.web.solving import follow, opened
from tests.envs.web.walking import check_names, check_tasks, get, pages, post, refused, shown

LENGTHS = {
    "NotesCreate": {4}, "NotesDelete": {2}, "NotesLeftItem": {2}, "NotesTick": {7}, "NotesArchiveTag": {6},
    "NotesUpdateList": {6, 7}, "NotesMerge": {9, 10},
}  # fmt: skip


@pytest.fixture
def notes() -> Notes:
    """Three notes, ids 1 to 3: with two tags, with a list of which one of three is ticked, and with nothing."""
    app = Notes()
    for name in TAGS:
        app.insert("tag", name=name)
    app.write("Trip", "To the lake.", ["Travel", "Family"])
    app.write("Shopping", "", ["Family"], ["milk", "oat milk", "tea"])
    app.write("Poem", "Roses are red.")
    app.change("UPDATE item SET done = 1 WHERE text = 'tea'")
    return app


def titles(app, path):
    listed = [row["title"] for row in app.rows("SELECT title FROM note")]
    return [name for name in shown(app, path) if name in listed]


def list_of(app, note):
    return {item["text"]: item["done"] for item in app.items(note)}


def tags_of(app, note):
    names = "SELECT name FROM tag JOIN marking ON tag_id = tag.id WHERE note_id = ? ORDER BY name"
    return [row["name"] for row in app.rows(names, note)]


@pytest.mark.parametrize("template", NOTES_TEMPLATES, ids=lambda template: template.name)
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(8), noise)


@pytest.mark.parametrize("name", ["NotesUpdateList", "NotesMerge"])
def test_the_edits_may_be_made_in_any_order(name):
    template = next(t for t in NOTES_TEMPLATES if t.name == name)()
    for seed in range(6):
        for first in range(4):
            episode = Episode(template, seed)
            episode.stages[first].edit(episode.world)
            assert episode.done_stages() == {first}
            follow(episode, opened(episode), template.budget)
            assert episode.reached


def test_noise_has_all_kinds_of_notes_and_grows_with_its_number():
    for rows in (3, 20):
        app = Notes()
        app.populate(Random(0), rows)
        assert app.row("SELECT count(*) FROM note")[0] == rows
    for what in ("note WHERE pinned", "note WHERE archived", "note WHERE NOT pinned", "item WHERE done", "item"):
        assert app.row(f"SELECT count(*) FROM {what}")[0] > 0
    assert {row["text"] for row in app.rows("SELECT text FROM item")} <= set(GROCERIES)


def test_every_page_has_at_most_48_rows_whose_names_differ():
    for rows in (8, 20):
        app = Notes()
        app.populate(Random(3), rows)
        states = list(pages(app))
        assert len(states) > 3 * rows
        for state in states:
            check_names(state)
            assert len(state.elements) <= 48, state.url
            assert "There is no such page." not in [element.name for element in state.elements]


def test_the_list_shows_ten_notes_a_page_the_pinned_ones_first(notes):
    for number in range(9):
        notes.write(f"Note {number}", "")
    post(notes, "/note/3/pin")
    assert titles(notes, "/") == ["Poem", *(f"Note {number}" for number in range(9))]
    assert "Next page" in shown(notes, "/")
    assert "Previous page" not in shown(notes, "/")
    assert titles(notes, "/?start=10") == ["Shopping", "Trip"]
    assert "Next page" not in shown(notes, "/?start=10")
    assert "Previous page" in shown(notes, "/?start=10")
    assert {"pinned", "Family, Travel"} <= {*shown(notes, "/"), *shown(notes, "/?start=10")}
    assert get(notes, "/?start=x").status == 400


def test_a_note_is_written_and_changed(notes):
    assert post(notes, "/create", title=" Call ", text="One\r\nTwo").location == "/note/4"
    assert tuple(notes.note_row(4)) == (4, "Call", "One\nTwo", 0, 0)
    assert shown(notes, "/note/4")[5:7] == ["Call", "One Two"]
    form = Document(get(notes, "/note/4/edit").body.decode()).elements()
    assert {e.name: e.value for e in form if e.role == "textbox"} == {"Title": "Call", "Text": "One\nTwo"}
    assert post(notes, "/note/4/save", title="Call", text="Three").location == "/note/4"
    assert notes.note_row(4)["text"] == "Three"
    for path in ("/create", "/note/4/save"):
        refused(notes, path, "a title of at most 40 letters", title=" ", text="x")
        refused(notes, path, "a title of at most 40 letters", title="x" * 41, text="x")
        refused(notes, path, "There is a note Trip already", title="Trip", text="x")


def test_a_note_is_pinned_archived_and_deleted_with_all_it_has(notes):
    assert post(notes, "/note/2/pin").location == "/note/2"
    assert {"pinned", "Unpin note"} <= set(shown(notes, "/note/2"))
    post(notes, "/note/2/unpin")
    assert "Pin note" in shown(notes, "/note/2")
    post(notes, "/note/2/archive")
    assert titles(notes, "/") == ["Poem", "Trip"]
    assert titles(notes, "/archive") == ["Shopping"]
    assert {"archived", "Restore note"} <= set(shown(notes, "/note/2"))
    post(notes, "/note/2/restore")
    assert titles(notes, "/archive") == []
    assert "No notes." in shown(notes, "/archive")
    assert post(notes, "/note/2/delete").location == "/"
    assert not notes.rows("SELECT * FROM item")
    assert not notes.rows("SELECT * FROM marking WHERE note_id = 2")
    assert titles(notes, "/") == ["Poem", "Trip"]


def test_the_search_looks_at_titles_texts_and_lists_of_all_notes(notes):
    post(notes, "/note/2/archive")
    for text, found in (
        ("TRIP", ["Trip"]),
        ("roses", ["Poem"]),
        ("oat", ["Shopping"]),
        ("e", ["Poem", "Shopping", "Trip"]),
    ):
        assert titles(notes, f"/search?q={text}") == found
    assert "No notes." in shown(notes, "/search?q=zebra")
    assert titles(notes, "/search?q=") == titles(notes, "/search") == []


def test_merging_joins_texts_tags_and_lists_and_the_ticks_of_the_other_stay(notes):
    post(notes, "/note/1/item", item="tea")
    post(notes, "/note/1/item", item="map")
    assert post(notes, "/note/1/merge-into", title="Shopping").location == "/note/2"
    assert list_of(notes, 2) == {"milk": 0, "oat milk": 0, "tea": 1, "map": 0}
    assert tags_of(notes, 2) == ["Family", "Travel"]
    assert notes.note_row(2)["text"] == "To the lake."
    post(notes, "/note/2/merge-into", title="Poem")
    assert notes.note_row(3)["text"] == "Roses are red. To the lake."
    assert [row["title"] for row in notes.rows("SELECT title FROM note")] == ["Poem"]
    assert notes.row("SELECT count(*) FROM item")[0] == 4
    refused(notes, "/note/3/merge-into", "There is no note Trip", title="Trip")
    refused(notes, "/note/3/merge-into", "into itself", title="Poem")


def test_a_list_gets_items_ticks_and_is_cleared(notes):
    assert post(notes, "/note/2/item", item="jam").location == "/note/2"
    refused(notes, "/note/2/item", "needs a text", item=" ")
    refused(notes, "/note/2/item", "jam is on the list already", item="jam")
    boxes = {e.name: "checked" in e.flags for e in Document(get(notes, "/note/2").body.decode()).elements()}
    assert {"milk": False, "oat milk": False, "tea": True, "jam": False}.items() <= boxes.items()
    post(notes, "/note/2/ticks", item1="on", item4="on")
    assert list_of(notes, 2) == {"milk": 1, "oat milk": 0, "tea": 0, "jam": 1}
    post(notes, "/note/2/clear")
    assert list_of(notes, 2) == {"oat milk": 0, "tea": 0}
    assert "Save ticks" not in shown(notes, "/note/3")


def test_tags_are_made_renamed_put_on_taken_off_and_deleted(notes):
    assert post(notes, "/new-tag", name="Club").location == "/tags"
    refused(notes, "/new-tag", "needs a name", name="")
    refused(notes, "/new-tag", "There is a tag Work already", name="Work")
    assert post(notes, "/note/3/tag", tag="Club").location == "/note/3"
    assert post(notes, "/note/3/tag", tag="Club").status == 303
    assert tags_of(notes, 3) == ["Club"]
    assert post(notes, "/note/3/tag", tag="None such").status == 404
    assert post(notes, "/tag/7/rename", name="Circle").location == "/tag/7"
    assert post(notes, "/tag/7/rename", name="Circle").location == "/tag/7"
    refused(notes, "/tag/7/rename", "There is a tag Work already", name="Work")
    assert "Untag Circle" in shown(notes, "/note/3")
    assert titles(notes, "/tag/7") == ["Poem"]
    assert post(notes, "/note/3/untag/7").location == "/note/3"
    assert post(notes, "/note/3/untag/7").status == 404
    post(notes, "/note/3/tag", tag="Circle")
    assert post(notes, "/tag/7/delete").location == "/tags"
    assert tags_of(notes, 3) == []
    assert "Circle" not in shown(notes, "/tags")


def test_the_notes_of_a_tag_are_counted_listed_and_archived_together(notes):
    names = shown(notes, "/tags")
    assert names[names.index("Family") + 1] == "2"
    family = notes.row("SELECT id FROM tag WHERE name = 'Family'")["id"]
    assert titles(notes, f"/tag/{family}") == ["Shopping", "Trip"]
    assert post(notes, f"/tag/{family}/archive").location == f"/tag/{family}"
    assert titles(notes, "/archive") == ["Shopping", "Trip"]
    assert titles(notes, "/") == ["Poem"]
    assert titles(notes, f"/tag/{family}") == []
    names = shown(notes, "/tags")
    assert names[names.index("Family") + 1] == "0"


@pytest.mark.parametrize(
    "path", ["/note/9", "/note/9/edit", "/note/9/merge", "/tag/9", "/note", "/nowhere", "/create", "/note/1/delete"]
)
def test_there_is_no_such_page_to_get(notes, path):
    assert get(notes, path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/note/9/save", "/note/9/pin", "/note/9/unpin", "/note/9/archive", "/note/9/restore", "/note/9/delete",
        "/note/9/merge-into", "/note/9/tag", "/note/9/item", "/note/9/ticks", "/note/9/clear", "/note/9/untag/1",
        "/note/1/untag/9", "/tag/9/archive", "/tag/9/rename",
        "/tag/9/delete",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_changed(notes, path):
    before = notes.save()
    assert post(notes, path, title="x", text="x", tag="Work", item="x", name="x").status == 404
    assert notes.save() == before
