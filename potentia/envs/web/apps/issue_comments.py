"""Comments on issues, as a part of an application that has issues."""

from __future__ import annotations

import sqlite3

from potentia.envs.web.apps.application import TODAY, App, BadInput, route
from potentia.envs.web.http import Request, Response, redirect

ME = "Me"
"""The author of what is written during an episode."""


class IssueComments(App):
    """Comments are added to issues and deleted. It needs a table ``issue``."""

    schema = """
        CREATE TABLE comment (id INTEGER PRIMARY KEY, issue_id INTEGER REFERENCES issue(id), author TEXT, day TEXT,
                              text TEXT);
    """

    def remark(self, issue: int, text: str, author: str = ME, day: str = TODAY) -> None:
        """Adds a comment."""
        self.insert("comment", issue_id=issue, author=author, day=day, text=text)

    def comments(self, issue: int) -> list[sqlite3.Row]:
        """The comments on an issue, the first first."""
        return self.rows("SELECT * FROM comment WHERE issue_id = ? ORDER BY id", issue)

    @route("POST", "/issue/{issue}/comment")
    def add_comment(self, request: Request, issue: int) -> Response:
        """Adds a comment."""
        self.row("SELECT id FROM issue WHERE id = ?", issue)
        text = request.sent("comment").replace("\r\n", "\n")
        if not text:
            raise BadInput("A comment needs a text.")
        self.remark(issue, text)
        return redirect(f"/issue/{issue}")

    @route("POST", "/comment/{comment}/delete")
    def delete_comment(self, request: Request, comment: int) -> Response:
        """Deletes a comment."""
        del request
        issue = self.row("SELECT issue_id FROM comment WHERE id = ?", comment)["issue_id"]
        self.change("DELETE FROM comment WHERE id = ?", comment)
        return redirect(f"/issue/{issue}")
