"""An issue tracker: projects, issues, and many of them closed at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from random import Random
from typing import ClassVar

from potentia.envs.web.apps.application import TODAY, BadInput, route
from potentia.envs.web.apps.issue_comments import IssueComments
from potentia.envs.web.apps.issue_labels import IssueLabels
from potentia.envs.web.apps.issue_search import NOBODY, PRIORITIES, IssueSearch
from potentia.envs.web.apps.milestones import NONE, Milestones
from potentia.envs.web.apps.words import DEFECTS, FEATURES, FIRST_NAMES, PROJECTS, distinct
from potentia.envs.web.http import Request, Response, redirect

LABELS = ("bug", "docs", "feature", "security", "triage")
_LONGEST_TITLE = 40


class Tracker(IssueSearch, IssueLabels, IssueComments, Milestones):
    """Issues of three projects are found by filters, changed on pages of their own, and grouped in milestones."""

    name = "tracker"
    title = "Tracker"
    schema = (
        """
        CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    """
        + Milestones.schema
        + """
        CREATE TABLE issue (id INTEGER PRIMARY KEY, project_id INTEGER REFERENCES project(id), title TEXT, text TEXT,
                            day TEXT, state TEXT DEFAULT 'open', priority TEXT DEFAULT 'normal',
                            person_id INTEGER REFERENCES person(id),
                            milestone_id INTEGER REFERENCES milestone(id));
        CREATE VIEW listed AS
            SELECT issue.*, project.name AS project, coalesce(person.name, 'nobody') AS assignee,
                   coalesce(milestone.name, 'none') AS milestone
            FROM issue JOIN project ON project.id = issue.project_id LEFT JOIN person ON person.id = person_id
            LEFT JOIN milestone ON milestone.id = milestone_id;
    """
        + IssueLabels.schema
        + IssueComments.schema
    )
    bar: ClassVar = {
        "Issues": "/", "Search": "/search", "Projects": "/projects", "Milestones": "/milestones", "New issue": "/new",
    }  # fmt: skip

    def populate(self, random: Random, rows: int) -> None:
        """Three projects of three milestones, five people, five labels and ``rows`` issues with random numbers."""
        for name in LABELS:
            self.insert("label", name=name)
        for name in sorted(random.sample(FIRST_NAMES, 5)):
            self.insert("person", name=name)
        for name in sorted(random.sample(PROJECTS, 3)):
            project = self.insert("project", name=name)
            for part in (1, 2, 3):
                due = f"2026-{2 + 2 * part:02}-{random.randint(1, 28):02}"
                self.insert("milestone", project_id=project, name=f"{name} 1.{part}", due=due)
        for title in distinct(random, rows, lambda: f"{random.choice(DEFECTS)} {random.choice(FEATURES)}"):
            project, person = random.randint(1, 3), random.choice((None, 1, 2, 3, 4, 5))
            issue = self.seed(
                random, title, project=project, priority=random.choice(PRIORITIES), person=person,
                milestone=random.choice((None, 3 * project - 2, 3 * project - 1, 3 * project)),
                state=random.choice(("open", "open", "closed")), labels=random.sample(LABELS, random.randint(0, 2)),
            )  # fmt: skip
            if random.random() < 0.3:
                author = random.choice(self.names("person"))
                self.remark(issue, f"Seen on build {random.randint(100, 999)}", author, "2026-03-13")

    def seed(
        self, random: Random, title: str, *, project: int, priority: str, person: int | None = None,
        milestone: int | None = None, state: str = "open", labels: Iterable[str] = (),
    ) -> int:  # fmt: skip
        """Files an earlier issue under a number drawn from 100 to 999, so that its number does not tell its age."""
        taken = {row["id"] for row in self.rows("SELECT id FROM issue")}
        issue = self.insert(
            "issue", id=random.choice([number for number in range(100, 1000) if number not in taken]),
            project_id=project, title=title, text=f"Reported by {random.choice(FIRST_NAMES)}.",
            day=f"2026-0{random.randint(1, 2)}-{random.randint(1, 28):02}", state=state, priority=priority,
            person_id=person, milestone_id=milestone,
        )  # fmt: skip
        for label in labels:
            self.label(issue, label)
        return issue

    def file(self, project: str, title: str, text: str, priority: str, assignee: str) -> int:
        """Files an issue today. The result is its number."""
        return self.insert(
            "issue", project_id=self.row("SELECT id FROM project WHERE name = ?", project)["id"], title=title,
            text=text, day=TODAY, priority=priority, person_id=self.person(assignee),
        )  # fmt: skip

    def person(self, name: str) -> int | None:
        """The id of a person, None for "nobody". A `LookupError` is raised if there is no such person."""
        return None if name == NOBODY else int(self.row("SELECT id FROM person WHERE name = ?", name)["id"])

    def issue_row(self, issue: int) -> sqlite3.Row:
        """The issue with this number, with names in place of ids. A `LookupError` is raised if there is none."""
        return self.row("SELECT * FROM listed WHERE id = ?", issue)

    @route("GET", "/projects")
    def all_projects(self, request: Request) -> Response:
        """The projects with the numbers of their issues."""
        del request
        counted = self.rows(
            "SELECT project.name, count(issue.id) FILTER (WHERE state = 'open') AS open, "
            "count(issue.id) FILTER (WHERE state = 'closed') AS closed "
            "FROM project LEFT JOIN issue ON project_id = project.id GROUP BY project.id ORDER BY project.name"
        )
        return self.page("tracker/projects.html", "Projects", projects=counted)

    @route("GET", "/new")
    def new(self, request: Request) -> Response:
        """The form of an issue."""
        del request
        return self.page(
            "tracker/new.html", "New issue", projects=self.names("project"), priorities=PRIORITIES,
            people=[NOBODY, *self.names("person")],
        )  # fmt: skip

    @route("POST", "/file")
    def file_issue(self, request: Request) -> Response:
        """Files an issue."""
        project, text = request.sent("project"), request.sent("text").replace("\r\n", "\n")
        issue = self.file(project, _title(request), text, _priority(request), request.sent("assignee", NOBODY))
        return redirect(f"/issue/{issue}")

    @route("GET", "/issue/{issue}")
    def issue(self, request: Request, issue: int) -> Response:
        """One issue, and all that can be done with it."""
        del request
        row, labels = self.issue_row(issue), self.labels_of(issue)
        other = [name for name in self.names("label") if name not in {label["name"] for label in labels}]
        return self.page(
            "tracker/issue.html", f"#{issue} {row['title']}", issue=row, labels=labels, other_labels=other,
            comments=self.comments(issue),
        )  # fmt: skip

    @route("GET", "/issue/{issue}/edit")
    def edit(self, request: Request, issue: int) -> Response:
        """The form that changes an issue."""
        del request
        row = self.issue_row(issue)
        milestones = {*self.open_milestones(row["project_id"]), row["milestone"]}
        return self.page(
            "tracker/edit.html", f"Edit #{issue}", issue=row, priorities=PRIORITIES,
            people=[NOBODY, *self.names("person")], milestones=[NONE, *sorted(milestones - {NONE})],
        )  # fmt: skip

    @route("POST", "/issue/{issue}/save")
    def save_issue(self, request: Request, issue: int) -> Response:
        """Changes an issue's title, priority, assignee and milestone."""
        row, milestone = self.issue_row(issue), request.sent("milestone", NONE)
        self.change(
            "UPDATE issue SET title = ?, priority = ?, person_id = ?, milestone_id = ? WHERE id = ?",
            _title(request), _priority(request), self.person(request.sent("assignee", NOBODY)),
            self.milestone_of(row["project_id"], milestone), issue,
        )  # fmt: skip
        return redirect(f"/issue/{issue}")

    @route("POST", "/issue/{issue}/close")
    def close(self, request: Request, issue: int) -> Response:
        """Closes an issue."""
        return self._set_state(request, issue, "closed")

    @route("POST", "/issue/{issue}/reopen")
    def reopen(self, request: Request, issue: int) -> Response:
        """Opens an issue again."""
        return self._set_state(request, issue, "open")

    def _set_state(self, request: Request, issue: int, state: str) -> Response:
        del request
        self.issue_row(issue)
        self.change("UPDATE issue SET state = ? WHERE id = ?", state, issue)
        return redirect(f"/issue/{issue}")


def _title(request: Request) -> str:
    title = request.sent("title")
    if not 1 <= len(title) <= _LONGEST_TITLE:
        raise BadInput(f"An issue needs a title of at most {_LONGEST_TITLE} letters.")
    return title


def _priority(request: Request) -> str:
    priority = request.sent("priority", "normal")
    if priority not in PRIORITIES:
        raise BadInput(f"The priority must be one of {', '.join(PRIORITIES)}.")
    return priority
