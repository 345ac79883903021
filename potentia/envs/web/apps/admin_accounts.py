"""The accounts of the user management: found, changed, suspended, deleted, reviewed."""

from __future__ import annotations

import re
import sqlite3
from datetime import date, timedelta
from random import Random

from potentia.envs.web.apps.application import NOW, TODAY, App, BadInput, route
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.http import Request, Response, redirect

ROLES = ("Viewer", "Editor", "Admin")
SIGNED_IN = "Ada King"
"""The user of the application."""

DORMANT = str(date.fromisoformat(TODAY) - timedelta(days=90))
"""Whoever was last seen before this day is up for review."""


class Accounts(App):
    """What the user management does with the table ``account``. `Admin` is the whole application."""

    @route("GET", "/")
    def users(self, request: Request) -> Response:
        """Accounts by name, perhaps only those found by a text, a role, a status."""
        asked = {key: request.asked(key) for key in ("text", "role", "status")}
        found = self.rows(
            "SELECT * FROM account WHERE instr(lower(name || ' ' || email), lower(?)) AND ? IN ('', 'Any role', role) "
            "AND ? IN ('', 'Any status', status) ORDER BY name",
            *(text.strip() for text in asked.values()),
        )
        return self.page("admin/users.html", "Users", asked=asked, roles=ROLES, paging=paged(request, found))

    @route("GET", "/user/{user}")
    def user(self, request: Request, user: int) -> Response:
        """One account, and what can be done to it."""
        del request
        row = self._account(user)
        teams = self.rows(
            "SELECT team.name FROM membership JOIN team ON team.id = team_id WHERE account_id = ? ORDER BY team.name",
            user,
        )
        names = ", ".join(team["name"] for team in teams)
        return self.page("admin/user.html", row["name"], user=row, teams=names, roles=ROLES)

    def _account(self, user: int) -> sqlite3.Row:
        return self.row("SELECT * FROM account WHERE id = ?", user)

    def _set(self, user: int, **values: str | int) -> Response:
        """Sets columns of an account. There must be an active admin afterwards."""
        self._account(user)
        for column, value in values.items():
            self.change(f"UPDATE account SET {column} = ? WHERE id = ?", value, user)
        self._somebody_must_rule()
        return redirect(f"/user/{user}")

    def _somebody_must_rule(self) -> None:
        if not self.rows("SELECT id FROM account WHERE role = 'Admin' AND status = 'Active'"):
            raise BadInput("There must be an active admin: give somebody else the role first.")

    @route("POST", "/user/{user}/suspend")
    def suspend(self, request: Request, user: int) -> Response:
        """Locks an account."""
        del request
        return self._set(user, status="Suspended")

    @route("POST", "/user/{user}/activate")
    def activate(self, request: Request, user: int) -> Response:
        """Unlocks an account."""
        del request
        return self._set(user, status="Active")

    @route("POST", "/user/{user}/reset")
    def reset(self, request: Request, user: int) -> Response:
        """Has a new password chosen at the next sign-in."""
        del request
        return self._set(user, reset=1)

    @route("POST", "/user/{user}/keep")
    def keep(self, request: Request, user: int) -> Response:
        """Takes that back."""
        del request
        return self._set(user, reset=0)

    @route("POST", "/user/{user}/role")
    def role(self, request: Request, user: int) -> Response:
        """Gives an account another role."""
        return self._set(user, role=role_in(request))

    @route("GET", "/user/{user}/edit")
    def edit(self, request: Request, user: int) -> Response:
        """The form of an account's name and address."""
        del request
        return self.page("admin/edit.html", "Edit details", user=self._account(user))

    @route("POST", "/user/{user}/save")
    def save_details(self, request: Request, user: int) -> Response:
        """Changes name and address."""
        self._account(user)
        name, email = request.sent("name"), email_in(request)
        if not name:
            raise BadInput("A user needs a name.")
        if self.rows("SELECT id FROM account WHERE id != ? AND (name = ? OR email = ?)", user, name, email):
            raise BadInput("Another user has this name or this e-mail address.")
        return self._set(user, name=name, email=email)

    @route("GET", "/user/{user}/delete")
    def confirm(self, request: Request, user: int) -> Response:
        """Asks whether an account is really to be deleted."""
        del request
        row = self._account(user)
        return self.page("admin/delete.html", f"Delete {row['name']}?", user=row)

    @route("POST", "/user/{user}/remove")
    def delete(self, request: Request, user: int) -> Response:
        """Deletes an account."""
        self._account(user)
        if "sure" not in request.form:
            raise BadInput("Tick the box to delete the user.")
        self.remove(user)
        return redirect("/")

    def remove(self, user: int) -> None:
        """Deletes an account with its memberships, and logs it."""
        name = self._account(user)["name"]
        self.change("DELETE FROM membership WHERE account_id = ?", user)
        self.change("DELETE FROM account WHERE id = ?", user)
        self._somebody_must_rule()
        self.insert("event", moment=NOW, actor=SIGNED_IN, kind="Deletion", about=name)

    @route("GET", "/review")
    def review(self, request: Request) -> Response:
        """The active accounts that were not used for long."""
        found = self.rows("SELECT * FROM account WHERE seen < ? AND status = 'Active' ORDER BY seen, name", DORMANT)
        return self.page("admin/review.html", "Access review", since=DORMANT, paging=paged(request, found))

    @route("POST", "/suspend-selected")
    def suspend_selected(self, request: Request) -> Response:
        """Locks the selected accounts."""
        selected = [text for text in request.form.get("user", []) if text.isdecimal()]
        if not selected:
            raise BadInput("Select at least one user.")
        for user in selected:
            self._set(int(user), status="Suspended")
        return redirect("/review")


def day_before(random: Random, least: int, most: int, day: str = TODAY) -> str:
    """A day drawn from those ``least`` to ``most`` days before another."""
    return str(date.fromisoformat(day) - timedelta(days=random.randint(least, most)))


def role_in(request: Request) -> str:
    """The role that a form gives."""
    if (role := request.sent("role")) not in ROLES:
        raise BadInput(f"The role must be one of {', '.join(ROLES)}.")
    return role


def email_in(request: Request) -> str:
    """The e-mail address that a form gives."""
    email = request.sent("email").lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
        raise BadInput("Give an e-mail address such as ann@example.org.")
    return email
