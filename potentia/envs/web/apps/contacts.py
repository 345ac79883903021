"""People and their e-mail addresses, as a part of applications that write to them."""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar

from potentia.envs.web.apps.application import App, BadInput, route
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, distinct
from potentia.envs.web.http import Request, Response, redirect

DOMAINS = ("example.com", "example.net", "example.org")
_ADDRESS = re.compile(r"[^\s@,]+@[^\s@,]+\.[^\s@,]+")
_A_PAGE = 10


class Contacts(App):
    """The pages of an address book: contacts are found by name, added, changed and deleted."""

    schema = "CREATE TABLE contact (id INTEGER PRIMARY KEY, name TEXT UNIQUE, email TEXT UNIQUE);"
    bar: ClassVar = {"Contacts": "/contacts"}

    def populate(self, random: Random, rows: int) -> None:
        """``rows`` contacts."""
        names = distinct(random, rows, lambda: f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}")
        for name in names:
            self.meet(name, random.choice(DOMAINS))

    def meet(self, name: str, domain: str) -> str:
        """Adds a contact whose address is made of the name. The result is the address."""
        email = f"{name.lower().replace(' ', '.')}@{domain}"
        self.insert("contact", name=name, email=email)
        return email

    def addresses(self, text: str) -> str:
        """Addresses from names of contacts and addresses, both with commas between them."""
        known = {row["name"].casefold(): row["email"] for row in self.rows("SELECT * FROM contact")}
        found = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            address = known.get(part.casefold(), part)
            if not _ADDRESS.fullmatch(address):
                raise BadInput(f"{part} is neither a contact's name nor an e-mail address.")
            found.append(address)
        return ", ".join(found)

    @route("GET", "/contacts")
    def contacts(self, request: Request) -> Response:
        """Contacts whose name contains a text, ten a page, and the form for another."""
        wanted, start = request.asked("q").strip(), start_of(request)
        found = self.rows("SELECT * FROM contact WHERE instr(lower(name), lower(?)) ORDER BY name", wanted)
        return self.page(
            "contacts/contacts.html",
            "Contacts",
            contacts=found[start : start + _A_PAGE],
            wanted=wanted,
            offered=request.asked("email"),
            following=start + _A_PAGE if start + _A_PAGE < len(found) else None,
        )

    @route("POST", "/contacts")
    def add_contact(self, request: Request) -> Response:
        """Adds a contact."""
        self.insert("contact", **self._contact_sent(request))
        return redirect("/contacts")

    @route("GET", "/contact/{contact}")
    def contact(self, request: Request, contact: int) -> Response:
        """One contact, to be changed."""
        del request
        row = self.row("SELECT * FROM contact WHERE id = ?", contact)
        return self.page("contacts/contact.html", row["name"], contact=row)

    @route("POST", "/contact/{contact}")
    def save_contact(self, request: Request, contact: int) -> Response:
        """Changes a contact's name and address."""
        self.row("SELECT * FROM contact WHERE id = ?", contact)
        values = self._contact_sent(request, but=contact)
        self.change("UPDATE contact SET name = ?, email = ? WHERE id = ?", values["name"], values["email"], contact)
        return redirect("/contacts")

    @route("POST", "/contact/{contact}/delete")
    def delete_contact(self, request: Request, contact: int) -> Response:
        """Deletes a contact. Messages to and from that address stay."""
        del request
        self.row("SELECT * FROM contact WHERE id = ?", contact)
        self.change("DELETE FROM contact WHERE id = ?", contact)
        return redirect("/contacts")

    def _contact_sent(self, request: Request, but: int = 0) -> dict[str, str]:
        """The fields of a contact's form. No other contact, save the one with the id ``but``, may have them."""
        name, email = request.sent("name"), request.sent("email").lower()
        if not name or "," in name:
            raise BadInput("A contact needs a name, without commas.")
        if not _ADDRESS.fullmatch(email):
            raise BadInput("A contact needs an e-mail address such as ann@example.org.")
        if self.rows("SELECT id FROM contact WHERE lower(name) = lower(?) AND id <> ?", name, but):
            raise BadInput(f"There is a contact {name} already.")
        if self.rows("SELECT id FROM contact WHERE email = ? AND id <> ?", email, but):
            raise BadInput(f"There is a contact with the address {email} already.")
        return {"name": name, "email": email}


def start_of(request: Request) -> int:
    """The number of rows that a page of a long list leaves out before it begins."""
    text = request.asked("start", "0")
    if not text.isdecimal():
        raise BadInput("The start of a page must be a number.")
    return int(text)
