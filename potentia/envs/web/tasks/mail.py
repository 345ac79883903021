"""Tasks in the mail."""

from __future__ import annotations

from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.application import TODAY
from potentia.envs.web.apps.contacts import DOMAINS
from potentia.envs.web.apps.mail import Mail, subject
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_MAIL = "http://mail.test"
_REPLIES = (
    "Yes, that is fine with me.",
    "Sorry, I can not make it.",
    "I will send it tomorrow.",
    "Please call me about this.",
    "Who else should know?",
)
_NOTES = ("For your files.", "Can you take this over?", "Just so you know.", "What do you think?")


def _mail(world: AppWorld) -> Mail:
    app = world["mail"]
    assert isinstance(app, Mail)
    return app


def _message(world: AppWorld, who: str, text: str) -> int:
    return int(_mail(world).row("SELECT id FROM listed WHERE who = ? AND subject = ?", who, text)["id"])


def _subject(random: Random, world: AppWorld) -> str:
    """A subject that no message has."""
    taken = frozenset(row["subject"] for row in _mail(world).rows("SELECT subject FROM message"))
    return distinct(random, 1, lambda: subject(random), besides=taken)[0]


def _namesakes(random: Random, world: AppWorld) -> list[str]:
    """Two people with one first name who are no contacts yet. They are made contacts."""
    first = random.choice(FIRST_NAMES)
    taken = frozenset(row["name"] for row in _mail(world).rows("SELECT name FROM contact"))
    names = distinct(random, 2, lambda: f"{first} {random.choice(LAST_NAMES)}", besides=taken)
    for name in names:
        _mail(world).meet(name, random.choice(DOMAINS))
    return names


def _deliver(random: Random, world: AppWorld, who: str, text: str, time: str, folder: str = "Inbox") -> None:
    sender = _mail(world).row("SELECT email FROM contact WHERE name = ?", who)["email"]
    _mail(world).deliver(random, sender, text, time, folder=folder)


def _twice(random: Random, world: AppWorld, times: tuple[str, str], folders: tuple[str, str]) -> Params:
    """Two messages of one subject from two people. The task is about the first."""
    text, names = _subject(random, world), _namesakes(random, world)
    for name, time, folder in zip(names, times, folders, strict=True):
        _deliver(random, world, name, text, time, folder)
    return {"subject": text, "sender": names[0], "other": names[1]}


def _to_new(world: AppWorld, who: str, text: str) -> list[Move]:
    """From anywhere to a message on the first page of the inbox."""
    return [
        Move("Inbox", f"{_MAIL}/"),
        Move(f"{who}: {text}", f"{_MAIL}/message/{_message(world, who, text)}"),
    ]


def _to_old(world: AppWorld, who: str, text: str) -> list[Move]:
    """From anywhere to a message in whatever folder, by the search."""
    query = urlencode({"q": text, "folder": "Everywhere"})
    return [
        Move("Search", f"{_MAIL}/search"),
        Move("Find", f"{_MAIL}/search?{query}", {"Text": text}),
        Move(f"{who}: {text}", f"{_MAIL}/message/{_message(world, who, text)}"),
    ]


def _press(world: AppWorld, way: list[Move], action: str, who: str, text: str) -> Stage:
    """One of the buttons of a message."""
    message = _message(world, who, text)
    return Stage([*way, Move(action)], lambda world: _mail(world).do(action, [message]))


class _MailTask(Template):
    apps = (Mail,)


class Star(_MailTask):
    """One of two messages with the same subject gets a star."""

    name = "MailStar"
    difficulty = "easy"
    complexity = 0.6
    tags = ("toggle", "distractor")
    phrasings = (
        'Star the message "{subject}" from "{sender}" in the inbox.',
        'In my inbox, put a star on what "{sender}" wrote under the subject "{subject}".',
        '"{sender}" sent me "{subject}": mark that message with a star.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        early, late = f"{TODAY} 07:{random.randint(10, 59)}", f"{TODAY} 08:{random.randint(10, 59)}"
        times = random.choice(((early, late), (late, early)))
        return _twice(random, world, times, ("Inbox", "Inbox"))

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        who, text = params["sender"], params["subject"]
        return [_press(world, _to_new(world, who, text), "Star", who, text)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"sender": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["subject"], params["sender"])


class Delete(_MailTask):
    """One of two bills, whose numbers differ by a swap, is deleted for ever."""

    name = "MailDelete"
    difficulty = "easy"
    complexity = 0.8
    tags = ("delete", "distractor")
    phrasings = (
        'Delete the message "{subject}" in the trash for ever, and nothing else.',
        'Open the trash and remove "{subject}" from "{sender}" for good.',
        'The message "{subject}" in my trash should be gone for ever. Keep the others.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        first, second = random.sample(range(10), 2)
        lead = random.randint(10, 99)
        texts = [f"Invoice {lead}{first}{second}", f"Invoice {lead}{second}{first}"]
        sender = random.choice(_mail(world).rows("SELECT name FROM contact ORDER BY name"))["name"]
        for text in random.sample(texts, 2):
            _deliver(random, world, sender, text, f"{TODAY} 08:{random.randint(10, 59)}", "Trash")
        return {"subject": texts[0], "sender": sender, "other": texts[1]}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        who, text = params["sender"], params["subject"]
        way = [
            Move("Trash", f"{_MAIL}/?folder=Trash"),
            Move(f"{who}: {text}", f"{_MAIL}/message/{_message(world, who, text)}"),
        ]
        return [_press(world, way, "Delete for ever", who, text)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"subject": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["subject"], params["sender"])


class Contact(_MailTask):
    """Somebody's address has changed. Somebody else has the same first name."""

    name = "MailContact"
    difficulty = "easy"
    complexity = 1.2
    tags = ("edit", "form", "distractor")
    phrasings = (
        'Change the e-mail address of the contact "{person}" to "{email}".',
        '"{person}" can now be reached at "{email}". Correct that contact.',
        'Set the address "{email}" for "{person}" in my contacts.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        person, other = _namesakes(random, world)
        local = person.lower().replace(" ", random.choice(("-", "_", "")))
        return {"person": person, "email": f"{local}@{random.choice(DOMAINS)}", "other": other}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        people = _mail(world).rows("SELECT * FROM contact ORDER BY name")
        place = [row["name"] for row in people].index(params["person"])
        contact = people[place]["id"]
        way = [Move("Contacts", f"{_MAIL}/contacts")]
        if place >= 10:
            way += [
                Move("Find", f"{_MAIL}/contacts?{urlencode({'q': params['person']})}", {"Look for": params["person"]})
            ]
        way += [
            Move(params["person"], f"{_MAIL}/contact/{contact}"),
            Move("Save contact", values={"E-mail": params["email"]}),
        ]
        return [
            Stage(
                way,
                lambda world: _mail(world).change(
                    "UPDATE contact SET email = ? WHERE id = ?", params["email"], contact
                ),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"person": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["person"], params["email"])


class Reply(_MailTask):
    """A message in the archive is answered. A younger one in the inbox has the same subject."""

    name = "MailReply"
    difficulty = "medium"
    complexity = 1.6
    tags = ("create", "search", "form", "distractor")
    phrasings = (
        'Reply to the message "{subject}" that "{sender}" sent me. Write: "{text}"',
        'Find what "{sender}" wrote under "{subject}" and answer it with "{text}"',
        'Send "{text}" as a reply to "{subject}" from "{sender}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        times = f"2026-01-{random.randint(10, 30)} 11:20", f"{TODAY} 08:{random.randint(10, 59)}"
        return _twice(random, world, times, ("Archive", "Inbox")) | {"text": random.choice(_REPLIES)}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        who, text = params["sender"], params["subject"]
        message = _message(world, who, text)
        to = _mail(world).row("SELECT sender FROM message WHERE id = ?", message)["sender"]
        moves = [
            *_to_old(world, who, text),
            Move("Reply", f"{_MAIL}/message/{message}/reply"),
            Move("Send", values={"Message": params["text"]}),
        ]
        return [Stage(moves, lambda world: _mail(world).send(to, f"Re: {text}", params["text"], quoted=message))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"sender": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["subject"], params["sender"], params["text"])


class When(_MailTask):
    """When did somebody write about something?"""

    name = "MailWhen"
    difficulty = "medium"
    complexity = 1.2
    tags = ("question", "search", "distractor")
    phrasings = (
        'When did "{sender}" send me "{subject}"? Answer with the date and time as shown.',
        'Look up the message "{subject}" from "{sender}" and answer with its date and time.',
        'I have mail from "{sender}" with the subject "{subject}". What date and time does it bear?',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        hours = random.sample(range(7, 20), 2)
        times = [f"2026-01-{random.randint(10, 30)} {hour:02}:{random.randint(10, 59)}" for hour in hours]
        return _twice(random, world, (times[0], times[1]), ("Archive", random.choice(("Archive", "Inbox"))))

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [Stage(_to_old(world, params["sender"], params["subject"]), lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        message = _message(world, params["sender"], params["subject"])
        return str(_mail(world).row("SELECT time FROM message WHERE id = ?", message)["time"])

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        return self.answer(world, params | {"sender": params["other"]})

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"sender": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["subject"], params["sender"])


class Label(_MailTask):
    """A label is made and put on one of two messages with the same subject."""

    name = "MailLabel"
    difficulty = "medium"
    complexity = 1.6
    tags = ("create", "several pages", "distractor")
    phrasings = (
        'Make a new label "{label}" and put it on the message "{subject}" from "{sender}" in the inbox.',
        'In my inbox, "{subject}" from "{sender}" needs the label "{label}", which does not exist yet.',
        'Label what "{sender}" sent me, "{subject}", as "{label}". Create that label first.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        times = f"{TODAY} 07:{random.randint(10, 59)}", f"{TODAY} 08:{random.randint(10, 59)}"
        label = random.choice(("Urgent", "Waiting", "Receipts", "Read again", "Club", "School"))
        return _twice(random, world, times, ("Inbox", "Inbox")) | {"label": label}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        who, text, label = params["sender"], params["subject"], params["label"]
        message = _message(world, who, text)
        return [
            Stage(
                [Move("Labels", f"{_MAIL}/labels"), Move("Save label", values={"Name": label})],
                lambda world: _mail(world).insert("label", name=label),
            ),
            Stage(
                [*_to_new(world, who, text), Move("Add label", values={"Label": label})],
                lambda world: _mail(world).put_label(message, label),
            ),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"sender": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["label"], params["subject"], params["sender"])


class HandOver(_MailTask):
    """A message is forwarded, and all that a namesake of its sender wrote goes to the archive."""

    name = "MailHandOver"
    difficulty = "hard"
    complexity = 2.6
    tags = ("create", "bulk", "several pages", "distractor")
    phrasings = (
        'Forward "{subject}" from "{sender}" to "{colleague}" with the text "{note}" Then move all mail from '
        '"{bore}" in the inbox to the archive.',
        'Archive every message from "{bore}" in the inbox. Also forward "{subject}" (from "{sender}") to "{colleague}" '
        'and write "{note}"',
        '"{colleague}" should get "{subject}" from "{sender}": forward it with "{note}" And all that "{bore}" wrote in '
        "my inbox can go to the archive.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        colleague = random.choice(_mail(world).rows("SELECT name FROM contact ORDER BY name"))["name"]
        bore, sender = _namesakes(random, world)
        senders = [sender, *[bore] * random.randint(2, 3)]
        times = random.sample(range(10, 60), len(senders))
        texts = []
        for who, minute in zip(senders, times, strict=True):
            texts.append(_subject(random, world))
            _deliver(random, world, who, texts[-1], f"{TODAY} 08:{minute}")
        return {
            "subject": texts[0], "sender": sender, "colleague": colleague, "note": random.choice(_NOTES), "bore": bore,
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._forward(world, params), self._archive(world, params["bore"])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._forward(world, params), self._archive(world, params["sender"])]

    def _forward(self, world: AppWorld, params: Params) -> Stage:
        text, note, to = params["subject"], params["note"], params["colleague"]
        message = _message(world, params["sender"], text)
        moves = [
            *_to_new(world, params["sender"], text),
            Move("Forward", f"{_MAIL}/message/{message}/forward"),
            Move("Send", values={"To": to, "Message": note}),
        ]
        return Stage(moves, lambda world: _mail(world).send(to, f"Fwd: {text}", note, quoted=message))

    def _archive(self, world: AppWorld, who: str) -> Stage:
        found = _mail(world).rows("SELECT id, subject FROM listed WHERE who = ? AND folder = 'Inbox'", who)
        ticks = {f"Select {who}: {row['subject']}": True for row in found}
        moves = [Move("Inbox", f"{_MAIL}/"), Move("Move to archive", values=ticks)]
        return Stage(moves, lambda world: _mail(world).do("Move to archive", [row["id"] for row in found]))

    def fields(self, params: Params) -> tuple[str, ...]:
        return tuple(params[name] for name in ("subject", "sender", "colleague", "note", "bore"))


MAIL_TEMPLATES: tuple[type[Template], ...] = (
    Star, Delete, Contact, Reply, When, Label, HandOver,
)  # fmt: skip
