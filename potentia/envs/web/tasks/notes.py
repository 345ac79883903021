"""Tasks on the notes."""

from __future__ import annotations

from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.notes import TAGS, Notes
from potentia.envs.web.apps.paging import A_PAGE
from potentia.envs.web.apps.words import ERRANDS, FIRST_NAMES, GROCERIES, NOTE_KINDS, TOPICS, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_NOTES = "http://notes.test"


def _notes(world: AppWorld) -> Notes:
    app = world["notes"]
    assert isinstance(app, Notes)
    return app


def _note(world: AppWorld, title: str) -> int:
    return int(_notes(world).row("SELECT id FROM note WHERE title = ?", title)["id"])


def _titles(random: Random, world: AppWorld, count: int) -> list[str]:
    """Titles that no note has."""
    taken = frozenset(row["title"] for row in _notes(world).rows("SELECT title FROM note"))
    return distinct(
        random, count, lambda: f"{random.choice(TOPICS).capitalize()} {random.choice(NOTE_KINDS)}", besides=taken
    )


def _errand(random: Random) -> str:
    return f"{random.choice(ERRANDS)}, then tell {random.choice(FIRST_NAMES)}."


def _to_note(world: AppWorld, title: str) -> list[Move]:
    """From anywhere to a note: by a list if it stands on its first page, else by the search."""
    address = f"{_NOTES}/note/{_note(world, title)}"
    for link, path, condition in (("Notes", "/", "NOT archived"), ("Archive", "/archive", "archived")):
        if title in [row["title"] for row in _notes(world).listed(condition)[:A_PAGE]]:
            return [Move(link, _NOTES + path), Move(title, address)]
    return _by_search(world, title, title)


def _by_search(world: AppWorld, title: str, words: str) -> list[Move]:
    query = f"{_NOTES}/search?{urlencode({'q': words})}"
    found = Move(title, f"{_NOTES}/note/{_note(world, title)}")
    return [Move("Search", f"{_NOTES}/search"), Move("Find", query, {"Text": words}), found]


def _on_note(world: AppWorld, title: str, move: Move, statement: str, *values: object) -> Stage:
    """Opens a note and makes one move there. The edit is an SQL statement whose first ``?`` is the note's id."""
    note = _note(world, title)
    return Stage([*_to_note(world, title), move], lambda world: _notes(world).change(statement, note, *values))


def _pin(world: AppWorld, title: str) -> Stage:
    return _on_note(world, title, Move("Pin note"), "UPDATE note SET pinned = 1 WHERE id = ?")


def _tag(world: AppWorld, title: str, tag: str) -> Stage:
    note = _note(world, title)
    moves = [*_to_note(world, title), Move("Add tag", values={"Tag": tag})]
    return Stage(moves, lambda world: _notes(world).tag(note, tag))


def _untag(world: AppWorld, title: str, tag: str) -> Stage:
    statement = "DELETE FROM marking WHERE note_id = ? AND tag_id = (SELECT id FROM tag WHERE name = ?)"
    return _on_note(world, title, Move(f"Untag {tag}"), statement, tag)


def _add_item(world: AppWorld, title: str, item: str) -> Stage:
    move = Move("Add item", values={"New item": item})
    return _on_note(world, title, move, "INSERT INTO item (note_id, text) VALUES (?, ?)", item)


class _NotesTask(Template):
    apps = (Notes,)


class Create(_NotesTask):
    """A note is written."""

    name = "NotesCreate"
    difficulty = "easy"
    complexity = 0.8
    tags = ("create", "form")
    phrasings = (
        'Write a new note with the title "{title}" and the text "{text}"',
        'Note this down: "{text}" The title is "{title}".',
        'Create the note "{title}". It says: "{text}"',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        return {"title": _titles(random, world, 1)[0], "text": _errand(random)}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        del world
        values = {"Title": params["title"], "Text": params["text"]}
        return [
            Stage(
                [Move("New note", f"{_NOTES}/new"), Move("Save note", values=values)],
                lambda world: _notes(world).write(params["title"], params["text"]),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, {"title": params["title"], "text": params["title"]})


class Delete(_NotesTask):
    """A note is deleted. Another one has nearly the same title."""

    name = "NotesDelete"
    difficulty = "easy"
    complexity = 1.0
    tags = ("delete", "distractor")
    phrasings = (
        'Delete the note "{title}".',
        'I no longer need "{title}": remove this note for good.',
        'Get rid of one note only, the one titled "{title}". Deleting it is right; archiving is not enough.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        title = _titles(random, world, 1)[0]
        pair = [title, f"{title} {random.choice(('2', 'copy', 'old'))}"]
        text, tags = _errand(random), random.sample(TAGS, 1)
        for name in pair:
            _notes(world).write(name, text, tags)
        random.shuffle(pair)
        return {"title": pair[0], "other": pair[1]}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [_on_note(world, params["title"], Move("Delete note"), "DELETE FROM note WHERE id = ?")]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, {"title": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"],)


class LeftItem(_NotesTask):
    """What on a list is still to be done?"""

    name = "NotesLeftItem"
    difficulty = "easy"
    complexity = 0.6
    tags = ("question",)
    phrasings = (
        'All items but one on the list of the note "{title}" are ticked. Which one is not?',
        'What is still to be got according to the list "{title}"? Answer with the item.',
        'Look at the note "{title}" and name the only item that is not ticked.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _notes(world), _titles(random, world, 1)[0]
        items = random.sample(GROCERIES, random.randint(3, 5))
        note = app.write(title, _errand(random), random.sample(TAGS, 1), items)
        app.change("UPDATE item SET done = (text <> ?) WHERE note_id = ?", random.choice(items), note)
        app.change("UPDATE note SET pinned = 1 WHERE id = ?", note)
        return {"title": title}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [Stage(_to_note(world, params["title"]), lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        return self._items(world, params, done=False)[0]

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        return self._items(world, params, done=True)[0]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params)

    def _items(self, world: AppWorld, params: Params, *, done: bool) -> list[str]:
        items = _notes(world).items(_note(world, params["title"]))
        return [item["text"] for item in items if item["done"] == done]


class Tick(_NotesTask):
    """Two items are ticked on a list that is found by one of them. Another item has nearly the same name."""

    name = "NotesTick"
    difficulty = "medium"
    complexity = 1.4
    tags = ("toggle", "search", "distractor")
    phrasings = (
        'Find the list with "{first}" on it, tick "{first}" and "{second}" there, and leave the other items alone.',
        'I have got "{first}" and "{second}", which are on one of my lists: mark just these two as done.',
        'One note has the item "{first}". Search for it, check off this item and "{second}", and save the ticks.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _notes(world), _titles(random, world, 1)[0]
        near, second, third, ticked = random.sample(GROCERIES, 4)
        first = f"{random.choice(('dried', 'fresh', 'organic'))} {near}"
        items = [first, near, second, third, ticked]
        random.shuffle(items)
        note = app.write(title, _errand(random), random.sample(TAGS, 1), items)
        app.change("UPDATE item SET done = 1 WHERE note_id = ? AND text = ?", note, ticked)
        return {"first": first, "second": second, "near": near, "title": title}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._tick(world, params, params["first"])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._tick(world, params, params["near"])]

    def _tick(self, world: AppWorld, params: Params, first: str) -> Stage:
        title, second = params["title"], params["second"]
        note = _note(world, title)
        moves = [*_by_search(world, title, params["first"]), Move("Save ticks", values={first: True, second: True})]
        statement = "UPDATE item SET done = 1 WHERE note_id = ? AND text IN (?, ?)"
        return Stage(moves, lambda world: _notes(world).change(statement, note, first, second))

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["first"], params["second"])


class ArchiveTag(_NotesTask):
    """All notes of a tag are archived, but one."""

    name = "NotesArchiveTag"
    difficulty = "medium"
    complexity = 1.8
    tags = ("bulk", "toggle", "several pages")
    phrasings = (
        'Archive all notes tagged "{tag}" except "{title}", which stays active.',
        'Keep "{title}", but every other note with the tag "{tag}" should go to the archive.',
        'Tidy up: of the notes tagged "{tag}", only "{title}" should not be archived.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        tag, titles = random.choice(TAGS), _titles(random, world, 3)
        for title in titles:
            _notes(world).write(title, _errand(random), [tag])
        return {"title": titles[0], "tag": tag}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        title, all_of_them = params["title"], self._all(world, params["tag"])
        later = world.fork()
        all_of_them.edit(later)
        note = _note(world, title)

        def take_back(world: AppWorld) -> None:
            app = _notes(world)
            if not app.change("UPDATE note SET archived = 0 WHERE id = ? AND archived", note):
                raise LookupError(f"{title} is not in the archive yet")

        return [all_of_them, Stage([*_to_note(later, title), Move("Restore note")], take_back)]

    def _all(self, world: AppWorld, name: str) -> Stage:
        tag = int(_notes(world).row("SELECT id FROM tag WHERE name = ?", name)["id"])
        moves = [Move("Tags", f"{_NOTES}/tags"), Move(name, f"{_NOTES}/tag/{tag}"), Move("Archive all")]
        return Stage(moves, lambda world: _notes(world).archive_tagged(tag))

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._all(world, params["tag"])]

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"],)


class UpdateList(_NotesTask):
    """A note's list is cleared of what is done, gets another item, and the note another tag."""

    name = "NotesUpdateList"
    difficulty = "medium"
    complexity = 1.6
    tags = ("edit", "create", "delete")
    phrasings = (
        'In the note "{title}", clear the ticked items, add "{item}" to the list, and put the tag "{new}" in the place '
        'of "{old}".',
        'Bring "{title}" up to date: its tag becomes "{new}" instead of "{old}", ticked items go, and "{item}" is new.',
        'The list "{title}" needs "{item}" and none of what is ticked already. Also retag the note from "{old}" to '
        '"{new}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, title = _notes(world), _titles(random, world, 1)[0]
        (old, new), (item, *items) = random.sample(TAGS, 2), random.sample(GROCERIES, 5)
        note = app.write(title, _errand(random), [old], items)
        app.change("UPDATE item SET done = text IN (?, ?) WHERE note_id = ?", *random.sample(items, 2), note)
        app.change("UPDATE note SET pinned = 1 WHERE id = ?", note)
        return {"title": title, "item": item, "old": old, "new": new}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        title = params["title"]
        cleared = "DELETE FROM item WHERE note_id = ? AND done"
        return [
            _on_note(world, title, Move("Clear ticked"), cleared),
            _add_item(world, title, params["item"]),
            _untag(world, title, params["old"]),
            _tag(world, title, params["new"]),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        clear, add, _, tag = self.stages(world, params)
        return [clear, add, tag]

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["item"], params["title"])


class Merge(_NotesTask):
    """An archived note is merged into another, which is then pinned, tagged and gets another item."""

    name = "NotesMerge"
    difficulty = "hard"
    complexity = 2.8
    tags = ("composite", "edit", "delete")
    phrasings = (
        'Merge the archived note "{title}" into "{other}". Then pin "{other}", tag it "{tag}", and put "{item}" on its '
        "list.",
        'I want one note of two: "{title}", now archived, goes into "{other}", which also gets a pin, the tag "{tag}" '
        'and the item "{item}".',
        'Pin "{other}", give it the tag "{tag}" and the item "{item}"; the archived note "{title}" is to be '
        "merged into it.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        title, other = _titles(random, world, 2)
        (tag, first, second), (item, *items) = random.sample(TAGS, 3), random.sample(GROCERIES, 5)
        note = _notes(world).write(title, _errand(random), [first], items[:2])
        _notes(world).change("UPDATE note SET archived = 1 WHERE id = ?", note)
        _notes(world).write(other, _errand(random), [second], items[2:])
        return {"title": title, "other": other, "tag": tag, "item": item}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        other = params["other"]
        return [
            self._merge(world, params["title"], other),
            _pin(world, other),
            _tag(world, other, params["tag"]),
            _add_item(world, other, params["item"]),
        ]

    def _merge(self, world: AppWorld, title: str, other: str) -> Stage:
        note, target = _note(world, title), _note(world, other)
        moves = [
            *_to_note(world, title),
            Move("Merge note", f"{_NOTES}/note/{note}/merge"),
            Move("Merge", values={"Title of the other note": other}),
        ]
        return Stage(moves, lambda world: _notes(world).merge(note, target))

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        """The other way round."""
        return self.stages(world, params | {"title": params["other"], "other": params["title"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["title"], params["other"], params["item"])


NOTES_TEMPLATES: tuple[type[Template], ...] = (
    Create, Delete, LeftItem, Tick, ArchiveTag, UpdateList, Merge,
)  # fmt: skip
