"""Tasks in the issue tracker."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.issue_search import PRIORITIES
from potentia.envs.web.apps.paging import A_PAGE
from potentia.envs.web.apps.tracker import LABELS, Tracker
from potentia.envs.web.apps.words import DEFECTS, FEATURES, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_TRACKER = "http://tracker.test"


def _tracker(world: AppWorld) -> Tracker:
    app = world["tracker"]
    assert isinstance(app, Tracker)
    return app


def _titles(random: Random, world: AppWorld, count: int) -> list[str]:
    """Titles that no issue has."""
    taken = frozenset(row["title"] for row in _tracker(world).rows("SELECT title FROM issue"))
    return distinct(random, count, lambda: f"{random.choice(DEFECTS)} {random.choice(FEATURES)}", besides=taken)


def _two_projects(random: Random, world: AppWorld) -> list[tuple[int, str]]:
    """The ids and names of two projects."""
    found = _tracker(world).rows("SELECT * FROM project ORDER BY name")
    return [(row["id"], row["name"]) for row in random.sample(found, 2)]


def _find(words: str = "", **filters: str) -> list[Move]:
    """From anywhere to the issues found by words and filters."""
    criteria = ({"words": words} if words else {}) | filters
    asked = {"words": "", **dict.fromkeys(("project", "state", "priority", "assignee", "label"), "any"), **criteria}
    values = {name.capitalize(): value for name, value in criteria.items()}
    return [
        Move("Search", f"{_TRACKER}/search"),
        Move("Find", f"{_TRACKER}/found?{urlencode(asked)}", values),
    ]


def _to_issue(world: AppWorld, issue: int) -> list[Move]:
    """From anywhere to an issue: by the front page if it stands on it, else by a search for its title."""
    title = _tracker(world).issue_row(issue)["title"]
    opened = Move(f"#{issue} {title}", f"{_TRACKER}/issue/{issue}")
    if issue in [row["id"] for row in _tracker(world).found(state="open")[:A_PAGE]]:
        return [Move("Issues", f"{_TRACKER}/"), opened]
    return [*_find(title), opened]


class _TrackerTask(Template):
    apps = (Tracker,)


class Comment(_TrackerTask):
    """An issue gets a comment."""

    name = "TrackerComment"
    difficulty = "easy"
    complexity = 1.4
    tags = ("create",)
    phrasings = (
        'Comment on issue #{issue}, "{title}": "{comment}"',
        'Add the comment "{comment}" to the issue "{title}" (#{issue}).',
        'Issue #{issue} needs a comment from you. It is "{title}"; write "{comment}" there.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _tracker(world), _titles(random, world, 1)[0]
        issue = app.seed(random, title, project=random.randint(1, 3), priority="normal")
        verb = random.choice(("Fixed in", "Still there in", "Not seen in", "Worse in"))
        return {"issue": issue, "title": title, "comment": f"{verb} build {random.randint(100, 999)}"}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        issue, comment = params["issue"], params["comment"]
        moves = [*_to_issue(world, issue), Move("Add comment", values={"Comment": comment})]
        return [Stage(moves, lambda world: _tracker(world).remark(issue, comment))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"comment": params["title"]})


class DeleteComment(_TrackerTask):
    """One of three comments on an issue is deleted. Another one says nearly the same."""

    name = "TrackerDeleteComment"
    difficulty = "easy"
    complexity = 1.2
    tags = ("delete", "distractor")
    phrasings = (
        'Delete the comment "{comment}" from issue #{issue}, "{title}".',
        'On the issue "{title}" (#{issue}) somebody wrote "{comment}". Remove that comment.',
        'The comment "{comment}" is wrong: take it off "{title}", issue #{issue}. Leave the other comments.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _tracker(world), _titles(random, world, 1)[0]
        issue = app.seed(random, title, project=random.randint(1, 3), priority="normal")
        builds = random.sample(range(100, 1000), 2)
        comment, other = (f"Seen on build {build}" for build in builds)
        author, comments = random.choice(app.names("person")), [comment, other, "Can you send a picture?"]
        random.shuffle(comments)
        for day, text in enumerate(comments, 10):
            app.remark(issue, text, author, f"2026-03-{day}")
        return {"issue": issue, "title": title, "comment": comment, "other": other}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        issue, comment = params["issue"], params["comment"]
        place = [row["text"] for row in _tracker(world).comments(issue)].index(comment) + 1
        statement = "DELETE FROM comment WHERE issue_id = ? AND text = ?"
        moves = [*_to_issue(world, issue), Move(f"Delete comment {place}")]
        return [Stage(moves, lambda world: _tracker(world).change(statement, issue, comment))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"comment": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"],)


class NewIssue(_TrackerTask):
    """An issue is filed."""

    name = "TrackerNewIssue"
    difficulty = "medium"
    complexity = 1.4
    tags = ("create", "form")
    phrasings = (
        'File a new issue in the project "{project}" with the title "{title}", the priority "{priority}", assigned to '
        '"{person}". Leave its text empty.',
        'There is a new problem in "{project}": "{title}". Make an issue of it without further text. It is '
        '"{priority}", and "{person}" should see to it.',
        'Assign to "{person}" a new issue of the priority "{priority}" titled "{title}" in "{project}"; it needs '
        "no text.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app = _tracker(world)
        return {
            "title": _titles(random, world, 1)[0], "project": random.choice(app.names("project")),
            "priority": random.choice(("low", "high", "urgent")), "person": random.choice(app.names("person")),
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        del world
        project, title, priority, person = (params[key] for key in ("project", "title", "priority", "person"))
        values = {"Project": project, "Title": title, "Priority": priority, "Assignee": person}
        return [
            Stage(
                [Move("New issue", f"{_TRACKER}/new"), Move("File issue", values=values)],
                lambda world: _tracker(world).file(project, title, "", priority, person),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"priority": "normal"})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"],)


class Owner(_TrackerTask):
    """To whom is the one urgent open issue of a project assigned?"""

    name = "TrackerOwner"
    difficulty = "medium"
    complexity = 1.4
    tags = ("question", "search", "distractor")
    phrasings = (
        'Who is assigned to the only urgent open issue of the project "{project}"? Answer with the name.',
        'The project "{project}" has one open issue that is urgent. Name its assignee.',
        'Find the urgent issue still open in "{project}" and answer with the person who has to see to it.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app = _tracker(world)
        (project, name), (elsewhere, _) = _two_projects(random, world)
        app.change("UPDATE issue SET priority = 'high' WHERE priority = 'urgent' AND project_id = ?", project)
        people, titles = random.sample(range(1, 6), 3), _titles(random, world, 3)
        for title, place, state, person in zip(
            titles, (project, project, elsewhere), ("open", "closed", "open"), people, strict=True
        ):
            app.seed(random, title, project=place, priority="urgent", person=person, state=state)
        return {"project": name}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        filters = {"project": params["project"], "state": "open", "priority": "urgent"}
        found = _tracker(world).found(**filters)[0]
        opened = Move(f"#{found['id']} {found['title']}", f"{_TRACKER}/issue/{found['id']}")
        return [Stage([*_find(**filters), opened], lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        return self._assignee(world, params, "open")

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        return self._assignee(world, params, "closed")

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params)

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["project"], "urgent")

    def _assignee(self, world: AppWorld, params: Params, state: str) -> str:
        found = _tracker(world).found(project=params["project"], priority="urgent", state=state)
        return str(found[0]["assignee"])


class Triage(_TrackerTask):
    """An issue gets a priority and an assignee and loses a label. Another project has an issue of the same title."""

    name = "TrackerTriage"
    difficulty = "medium"
    complexity = 2.0
    tags = ("edit", "delete", "distractor")
    phrasings = (
        'Triage the issue "{title}" of the project "{project}": priority "{priority}", assigned to "{person}", and the '
        'label "triage" removed.',
        'Take the label "triage" off the issue "{title}" in "{project}", give the issue to "{person}" and make its '
        'priority "{priority}".',
        '"{person}" takes over the issue "{title}" ("{project}"). Set its priority to "{priority}"; it needs the label '
        '"triage" no longer.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _tracker(world), _titles(random, world, 1)[0]
        (project, name), (elsewhere, other) = _two_projects(random, world)
        for place in random.sample((project, elsewhere), 2):
            app.seed(random, title, project=place, priority="normal", labels=("bug", "triage"))
        priority = random.choice([word for word in PRIORITIES if word != "normal"])
        person = random.choice(app.names("person"))
        return {"title": title, "project": name, "other": other, "priority": priority, "person": person}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        issue = _tracker(world).found(params["title"], project=params["project"])[0]["id"]
        priority, person = params["priority"], params["person"]
        here = _to_issue(world, issue)

        def assign(world: AppWorld) -> None:
            app = _tracker(world)
            statement = "UPDATE issue SET priority = ?, person_id = ? WHERE id = ?"
            app.change(statement, priority, app.person(person), issue)

        unlabel = "DELETE FROM labelled WHERE issue_id = ? AND label_id = (SELECT id FROM label WHERE name = 'triage')"
        change = Move("Save issue", values={"Priority": priority, "Assignee": person})
        return [
            Stage([*here, Move("Edit issue", f"{_TRACKER}/issue/{issue}/edit"), change], assign),
            Stage([*here, Move("Remove label triage")], lambda world: _tracker(world).change(unlabel, issue)),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"project": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"], params["project"], params["priority"], params["person"])


class BulkClose(_TrackerTask):
    """All open issues of a project that have a label are closed."""

    name = "TrackerBulkClose"
    difficulty = "hard"
    complexity = 2.4
    tags = ("bulk", "search", "distractor")
    phrasings = (
        'Close all open issues of the project "{project}" that have the label "{label}".',
        'Everything labelled "{label}" in "{project}" is done: close those issues and leave all others as they are.',
        'In "{project}", no issue with the label "{label}" should be open any more. Close them.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, label = _tracker(world), random.choice(LABELS)
        (project, name), (elsewhere, _) = _two_projects(random, world)
        other = random.choice([word for word in LABELS if word != label])
        count = random.randint(3, 4)
        matching = app.found(project=name, state="open", label=label)
        for row in matching[count:]:
            app.change("DELETE FROM labelled WHERE issue_id = ?", row["id"])
        wanted = [(project, "open", label)] * (count - len(matching))
        near = [(project, "closed", label), (project, "open", other), (elsewhere, "open", label)]
        rows = [*wanted, *near]
        for title, (place, state, word) in zip(_titles(random, world, len(rows)), rows, strict=True):
            app.seed(random, title, project=place, priority=random.choice(PRIORITIES), state=state, labels=(word,))
        return {"project": name, "label": label, "other": other}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        filters = {"project": params["project"], "state": "open", "label": params["label"]}
        numbers = [row["id"] for row in _tracker(world).found(**filters)]
        return [Stage([*_find(**filters), self._ticks(numbers)], lambda world: self._close(world, numbers))]

    def _ticks(self, numbers: Sequence[int]) -> Move:
        return Move("Close selected", values={f"Select #{number}": True for number in numbers})

    def _close(self, world: AppWorld, numbers: Sequence[int]) -> None:
        for number in numbers:
            _tracker(world).change("UPDATE issue SET state = 'closed' WHERE id = ?", number)

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"label": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["project"], params["label"])


class FinishMilestone(_TrackerTask):
    """A milestone's open issues go to the next one, it is closed, and the next one is due on another day."""

    name = "TrackerFinishMilestone"
    difficulty = "hard"
    complexity = 2.2
    tags = ("composite", "edit", "bulk")
    phrasings = (
        'Finish the milestone "{old}": move its open issues to "{new}" and close it. Then make "{new}" due on "{day}".',
        'What is still open in the milestone "{old}" goes to "{new}", which will be due on "{day}"; after that, close '
        '"{old}".',
        'The due day of "{new}" is now "{day}". It takes over all open issues of the milestone "{old}", and "{old}" is '
        "to be closed.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app = _tracker(world)
        project, name = _two_projects(random, world)[0]
        part = random.choice((1, 2))
        old = app.milestone_of(project, f"{name} 1.{part}")
        for title, state in zip(_titles(random, world, 3), ("open", "open", "closed"), strict=True):
            app.seed(random, title, project=project, priority="normal", milestone=old, state=state)
        day = f"2026-{random.choice(('09', '10', '11'))}-{random.randint(1, 28):02}"
        return {"day": day, "old": f"{name} 1.{part}", "new": f"{name} 1.{part + 1}"}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        ids = {row["name"]: int(row["id"]) for row in _tracker(world).rows("SELECT * FROM milestone")}
        old, new, day = params["old"], params["new"], params["day"]

        def made(name: str, last: Move) -> list[Move]:
            listed = Move("Milestones", f"{_TRACKER}/milestones")
            return [listed, Move(name, f"{_TRACKER}/milestone/{ids[name]}"), last]

        return [
            Stage(
                made(old, Move("Move open issues", values={"Other milestone": new})),
                lambda world: _tracker(world).move_open(ids[old], ids[new]),
            ),
            Stage(made(old, Move("Close milestone")), lambda world: _tracker(world).close_milestone(ids[old])),
            Stage(
                made(new, Move("Save due day", values={"Due": day})),
                lambda world: _tracker(world).change("UPDATE milestone SET due = ? WHERE id = ?", day, ids[new]),
            ),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        """Another milestone takes the issues."""
        project = params["old"].split()[0]
        other = next(n for n in (f"{project} 1.{k}" for k in (1, 2, 3)) if n not in (params["old"], params["new"]))
        return [*self.stages(world, params | {"new": other})[:2], self.stages(world, params)[2]]

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["day"],)


TRACKER_TEMPLATES: tuple[type[Template], ...] = (
    Comment, DeleteComment, NewIssue, Owner, Triage, BulkClose, FinishMilestone,
)  # fmt: skip
