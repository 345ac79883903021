"""Labels on messages, as a part of an application that has messages."""

from __future__ import annotations

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.apps.contacts import start_of
from potentia.envs.web.http import Request, Response, redirect

_A_PAGE = 7


class Labels(App):
    """The pages of labels: made, deleted, put on messages and taken off them.

    It needs a table ``message`` and a view ``listed`` of the messages with the column ``who``.
    """

    schema = """
        CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE labelled (id INTEGER PRIMARY KEY, message_id INTEGER REFERENCES message(id) ON DELETE CASCADE,
                               label_id INTEGER REFERENCES label(id) ON DELETE CASCADE, UNIQUE (message_id, label_id));
    """

    def put_label(self, message: int, label: str) -> None:
        """Puts a label, by its name, on a message."""
        found = self.row("SELECT id FROM label WHERE name = ?", label)["id"]
        if self.rows("SELECT id FROM labelled WHERE message_id = ? AND label_id = ?", message, found):
            raise BadInput(f"The message has the label {label} already.")
        self.insert("labelled", message_id=message, label_id=found)

    @route("POST", "/message/{message}/label")
    def label_message(self, request: Request, message: int) -> Response:
        """Puts a label on a message."""
        self.row("SELECT id FROM message WHERE id = ?", message)
        self.put_label(message, request.sent("label"))
        return redirect(f"/message/{message}")

    @route("POST", "/message/{message}/label/{label}/remove")
    def unlabel_message(self, request: Request, message: int, label: int) -> Response:
        """Takes a label off a message."""
        del request
        if not self.change("DELETE FROM labelled WHERE message_id = ? AND label_id = ?", message, label):
            raise LookupError(label)
        return redirect(f"/message/{message}")

    @route("GET", "/labels")
    def labels(self, request: Request) -> Response:
        """All labels with the number of their messages, and the form for another."""
        del request
        found = self.rows(
            "SELECT label.*, count(message_id) AS messages FROM label LEFT JOIN labelled ON label_id = label.id "
            "GROUP BY label.id ORDER BY name"
        )
        return self.page("mail/labels.html", "Labels", labels=found)

    @route("POST", "/labels")
    def add_label(self, request: Request) -> Response:
        """Makes a label."""
        name = request.sent("name")
        if not name:
            raise BadInput("A label needs a name.")
        if self.rows("SELECT id FROM label WHERE lower(name) = lower(?)", name):
            raise BadInput(f"There is a label {name} already.")
        self.insert("label", name=name)
        return redirect("/labels")

    @route("GET", "/label/{label}")
    def label(self, request: Request, label: int) -> Response:
        """The messages with a label, seven a page."""
        row, start = self.row("SELECT * FROM label WHERE id = ?", label), start_of(request)
        found = self.rows(
            "SELECT listed.* FROM listed JOIN labelled ON message_id = listed.id WHERE label_id = ? "
            "ORDER BY time DESC, listed.id DESC",
            label,
        )
        following = start + _A_PAGE if start + _A_PAGE < len(found) else None
        messages = found[start : start + _A_PAGE]
        return self.page("mail/label.html", row["name"], label=row, messages=messages, following=following)

    @route("POST", "/label/{label}/delete")
    def delete_label(self, request: Request, label: int) -> Response:
        """Deletes a label, and takes it off all messages."""
        del request
        self.row("SELECT * FROM label WHERE id = ?", label)
        self.change("DELETE FROM label WHERE id = ?", label)
        return redirect("/labels")
