"""Check lists of notes, as a part of an application that has notes."""

from __future__ import annotations

import sqlite3

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.http import Request, Response, redirect


class CheckLists(App):
    """What a note's check list does: items are added, ticked and cleared. It needs a table ``note``."""

    schema = """
        CREATE TABLE item (id INTEGER PRIMARY KEY, note_id INTEGER REFERENCES note(id) ON DELETE CASCADE, text TEXT,
                           done INTEGER DEFAULT 0, UNIQUE (note_id, text));
    """

    def items(self, note: int) -> list[sqlite3.Row]:
        """The check list of a note."""
        return self.rows("SELECT * FROM item WHERE note_id = ? ORDER BY id", note)

    @route("POST", "/note/{note}/item")
    def add_item(self, request: Request, note: int) -> Response:
        """Adds an item to a check list."""
        self.row("SELECT id FROM note WHERE id = ?", note)
        text = request.sent("item")
        if not text:
            raise BadInput("An item needs a text.")
        if self.rows("SELECT id FROM item WHERE note_id = ? AND text = ?", note, text):
            raise BadInput(f"{text} is on the list already.")
        self.insert("item", note_id=note, text=text)
        return redirect(f"/note/{note}")

    @route("POST", "/note/{note}/ticks")
    def tick(self, request: Request, note: int) -> Response:
        """Ticks the items whose boxes are checked, and no others."""
        self.row("SELECT id FROM note WHERE id = ?", note)
        for item in self.items(note):
            self.change("UPDATE item SET done = ? WHERE id = ?", f"item{item['id']}" in request.form, item["id"])
        return redirect(f"/note/{note}")

    @route("POST", "/note/{note}/clear")
    def clear(self, request: Request, note: int) -> Response:
        """Deletes the items that are ticked."""
        del request
        self.row("SELECT id FROM note WHERE id = ?", note)
        self.change("DELETE FROM item WHERE note_id = ? AND done", note)
        return redirect(f"/note/{note}")
