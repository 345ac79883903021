"""Labels on issues, as a part of an application that has issues."""

from __future__ import annotations

import sqlite3

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.http import Request, Response, redirect


class IssueLabels(App):
    """Labels are put on issues and taken off them. It needs a table ``issue``."""

    schema = """
        CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE labelled (id INTEGER PRIMARY KEY, issue_id INTEGER REFERENCES issue(id),
                               label_id INTEGER REFERENCES label(id), UNIQUE (issue_id, label_id));
    """

    def label(self, issue: int, label: str) -> None:
        """Puts a label, by its name, on an issue."""
        found = self.row("SELECT id FROM label WHERE name = ?", label)["id"]
        if self.rows("SELECT id FROM labelled WHERE issue_id = ? AND label_id = ?", issue, found):
            raise BadInput(f"The issue has the label {label} already.")
        self.insert("labelled", issue_id=issue, label_id=found)

    def labels_of(self, issue: int) -> list[sqlite3.Row]:
        """The labels on an issue."""
        return self.rows(
            "SELECT label.* FROM label JOIN labelled ON label_id = label.id WHERE issue_id = ? ORDER BY name", issue
        )

    @route("POST", "/issue/{issue}/label")
    def add_label(self, request: Request, issue: int) -> Response:
        """Puts a label on an issue."""
        self.row("SELECT id FROM issue WHERE id = ?", issue)
        self.label(issue, request.sent("label"))
        return redirect(f"/issue/{issue}")

    @route("POST", "/issue/{issue}/unlabel/{label}")
    def remove_label(self, request: Request, issue: int, label: int) -> Response:
        """Takes a label off an issue."""
        del request
        if not self.change("DELETE FROM labelled WHERE issue_id = ? AND label_id = ?", issue, label):
            raise LookupError(label)
        return redirect(f"/issue/{issue}")
