"""Notes: texts with tags and check lists, pinned, archived and merged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from random import Random
from typing import ClassVar

from potentia.envs.web.apps.application import BadInput, route
from potentia.envs.web.apps.check_lists import CheckLists
from potentia.envs.web.apps.note_tags import NoteTags
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.apps.words import ERRANDS, FIRST_NAMES, GROCERIES, NOTE_KINDS, TOPICS, distinct
from potentia.envs.web.http import Request, Response, redirect

TAGS = ("Family", "Garden", "Health", "Money", "Travel", "Work")
_LONGEST_TITLE = 40


class Notes(NoteTags, CheckLists):
    """Notes are found in a list, by tag or by search. Each has a page with its text, its tags and its check list."""

    name = "notes"
    title = "Notes"
    schema = (
        """
        CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT UNIQUE, text TEXT, pinned INTEGER DEFAULT 0,
                           archived INTEGER DEFAULT 0);
    """
        + NoteTags.schema
        + CheckLists.schema
    )
    bar: ClassVar = {"Notes": "/", "Search": "/search", "Tags": "/tags", "Archive": "/archive", "New note": "/new"}

    def populate(self, random: Random, rows: int) -> None:
        """Six tags and ``rows`` notes, some of them pinned or archived, some with a list."""
        for name in TAGS:
            self.insert("tag", name=name)
        for title in distinct(
            random, rows, lambda: f"{random.choice(TOPICS).capitalize()} {random.choice(NOTE_KINDS)}"
        ):
            note = self.write(
                title,
                f"{random.choice(ERRANDS)}, then tell {random.choice(FIRST_NAMES)}.",
                random.sample(TAGS, random.randint(1, 2)),
                random.sample(GROCERIES, random.choice((0, 0, 3, 4))),
            )
            for item in self.items(note):
                self.change("UPDATE item SET done = ? WHERE id = ?", random.randint(0, 1), item["id"])
            self.change(
                "UPDATE note SET pinned = ?, archived = ? WHERE id = ?",
                random.random() < 0.15, random.random() < 0.2, note,
            )  # fmt: skip

    def write(self, title: str, text: str, tags: Iterable[str] = (), items: Iterable[str] = ()) -> int:
        """Writes a note, with tags that there are and a list of which nothing is ticked. The result is its id."""
        note = self.insert("note", title=title, text=text)
        for tag in tags:
            self.tag(note, tag)
        for item in items:
            self.insert("item", note_id=note, text=item)
        return note

    def merge(self, note: int, other: int) -> None:
        """Puts a note's text behind that of another, gives the other its tags and items, and deletes it.

        Of items that both have, the other's stays.
        """
        for table in ("marking", "item"):
            self.change(f"UPDATE OR IGNORE {table} SET note_id = ? WHERE note_id = ?", other, note)
        text = self.row("SELECT text FROM note WHERE id = ?", note)["text"]
        self.change("UPDATE note SET text = trim(text || ' ' || ?) WHERE id = ?", text, other)
        self.change("DELETE FROM note WHERE id = ?", note)

    def note_row(self, note: int) -> sqlite3.Row:
        """The note with this id. A `LookupError` is raised if there is none."""
        return self.row("SELECT * FROM note WHERE id = ?", note)

    @route("GET", "/")
    def front(self, request: Request) -> Response:
        """All notes that are not archived, the pinned ones first."""
        return self.page("notes/notes.html", "Notes", paging=paged(request, self.listed("NOT archived")))

    @route("GET", "/archive")
    def archive(self, request: Request) -> Response:
        """All notes that are archived."""
        return self.page("notes/notes.html", "Archive", paging=paged(request, self.listed("archived")))

    @route("GET", "/search")
    def search(self, request: Request) -> Response:
        """Notes whose title, text or list contains a text, archived ones too."""
        wanted = request.asked("q").strip()
        found = self.listed(
            "instr(lower(title || ' ' || text), lower(?)) "
            "OR EXISTS (SELECT 1 FROM item WHERE note_id = note.id AND instr(lower(item.text), lower(?)))",
            wanted,
            wanted,
        )
        return self.page("notes/search.html", "Search", wanted=wanted, paging=paged(request, found if wanted else []))

    @route("GET", "/new")
    def new(self, request: Request) -> Response:
        """The form of a note."""
        del request
        return self.page("notes/edit.html", "New note", action="/create", title="", text="")

    @route("POST", "/create")
    def create(self, request: Request) -> Response:
        """Writes a note."""
        return redirect(f"/note/{self.write(*self._written(request))}")

    @route("GET", "/note/{note}")
    def note(self, request: Request, note: int) -> Response:
        """One note, and all that can be done with it."""
        del request
        row = self.note_row(note)
        tags = self.rows("SELECT tag.* FROM tag JOIN marking ON tag_id = tag.id WHERE note_id = ? ORDER BY name", note)
        other = self.rows("SELECT name FROM tag WHERE id NOT IN (SELECT tag_id FROM marking WHERE note_id = ?)", note)
        return self.page(
            "notes/note.html",
            row["title"],
            note=row,
            tags=tags,
            other_tags=sorted(tag["name"] for tag in other),
            items=self.items(note),
        )

    @route("GET", "/note/{note}/edit")
    def edit(self, request: Request, note: int) -> Response:
        """The form that changes a note."""
        del request
        row = self.note_row(note)
        return self.page(
            "notes/edit.html", "Edit note", action=f"/note/{note}/save", title=row["title"], text=row["text"]
        )

    @route("POST", "/note/{note}/save")
    def save_note(self, request: Request, note: int) -> Response:
        """Changes the title and the text of a note."""
        title, text = self._written(request, self.note_row(note)["title"])
        self.change("UPDATE note SET title = ?, text = ? WHERE id = ?", title, text, note)
        return redirect(f"/note/{note}")

    @route("POST", "/note/{note}/pin")
    def pin(self, request: Request, note: int) -> Response:
        """Pins a note to the top of the list."""
        return self._set(request, note, "pinned = 1")

    @route("POST", "/note/{note}/unpin")
    def unpin(self, request: Request, note: int) -> Response:
        """Takes the pin off."""
        return self._set(request, note, "pinned = 0")

    @route("POST", "/note/{note}/archive")
    def put_away(self, request: Request, note: int) -> Response:
        """Archives a note."""
        return self._set(request, note, "archived = 1")

    @route("POST", "/note/{note}/restore")
    def take_back(self, request: Request, note: int) -> Response:
        """Takes a note out of the archive."""
        return self._set(request, note, "archived = 0")

    @route("POST", "/note/{note}/delete")
    def delete(self, request: Request, note: int) -> Response:
        """Deletes a note with its list."""
        del request
        self.note_row(note)
        self.change("DELETE FROM note WHERE id = ?", note)
        return redirect("/")

    @route("GET", "/note/{note}/merge")
    def merging(self, request: Request, note: int) -> Response:
        """The form that asks which note to merge it into."""
        del request
        return self.page("notes/merge.html", "Merge note", note=self.note_row(note))

    @route("POST", "/note/{note}/merge-into")
    def merge_into(self, request: Request, note: int) -> Response:
        """Merges a note into the one with this title."""
        self.note_row(note)
        title = request.sent("title")
        found = self.rows("SELECT id FROM note WHERE title = ?", title)
        if not found:
            raise BadInput(f"There is no note {title}.")
        if found[0]["id"] == note:
            raise BadInput("A note can't be merged into itself.")
        self.merge(note, found[0]["id"])
        return redirect(f"/note/{found[0]['id']}")

    def _set(self, request: Request, note: int, assignment: str) -> Response:
        del request
        self.note_row(note)
        self.change(f"UPDATE note SET {assignment} WHERE id = ?", note)
        return redirect(f"/note/{note}")

    def _written(self, request: Request, old: str = "") -> tuple[str, str]:
        """The title and the text sent. No other note may have that title."""
        title, text = request.sent("title"), request.sent("text").replace("\r\n", "\n")
        if not 1 <= len(title) <= _LONGEST_TITLE:
            raise BadInput(f"A note needs a title of at most {_LONGEST_TITLE} letters.")
        if title != old and self.rows("SELECT id FROM note WHERE title = ?", title):
            raise BadInput(f"There is a note {title} already.")
        return title, text
