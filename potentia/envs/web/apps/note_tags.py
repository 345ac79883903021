"""Tags on notes, as a part of an application that has notes."""

from __future__ import annotations

import sqlite3

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.http import Request, Response, redirect

_LISTED = """
    SELECT note.*, (SELECT group_concat(name, ', ') FROM (
        SELECT name FROM tag JOIN marking ON tag_id = tag.id WHERE note_id = note.id ORDER BY name)) AS tags
    FROM note WHERE {} ORDER BY pinned DESC, title
"""


class NoteTags(App):
    """The pages of tags: made, renamed, deleted, put on notes and taken off them.

    It needs a table ``note`` with the columns ``title``, ``pinned`` and ``archived``.
    """

    schema = """
        CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE marking (id INTEGER PRIMARY KEY, note_id INTEGER REFERENCES note(id) ON DELETE CASCADE,
                              tag_id INTEGER REFERENCES tag(id) ON DELETE CASCADE, UNIQUE (note_id, tag_id));
    """

    def tag(self, note: int, tag: str) -> None:
        """Tags a note. A tag that it has stays."""
        found = self.row("SELECT id FROM tag WHERE name = ?", tag)["id"]
        self.change("INSERT OR IGNORE INTO marking (note_id, tag_id) VALUES (?, ?)", note, found)

    def listed(self, condition: str, *values: object) -> list[sqlite3.Row]:
        """The notes for which an SQL condition holds, with their tags, in the order of all lists."""
        return self.rows(_LISTED.format(condition), *values)

    @route("POST", "/note/{note}/tag")
    def add_tag(self, request: Request, note: int) -> Response:
        """Tags a note."""
        self.row("SELECT id FROM note WHERE id = ?", note)
        self.tag(note, request.sent("tag"))
        return redirect(f"/note/{note}")

    @route("POST", "/note/{note}/untag/{tag}")
    def untag(self, request: Request, note: int, tag: int) -> Response:
        """Takes a tag off a note."""
        del request
        self.row("SELECT id FROM note WHERE id = ?", note)
        if not self.change("DELETE FROM marking WHERE note_id = ? AND tag_id = ?", note, tag):
            raise LookupError(tag)
        return redirect(f"/note/{note}")

    @route("GET", "/tags")
    def tags(self, request: Request) -> Response:
        """All tags with the number of their notes, and the form for another."""
        found = self.rows(
            "SELECT tag.*, (SELECT count(*) FROM marking JOIN note ON note_id = note.id "
            "WHERE tag_id = tag.id AND NOT archived) AS notes FROM tag ORDER BY name"
        )
        return self.page("notes/tags.html", "Tags", paging=paged(request, found))

    @route("POST", "/new-tag")
    def create_tag(self, request: Request) -> Response:
        """Makes a tag."""
        self.insert("tag", name=self._tag_name(request))
        return redirect("/tags")

    @route("GET", "/tag/{tag}")
    def tagged(self, request: Request, tag: int) -> Response:
        """The notes with a tag that are not archived, and what can be done with the tag."""
        row = self.row("SELECT * FROM tag WHERE id = ?", tag)
        found = self.listed("NOT archived AND id IN (SELECT note_id FROM marking WHERE tag_id = ?)", tag)
        return self.page("notes/tag.html", f"Tag {row['name']}", tag=row, paging=paged(request, found))

    @route("POST", "/tag/{tag}/archive")
    def archive_all(self, request: Request, tag: int) -> Response:
        """Archives all notes with a tag."""
        del request
        self.row("SELECT * FROM tag WHERE id = ?", tag)
        self.archive_tagged(tag)
        return redirect(f"/tag/{tag}")

    def archive_tagged(self, tag: int) -> None:
        """Archives all notes with a tag."""
        self.change("UPDATE note SET archived = 1 WHERE id IN (SELECT note_id FROM marking WHERE tag_id = ?)", tag)

    @route("POST", "/tag/{tag}/rename")
    def rename_tag(self, request: Request, tag: int) -> Response:
        """Gives a tag another name, on all its notes."""
        old = self.row("SELECT * FROM tag WHERE id = ?", tag)["name"]
        self.change("UPDATE tag SET name = ? WHERE id = ?", self._tag_name(request, old), tag)
        return redirect(f"/tag/{tag}")

    @route("POST", "/tag/{tag}/delete")
    def delete_tag(self, request: Request, tag: int) -> Response:
        """Deletes a tag. Its notes stay."""
        del request
        self.row("SELECT * FROM tag WHERE id = ?", tag)
        self.change("DELETE FROM tag WHERE id = ?", tag)
        return redirect("/tags")

    def _tag_name(self, request: Request, old: str = "") -> str:
        name = request.sent("name")
        if not name:
            raise BadInput("A tag needs a name.")
        if name != old and self.rows("SELECT id FROM tag WHERE name = ?", name):
            raise BadInput(f"There is a tag {name} already.")
        return name
