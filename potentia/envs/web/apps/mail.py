"""Mail: messages in four folders, labels, contacts. Messages are written, answered, forwarded, searched and sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any, ClassVar

from potentia.envs.web.apps.application import NOW, TODAY, BadInput, route
from potentia.envs.web.apps.contacts import Contacts, start_of
from potentia.envs.web.apps.labels import Labels
from potentia.envs.web.apps.words import TOPICS, distinct
from potentia.envs.web.http import Request, Response, redirect

ME = "me@mail.test"
FOLDERS = ("Inbox", "Sent", "Archive", "Trash")
LABELS = ("Family", "Later", "Money", "Work")
"""Labels that are there from the beginning."""

SUBJECTS = ("{} update", "{} plan", "{} costs", "{} dates", "New {}")
SENTENCES = (
    "Could you have a look at the {} this week?",
    "There is news about the {}, see below.",
    "I am still waiting for an answer about the {}.",
    "Thank you for your help with the {}.",
)
_EVERYWHERE = "Everywhere"
_FILTERS = {"All": "1", "Unread": "unread", "Starred": "starred"}
_CHANGES: Mapping[str, tuple[str, Any]] = {
    "Move to archive": ("folder", "Archive"),
    "Move to inbox": ("folder", "Inbox"),
    "Move to trash": ("folder", "Trash"),
    "Mark as read": ("unread", 0),
    "Mark as unread": ("unread", 1),
    "Star": ("starred", 1),
    "Remove star": ("starred", 0),
}
"""What a button does to messages: the column that it sets, and the value."""

_DELETE = "Delete for ever"
_OF_MANY = {
    "Inbox": ("Move to archive", "Move to trash", "Mark as read", "Mark as unread", "Star"),
    "Sent": ("Move to archive", "Move to trash", "Star"),
    "Archive": ("Move to inbox", "Move to trash", "Mark as read", "Mark as unread", "Star"),
    "Trash": ("Move to inbox", _DELETE),
}
_A_PAGE = 7


class Mail(Contacts, Labels):
    """Opening a message changes nothing, not even that it is unread: who looks around need not clean up after.

    A reply or a forwarded message refers to the one that it quotes.
    """

    name = "mail"
    title = "Mail"
    schema = (
        Contacts.schema
        + Labels.schema
        + f"""
        CREATE TABLE message (id INTEGER PRIMARY KEY, folder TEXT, sender TEXT, recipient TEXT, cc TEXT, subject TEXT,
                              body TEXT, time TEXT, unread INTEGER, starred INTEGER,
                              quoted_id INTEGER REFERENCES message(id) ON DELETE SET NULL);
        CREATE VIEW listed AS
            SELECT message.*, coalesce(contact.name, CASE sender WHEN '{ME}' THEN recipient ELSE sender END) AS who
            FROM message LEFT JOIN contact ON email = CASE sender WHEN '{ME}' THEN recipient ELSE sender END;
    """
    )
    bar: ClassVar = {
        "Inbox": "/",
        "Sent": "/?folder=Sent",
        "Archive": "/?folder=Archive",
        "Trash": "/?folder=Trash",
        "Search": "/search",
        "Compose": "/compose",
        "Labels": "/labels",
        **Contacts.bar,
    }

    def populate(self, random: Random, rows: int) -> None:
        """``rows`` contacts and messages in the inbox, fewer in the other folders, all before today."""
        super().populate(random, rows)
        for name in LABELS:
            self.insert("label", name=name)
        emails = [row["email"] for row in self.rows("SELECT email FROM contact")]
        folders = [name for name, part in zip(FOLDERS, (1, 3, 2, 3), strict=True) for _ in range(-(-rows // part))]
        subjects = distinct(random, len(folders), lambda: subject(random))
        for folder, text in zip(folders, subjects, strict=True):
            day = date.fromisoformat(TODAY) - timedelta(days=random.randint(1, 40))
            time = f"{day} {random.randint(7, 19):02}:{random.randrange(0, 60, 5):02}"
            ends = (ME, random.choice(emails)) if folder == "Sent" else (random.choice(emails), ME)
            message = self.deliver(
                random, ends[0], text, time, recipient=ends[1], folder=folder,
                unread=int(folder == "Inbox" and random.random() < 0.4), starred=int(random.random() < 0.2),
            )  # fmt: skip
            if random.random() < 0.2:
                self.put_label(message, random.choice(LABELS))

    def deliver(
        self, random: Random, sender: str, subject: str, time: str, *, recipient: str = ME, folder: str = "Inbox",
        unread: int = 0, starred: int = 0,
    ) -> int:  # fmt: skip
        """Puts a message with some text into a folder. The result is its id."""
        body = random.choice(SENTENCES).format(random.choice(TOPICS))
        return self.insert(
            "message", folder=folder, sender=sender, recipient=recipient, cc="", subject=subject, body=body, time=time,
            unread=unread, starred=starred,
        )  # fmt: skip

    def send(self, to: str, subject: str, body: str, *, cc: str = "", quoted: int | None = None) -> int:
        """Sends a message to contacts' names or addresses. The result is its id."""
        recipient = self.addresses(to)
        if not recipient or not subject or not body:
            raise BadInput("A message needs somebody to go to, a subject and a text.")
        return self.insert(
            "message", folder="Sent", sender=ME, recipient=recipient, cc=self.addresses(cc), subject=subject,
            body=body.replace("\r\n", "\n"), time=NOW, unread=0, starred=0, quoted_id=quoted,
        )  # fmt: skip

    def do(self, action: str, messages: Iterable[int]) -> None:
        """Does what a button says to messages."""
        for message in messages:
            row = self._message(message)
            if action == _DELETE:
                if row["folder"] != "Trash":
                    raise BadInput("Only what is in the trash can be deleted for ever.")
                self.change("DELETE FROM message WHERE id = ?", message)
            elif action in _CHANGES:
                column, value = _CHANGES[action]
                self.change(f"UPDATE message SET {column} = ? WHERE id = ?", value, message)
            else:
                raise BadInput("Choose what to do with the messages.")

    def _message(self, message: int) -> Any:
        return self.row("SELECT * FROM listed WHERE id = ?", message)

    @route("GET", "/")
    def front(self, request: Request) -> Response:
        """A folder's messages, the last first, seven a page. The list may be of the unread or the starred ones only."""
        folder, only, start = request.asked("folder", "Inbox"), request.asked("only", "All"), start_of(request)
        if folder not in FOLDERS or only not in _FILTERS:
            raise LookupError(folder)
        found = self.rows(
            f"SELECT * FROM listed WHERE folder = ? AND {_FILTERS[only]} ORDER BY time DESC, id DESC", folder
        )
        return self.page(
            "mail/folder.html",
            folder if only == "All" else f"{folder}: {only.lower()}",
            messages=found[start : start + _A_PAGE],
            folder=folder,
            only=only,
            filters=list(_FILTERS),
            actions=_OF_MANY[folder],
            following=start + _A_PAGE if start + _A_PAGE < len(found) else None,
        )

    @route("POST", "/selected")
    def selected(self, request: Request) -> Response:
        """Does something to the messages that were ticked in a folder."""
        ticked = [int(text) for text in request.form.get("message", []) if text.isdecimal()]
        if not ticked:
            raise BadInput("Select at least one message first.")
        folder = self._message(ticked[0])["folder"]
        self.do(request.sent("action"), ticked)
        return redirect(_list_of(folder))

    @route("GET", "/message/{message}")
    def message(self, request: Request, message: int) -> Response:
        """One message and what can be done with it."""
        del request
        row = self._message(message)
        labels = self.rows(
            "SELECT label.* FROM label JOIN labelled ON label_id = label.id WHERE message_id = ? ORDER BY name", message
        )
        names = {label["name"] for label in labels}
        others = [r["name"] for r in self.rows("SELECT name FROM label ORDER BY name") if r["name"] not in names]
        flags = ("Mark as read" if row["unread"] else "Mark as unread", "Remove star" if row["starred"] else "Star")
        moves = [
            action for action in _OF_MANY[row["folder"]] if action not in ("Star", "Mark as read", "Mark as unread")
        ]
        return self.page(
            "mail/message.html",
            row["subject"],
            message=row,
            unknown=not self.rows("SELECT id FROM contact WHERE email = ?", row["sender"]) and row["sender"] != ME,
            quoted=self._message(row["quoted_id"]) if row["quoted_id"] else None,
            labels=labels,
            others=others,
            actions=[*flags, *moves],
        )

    @route("POST", "/message/{message}")
    def act(self, request: Request, message: int) -> Response:
        """Does something to one message."""
        folder, action = self._message(message)["folder"], request.sent("action")
        self.do(action, [message])
        stays = action != _DELETE and _CHANGES[action][0] != "folder"
        return redirect(f"/message/{message}" if stays else _list_of(folder))

    @route("GET", "/compose")
    def compose(self, request: Request) -> Response:
        """The form of a new message."""
        return self._form("New message", "/compose", to=request.asked("to"))

    @route("POST", "/compose")
    def write(self, request: Request) -> Response:
        """Sends a new message."""
        self.send(request.sent("to"), request.sent("subject"), request.sent("body"), cc=request.sent("cc"))
        return redirect("/?folder=Sent")

    @route("GET", "/message/{message}/reply")
    def reply_form(self, request: Request, message: int) -> Response:
        """The form of a reply, addressed to the sender (or, of what one sent oneself, to the recipient again)."""
        del request
        row = self._message(message)
        to = row["recipient"] if row["sender"] == ME else row["sender"]
        return self._form("Reply", f"/message/{message}/reply", to=to, subject=f"Re: {row['subject']}", quoted=row)

    @route("GET", "/message/{message}/forward")
    def forward_form(self, request: Request, message: int) -> Response:
        """The form by which a message is sent on."""
        del request
        row = self._message(message)
        return self._form("Forward", f"/message/{message}/forward", subject=f"Fwd: {row['subject']}", quoted=row)

    @route("POST", "/message/{message}/reply")
    def reply(self, request: Request, message: int) -> Response:
        """Sends a reply."""
        return self._send_about(request, message)

    @route("POST", "/message/{message}/forward")
    def forward(self, request: Request, message: int) -> Response:
        """Sends a message on."""
        return self._send_about(request, message)

    def _form(self, heading: str, action: str, *, to: str = "", subject: str = "", quoted: Any = None) -> Response:
        return self.page("mail/compose.html", heading, action=action, to=to, subject=subject, quoted=quoted)

    def _send_about(self, request: Request, message: int) -> Response:
        self._message(message)
        to, subject, body = request.sent("to"), request.sent("subject"), request.sent("body")
        self.send(to, subject, body, cc=request.sent("cc"), quoted=message)
        return redirect(f"/message/{message}")

    @route("GET", "/search")
    def search(self, request: Request) -> Response:
        """Messages whose subject, text or other end contains a text, in one folder or everywhere."""
        wanted, folder, start = request.asked("q").strip(), request.asked("folder", _EVERYWHERE), start_of(request)
        found = self.rows(
            "SELECT * FROM listed WHERE instr(lower(subject || char(10) || body || char(10) || who), lower(?)) "
            "AND ? IN ('Everywhere', folder) ORDER BY time DESC, id DESC",
            wanted, folder,
        ) if wanted else []  # fmt: skip
        return self.page(
            "mail/search.html",
            "Search",
            wanted=wanted,
            folder=folder,
            folders=[_EVERYWHERE, *FOLDERS],
            messages=found[start : start + _A_PAGE],
            following=start + _A_PAGE if start + _A_PAGE < len(found) else None,
        )


def subject(random: Random) -> str:
    """A subject such as "Budget plan"."""
    return random.choice(SUBJECTS).format(random.choice(TOPICS)).capitalize()


def _list_of(folder: str) -> str:
    return Mail.bar[folder]
