"""Lists of issues: found by words and filters, and closed many at once. An application that has issues has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.http import Request, Response, redirect

PRIORITIES = ("low", "normal", "high", "urgent")
NOBODY = "nobody"
"""What the forms say for no assignee."""
_ANY = "any"
_FILTERS = ("project", "state", "priority", "assignee", "label")


class IssueSearch(App):
    """The list of open issues, the form that asks for others, and what is done with those that are ticked.

    It needs tables ``project``, ``person``, ``label``, ``labelled`` and ``issue``, and a view ``listed`` of the issues
    with the names of their project and assignee.
    """

    def names(self, table: str) -> list[str]:
        """The column ``name`` of a table, sorted."""
        return [row["name"] for row in self.rows(f"SELECT name FROM {table} ORDER BY name")]

    def found(self, words: str = "", **filters: str) -> list[sqlite3.Row]:
        """The issues whose title or text contains a text and whose columns have the values given, the last first."""
        condition, values = "instr(lower(title || ' ' || text), lower(?))", [words]
        for column, value in filters.items():
            holds = "id IN (SELECT issue_id FROM labelled JOIN label ON label.id = label_id WHERE label.name = ?)"
            condition += f" AND {holds if column == 'label' else f'{column} = ?'}"
            values.append(value)
        return self.rows(f"SELECT * FROM listed WHERE {condition} ORDER BY id DESC", *values)

    @route("GET", "/")
    def front(self, request: Request) -> Response:
        """All open issues."""
        return self._issues(request, "Open issues", self.found(state="open"))

    @route("GET", "/search")
    def search(self, request: Request) -> Response:
        """The form that asks which issues to show."""
        del request
        choices: Mapping[str, list[str]] = {
            "Project": self.names("project"),
            "State": ["open", "closed"],
            "Priority": list(PRIORITIES),
            "Assignee": [NOBODY, *self.names("person")],
            "Label": self.names("label"),
        }
        return self.page("tracker/search.html", "Search", filters={key: [_ANY, *all] for key, all in choices.items()})

    @route("GET", "/found")
    def results(self, request: Request) -> Response:
        """The issues that were asked for."""
        filters = {name: value for name in _FILTERS if (value := request.asked(name, _ANY)) != _ANY}
        return self._issues(request, "Issues found", self.found(request.asked("words").strip(), **filters))

    @route("POST", "/close-selected")
    def close_selected(self, request: Request) -> Response:
        """Closes the issues that are ticked."""
        numbers = request.form.get("issue", [])
        if not numbers:
            raise BadInput("Select at least one issue.")
        for number in numbers:
            if not self.change("UPDATE issue SET state = 'closed' WHERE id = ?", number):
                raise LookupError(number)
        return redirect("/")

    def _issues(self, request: Request, heading: str, found: list[sqlite3.Row]) -> Response:
        return self.page("tracker/issues.html", heading, paging=paged(request, found))
