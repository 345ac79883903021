"""Tasks across two applications: what is found in the one is needed in the other.

They are made of the stages of the applications' own tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from potentia.envs.web.apps.admin import Admin
from potentia.envs.web.apps.admin_accounts import ROLES
from potentia.envs.web.apps.application import TODAY, App
from potentia.envs.web.apps.calendar import PLACES, Calendar, event_title
from potentia.envs.web.apps.issue_search import NOBODY
from potentia.envs.web.apps.mail import Mail, subject
from potentia.envs.web.apps.notes import Notes
from potentia.envs.web.apps.shop import Shop
from potentia.envs.web.apps.tracker import Tracker
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, NOTE_KINDS, TOPICS, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks import admin, admin_stages, calendar, shop
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

_MAIL, _NOTES, _TRACKER = "http://mail.test", "http://notes.test", "http://tracker.test"


def _carried(look: Sequence[Move], app: type[App], stage: Stage) -> Stage:
    """A stage of an application that one enters from another, where one looked something up first."""
    front = Move(app.title, f"http://{app.name}.test/")
    moves = stage.moves[1:] if stage.moves[0].to == front.to else stage.moves
    return Stage([*look, front, *moves], stage.edit)


def _column(world: AppWorld, app: str, query: str, *values: Any) -> list[Any]:
    return [row[0] for row in world[app].rows(query, *values)]


def _mail(world: AppWorld) -> Mail:
    app = world["mail"]
    assert isinstance(app, Mail)
    return app


def _tracker(world: AppWorld) -> Tracker:
    app = world["tracker"]
    assert isinstance(app, Tracker)
    return app


def _received(random: Random, world: AppWorld, text: str, bodies: Sequence[str]) -> list[tuple[str, int]]:
    """New messages of one subject, each from another contact: the contacts' names and the messages' ids."""
    names = random.sample(_column(world, "mail", "SELECT name FROM contact ORDER BY name"), len(bodies))
    minutes = random.sample(range(10, 60), len(bodies))
    found = []
    for name, minute, body in zip(names, minutes, bodies, strict=True):
        (email,) = _column(world, "mail", "SELECT email FROM contact WHERE name = ?", name)
        message = _mail(world).deliver(random, email, text, f"{TODAY} 08:{minute}")
        _mail(world).change("UPDATE message SET body = ? WHERE id = ?", body, message)
        found.append((name, message))
    return found


def _to_message(params: Params) -> list[Move]:
    """From anywhere in the mail to the message of the task, which is among the last that came in."""
    name = f"{params['sender']}: {params['subject']}"
    return [Move("Inbox", f"{_MAIL}/"), Move(name, f"{_MAIL}/message/{params['message']}")]


class StockByMail(Template):
    """The shop says how much there is of a product. A mail says it to somebody."""

    name = "StockByMail"
    apps = (Shop, Mail)
    difficulty = "medium"
    complexity = 2.0
    tags = ("composite", "create", "search", "looking up")
    phrasings = (
        'How many pieces of "{product}" does the shop have in stock? Mail the number, and nothing else, to "{person}" '
        'with the subject "{subject}".',
        'Send a mail to "{person}", subject "{subject}", whose text is just the number of "{product}" in stock in the '
        "shop.",
        '"{person}" wants to know the stock of "{product}". Look it up in the shop and write only the number in a mail '
        'titled "{subject}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        products = random.sample(_column(world, "shop", "SELECT name FROM product ORDER BY name"), 3)
        stocks = random.sample(range(10, 41), 3)
        for product, stock in zip(products, stocks, strict=True):
            world["shop"].change("UPDATE product SET stock = ? WHERE name = ?", stock, product)
        person = random.choice(_column(world, "mail", "SELECT name FROM contact ORDER BY name"))
        return {
            "product": products[0], "person": person, "subject": subject(random),
            "stock": str(stocks[0]), "others": [str(stock) for stock in stocks[1:]],
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        person, text, stock = params["person"], params["subject"], params["stock"]
        values = {"To": person, "Copy to": "", "Subject": text, "Message": stock}
        moves = [Move("Compose", f"{_MAIL}/compose"), Move("Send", values=values)]
        look = shop.Price().stages(world, params)[0].moves
        return [_carried(look, Mail, Stage(moves, lambda world: _mail(world).send(person, text, stock)))]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"stock": params["others"][0]})

    def fields(self, params: Params) -> tuple[str, ...]:
        numbers = sorted((params["stock"], *params["others"]), key=int)
        return (params["product"], params["person"], params["subject"], *numbers)


class EventFromMail(Template):
    """A mail says when and where something takes place. Another with the same subject says otherwise."""

    name = "EventFromMail"
    apps = (Mail, Calendar)
    difficulty = "hard"
    complexity = 2.2
    tags = ("composite", "create", "form", "looking up", "distractor")
    phrasings = (
        '"{sender}" wrote to me about "{subject}". Put an event with that title into my calendar, with the day, times '
        "and place of that mail.",
        'Add "{subject}" to the calendar: the mail from "{sender}" says on which day, from when to when, and where.',
        'Read the mail "{subject}" that came from "{sender}" and create the event "{subject}" with the day, the times '
        "and the place that it gives.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        besides = frozenset(
            _column(world, "calendar", "SELECT title FROM event")
            + _column(world, "mail", "SELECT subject FROM message")
        )
        (title,) = distinct(random, 1, lambda: event_title(random), besides=besides)
        slots = [
            {"day": day, "start": f"{hour}:15", "finish": f"{hour + random.randint(1, 2)}:45", "place": place}
            for day, hour, place in zip(
                random.sample([f"2026-04-{number:02}" for number in range(1, 31)], 2),
                random.sample(range(10, 20), 2),
                random.sample(PLACES, 2),
                strict=True,
            )
        ]
        bodies = ["Day: {day}\nFrom {start} to {finish}\nPlace: {place}".format(**slot) for slot in slots]
        (sender, message), _ = _received(random, world, title, bodies)
        return {"subject": title, "sender": sender, "message": message} | slots[0] | {"other": slots[1]}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        event = {name: params[name] for name in ("day", "start", "finish", "place")} | {"title": params["subject"]}
        return [_carried(_to_message(params), Calendar, calendar.Create().stages(world, event)[0])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | params["other"])

    def fields(self, params: Params) -> tuple[str, ...]:
        days = sorted((params["day"], params["other"]["day"]))
        return (params["subject"], *days, params["start"], params["finish"], params["place"])


class OrderFromNote(Template):
    """A note lists what is to be ordered. Another one has nearly the same title."""

    name = "OrderFromNote"
    apps = (Notes, Shop)
    difficulty = "hard"
    complexity = 4.0
    tags = ("composite", "create", "several pages", "looking up", "distractor")
    phrasings = (
        'Order all that my note "{note}" lists, in these quantities, to "{address}": one order, not as a gift.',
        'The note "{note}" says what we need and how many of each. Buy it in the shop: one order to "{address}", no '
        "gift wrap.",
        'In the shop, place one order (not a gift) to the address "{address}" for all that is on the list of the note '
        '"{note}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        first, second, third = random.sample(_column(world, "shop", "SELECT name FROM product ORDER BY name"), 3)
        quantities = random.sample(("2", "3", "4"), 2)
        taken = frozenset(_column(world, "notes", "SELECT title FROM note"))
        (note,) = distinct(
            random, 1, lambda: f"{random.choice(TOPICS).capitalize()} {random.choice(NOTE_KINDS)}", besides=taken
        )
        params = {
            "note": note, "address": random.choice(("Home", "Work")), "first": first, "first_quantity": quantities[0],
            "second": second, "second_quantity": quantities[1], "third": third,
        }  # fmt: skip
        for title, products in ((note, (first, second)), (f"{note} (old)", (first, third))):
            listed = [f"{quantity} x {product}" for quantity, product in zip(quantities, products, strict=True)]
            _write(world, title, listed)
        return params

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        note = world["notes"].row("SELECT id FROM note WHERE title = ?", params["note"])["id"]
        look = [Move("Notes", f"{_NOTES}/"), Move(params["note"], f"{_NOTES}/note/{note}")]
        first, *others = shop.RestockedOrder().stages(world, params)
        return [_carried(look, Shop, first), *others]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"second": params["third"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (*sorted(params[name] for name in ("first", "second", "third")), "2", "3", "4")


def _write(world: AppWorld, title: str, items: Sequence[str]) -> None:
    """A pinned note with a list."""
    app = world["notes"]
    assert isinstance(app, Notes)
    app.change("UPDATE note SET pinned = 1 WHERE id = ?", app.write(title, "To be ordered.", items=items))


class InviteFromMail(Template):
    """A mail asks for an invitation. The mail is answered and what it asks for is done."""

    name = "InviteFromMail"
    apps = (Mail, Admin)
    difficulty = "hard"
    complexity = 2.6
    tags = ("composite", "create", "form", "looking up", "distractor")
    phrasings = (
        '"{sender}" asks in the mail "{subject}" for somebody to be invited. Reply "{text}" and send the invitation.',
        'Do what the mail "{subject}" from "{sender}" asks for: invite that person with that role. Answer the mail '
        'with "{text}"',
        'Invite whom "{sender}" names in "{subject}", with the role given there, and reply with the words "{text}"',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        people = distinct(random, 2, lambda: f"{random.choice(FIRST_NAMES)}.{random.choice(LAST_NAMES)}")
        emails = [f"{person.lower()}@example.com" for person in people]
        roles = random.sample(ROLES, 2)
        text = random.choice(("A new colleague", "Access, please", "One more account", "Help for our team"))
        bodies = [f"Please invite {email}\nas {role}." for email, role in zip(emails, roles, strict=True)]
        (sender, message), _ = _received(random, world, text, bodies)
        return {
            "subject": text, "sender": sender, "message": message, "text": random.choice(("Done.", "With pleasure.")),
            "email": emails[0], "role": roles[0], "other": {"email": emails[1], "role": roles[1]},
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        invitation = {name: params[name] for name in ("email", "role")}
        invite = admin.Invite().stages(world, invitation)[0]
        return [self._reply(world, params), _carried(_to_message(params), Admin, invite)]

    def _reply(self, world: AppWorld, params: Params) -> Stage:
        message, text, title = params["message"], params["text"], f"Re: {params['subject']}"
        to = _mail(world).row("SELECT sender FROM message WHERE id = ?", message)["sender"]
        values = {"To": to, "Copy to": "", "Subject": title, "Message": text}
        form = Move("Reply", f"{_MAIL}/message/{message}/reply")
        moves = [*_to_message(params), form, Move("Send", values=values)]
        return Stage(moves, lambda world: _mail(world).send(to, title, text, quoted=message))

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | params["other"])

    def fields(self, params: Params) -> tuple[str, ...]:
        emails = sorted((params["email"], params["other"]["email"]))
        return (params["subject"], params["sender"], params["text"], *emails)


class ReportUser(Template):
    """An account is suspended, and an issue with its address is filed. Somebody has nearly the same name."""

    name = "ReportUser"
    apps = (Admin, Tracker)
    difficulty = "medium"
    complexity = 2.2
    tags = ("composite", "create", "edit", "looking up", "distractor")
    phrasings = (
        'Suspend the user "{user}" and file an issue "{title}" in the project "{project}". Its text is the user\'s '
        "e-mail address, nothing else.",
        'File an issue in "{project}", titled "{title}", whose text is just the e-mail address of the user "{user}"; '
        "suspend that user as well.",
        'The account of "{user}" is to be suspended. Report it in the tracker: project "{project}", title "{title}", '
        "text: only the account's e-mail address.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        user, twin = admin_stages.namesakes(random, world)
        return {
            "user": user, "title": random.choice(("Account suspended", "Locked out", "Sign-in abused", "User blocked")),
            "project": random.choice(_column(world, "tracker", "SELECT name FROM project ORDER BY name")),
            "email": admin_stages.email_of(world, user), "other": admin_stages.email_of(world, twin),
        }  # fmt: skip

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        user, project, title, email = (params[name] for name in ("user", "project", "title", "email"))
        issue = {"Project": project, "Title": title, "Text": email, "Priority": "normal", "Assignee": NOBODY}
        moves = [Move("New issue", f"{_TRACKER}/new"), Move("File issue", values=issue)]
        report = Stage(moves, lambda world: _tracker(world).file(project, title, email, "normal", NOBODY))
        look = admin_stages.to_user(world, user)
        return [admin_stages.suspension(world, user), _carried(look, Tracker, report)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"email": params["other"]})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["user"], params["title"], *sorted((params["email"], params["other"])))


COMPOSITE_TEMPLATES: tuple[type[Template], ...] = (
    StockByMail, EventFromMail, OrderFromNote, InviteFromMail, ReportUser,
)  # fmt: skip
