"""Milestones of projects, as a part of an application that has issues."""

from __future__ import annotations

import sqlite3
from datetime import date

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.http import Request, Response, redirect

NONE = "none"
"""What the form says for no milestone."""


class Milestones(App):
    """Milestones have a due day and are closed when none of their issues is open.

    It needs tables ``project`` and ``issue``, the latter with the columns ``state`` and ``milestone_id``.
    """

    schema = """
        CREATE TABLE milestone (id INTEGER PRIMARY KEY, project_id INTEGER REFERENCES project(id), name TEXT UNIQUE,
                                due TEXT, closed INTEGER DEFAULT 0);
    """

    def milestone_row(self, milestone: int) -> sqlite3.Row:
        """A milestone with its project. A `LookupError` is raised if there is none."""
        return self.row(
            "SELECT milestone.*, project.name AS project FROM milestone JOIN project ON project.id = project_id "
            "WHERE milestone.id = ?",
            milestone,
        )

    def open_milestones(self, project: int) -> list[str]:
        """The names of a project's milestones that are not closed."""
        found = self.rows("SELECT name FROM milestone WHERE project_id = ? AND NOT closed ORDER BY name", project)
        return [row["name"] for row in found]

    def milestone_of(self, project: int, name: str) -> int | None:
        """The id of a project's milestone, None for "none". A `LookupError` is raised if it has no such milestone."""
        if name == NONE:
            return None
        return int(self.row("SELECT id FROM milestone WHERE project_id = ? AND name = ?", project, name)["id"])

    def move_open(self, milestone: int, other: int | None) -> None:
        """Moves the open issues of a milestone to another, or to none."""
        self.change("UPDATE issue SET milestone_id = ? WHERE milestone_id = ? AND state = 'open'", other, milestone)

    def close_milestone(self, milestone: int) -> None:
        """Closes a milestone. A `BadInput` is raised if an issue of it is open."""
        left = self.row("SELECT count(*) FROM issue WHERE milestone_id = ? AND state = 'open'", milestone)[0]
        if left:
            raise BadInput(f"Open issues of this milestone: {left}. Close or move them first.")
        self.change("UPDATE milestone SET closed = 1 WHERE id = ?", milestone)

    @route("GET", "/milestones")
    def milestones(self, request: Request) -> Response:
        """All milestones by their due days, and the form for another."""
        found = self.rows("SELECT * FROM milestone ORDER BY closed, due, name")
        names = [row["name"] for row in self.rows("SELECT name FROM project ORDER BY name")]
        return self.page("tracker/milestones.html", "Milestones", paging=paged(request, found), projects=names)

    @route("POST", "/new-milestone")
    def create_milestone(self, request: Request) -> Response:
        """Makes a milestone."""
        project = self.row("SELECT id FROM project WHERE name = ?", request.sent("project"))["id"]
        name = request.sent("name")
        if not name or name == NONE:
            raise BadInput("A milestone needs a name.")
        if self.rows("SELECT id FROM milestone WHERE name = ?", name):
            raise BadInput(f"There is a milestone {name} already.")
        self.insert("milestone", project_id=project, name=name, due=_due(request))
        return redirect("/milestones")

    @route("GET", "/milestone/{milestone}")
    def milestone(self, request: Request, milestone: int) -> Response:
        """One milestone, its issues, and what can be done with it."""
        row = self.milestone_row(milestone)
        found = self.rows("SELECT * FROM issue WHERE milestone_id = ? ORDER BY state DESC, id DESC", milestone)
        others = [name for name in self.open_milestones(row["project_id"]) if name != row["name"]]
        return self.page(
            "tracker/milestone.html",
            row["name"],
            milestone=row,
            paging=paged(request, found),
            others=[NONE, *others],
        )

    @route("POST", "/milestone/{milestone}/due")
    def set_due(self, request: Request, milestone: int) -> Response:
        """Changes the due day."""
        self.milestone_row(milestone)
        self.change("UPDATE milestone SET due = ? WHERE id = ?", _due(request), milestone)
        return redirect(f"/milestone/{milestone}")

    @route("POST", "/milestone/{milestone}/move")
    def move_issues(self, request: Request, milestone: int) -> Response:
        """Moves the open issues to another milestone of the project."""
        project = self.milestone_row(milestone)["project_id"]
        self.move_open(milestone, self.milestone_of(project, request.sent("milestone")))
        return redirect(f"/milestone/{milestone}")

    @route("POST", "/milestone/{milestone}/close")
    def finish(self, request: Request, milestone: int) -> Response:
        """Closes a milestone."""
        del request
        self.milestone_row(milestone)
        self.close_milestone(milestone)
        return redirect(f"/milestone/{milestone}")

    @route("POST", "/milestone/{milestone}/reopen")
    def resume(self, request: Request, milestone: int) -> Response:
        """Opens a milestone again."""
        del request
        self.milestone_row(milestone)
        self.change("UPDATE milestone SET closed = 0 WHERE id = ?", milestone)
        return redirect(f"/milestone/{milestone}")


def _due(request: Request) -> str:
    text = request.sent("due")
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise BadInput(f"The due day must be a date such as 2026-04-30, not {text or 'empty'}.")
