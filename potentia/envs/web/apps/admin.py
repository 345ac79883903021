"""User management: accounts with roles, teams, invitations, an access review, an audit log and settings."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import ClassVar

from potentia.envs.web.apps.admin_accounts import ROLES, SIGNED_IN, Accounts, day_before, email_in, role_in
from potentia.envs.web.apps.application import TODAY, BadInput, route
from potentia.envs.web.apps.paging import paged
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, distinct
from potentia.envs.web.http import Request, Response, redirect

TEAMS = ("Billing", "Design", "Platform", "Support")
KINDS = ("Sign-in", "Failed sign-in", "Password change", "Deletion")
SWITCHES = {"Require two-factor sign-in": "off", "Allow public sign-up": "on", "Weekly report by e-mail": "off"}
CHOICES = {"Password length": ("8", "10", "12", "16"), "Session length": ("1 hour", "8 hours", "7 days")}


class Admin(Accounts):
    """Accounts are found by list or search, changed, suspended, deleted. People are invited and put into teams.

    The audit log keeps what can't be undone (sign-ins, password changes, deletions). What can be undone leaves no
    trace, so that an agent that takes it back is where it was.
    """

    name = "admin"
    title = "Admin"
    schema = """
        CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT UNIQUE, email TEXT UNIQUE, role TEXT, status TEXT,
                              reset INTEGER, seen TEXT);
        CREATE TABLE team (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE membership (id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES team(id),
                                 account_id INTEGER REFERENCES account(id), UNIQUE (team_id, account_id));
        CREATE TABLE invitation (id INTEGER PRIMARY KEY, email TEXT UNIQUE, role TEXT, day TEXT);
        CREATE TABLE event (id INTEGER PRIMARY KEY, moment TEXT, actor TEXT, kind TEXT, about TEXT);
        CREATE TABLE setting (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value TEXT);
    """
    bar: ClassVar = {
        "Users": "/",
        "Access review": "/review",
        "Teams": "/teams",
        "Invitations": "/invitations",
        "Audit log": "/log",
        "Settings": "/settings",
    }

    def populate(self, random: Random, rows: int) -> None:
        """Adds ``rows`` accounts beside the user's own, some dormant. It adds teams, invitations, ``2 rows`` events."""
        for name, value in (SWITCHES | {name: values[0] for name, values in CHOICES.items()}).items():
            self.insert("setting", name=name, value=value)
        teams = [self.insert("team", name=name) for name in TEAMS]
        self.insert(
            "account", name=SIGNED_IN, email="ada@example.org", role="Admin", status="Active", reset=0, seen=TODAY
        )
        names = distinct(random, rows, lambda: f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}")
        for index, name in enumerate(names):
            account = self.enrol(random, name, dormant=index < min(6, 1 + rows // 3))
            for team in random.sample(teams, random.randint(0, 2)):
                self.insert("membership", team_id=team, account_id=account)
        for email in distinct(random, rows // 2, lambda: f"{random.choice(FIRST_NAMES).lower()}@example.net"):
            self.insert("invitation", email=email, role=random.choice(ROLES[:2]), day=day_before(random, 0, 20))
        for _ in range(2 * rows):
            actor = self.row("SELECT * FROM account WHERE name = ?", random.choice(names))
            self.log(random, actor["name"], random.choice(KINDS[:3]), day_before(random, 0, 20, actor["seen"]))

    def enrol(self, random: Random, name: str, *, dormant: bool = False, **values: str) -> int:
        """Adds an account, with what is not given drawn. The result is its id."""
        taken = {row["email"] for row in self.rows("SELECT email FROM account")}
        first, last = name.lower().split()[0], name.lower().split()[-1]
        (email,) = distinct(
            random, 1, lambda: f"{first[0]}.{last}{random.randint(10, 99)}@example.org", besides=frozenset(taken)
        )
        drawn = {
            "email": email,
            "role": random.choice(ROLES[:2]),
            "status": "Active" if random.random() < 0.8 else "Suspended",
            "seen": day_before(random, 95, 300) if dormant else day_before(random, 0, 80),
        }
        return self.insert("account", name=name, reset=int(random.random() < 0.2), **drawn | values)

    def log(self, random: Random, actor: str, kind: str, day: str) -> int:
        """Adds an event at a time of a day. The result is its id."""
        moment = f"{day} {random.randint(6, 20):02}:{random.randint(0, 59):02}"
        return self.insert("event", moment=moment, actor=actor, kind=kind, about="")

    @route("GET", "/teams")
    def teams(self, request: Request) -> Response:
        """All teams, and the form for another."""
        found = self.rows(
            "SELECT team.id, name, count(account_id) AS members FROM team LEFT JOIN membership ON team_id = team.id "
            "GROUP BY team.id ORDER BY name"
        )
        return self.page("admin/teams.html", "Teams", paging=paged(request, found))

    @route("POST", "/new-team")
    def add_team(self, request: Request) -> Response:
        """Adds a team without members."""
        name = request.sent("name")
        if not name or self.rows("SELECT id FROM team WHERE name = ?", name):
            raise BadInput("A team needs a name that no other team has.")
        return redirect(f"/team/{self.insert('team', name=name)}")

    @route("GET", "/team/{team}")
    def team(self, request: Request, team: int) -> Response:
        """A team's members."""
        row = self.row("SELECT * FROM team WHERE id = ?", team)
        found = self.rows(
            "SELECT account.id, name FROM membership JOIN account ON account.id = account_id WHERE team_id = ? "
            "ORDER BY name",
            team,
        )
        return self.page("admin/team.html", row["name"], team=row, paging=paged(request, found))

    @route("POST", "/team/{team}/add")
    def join(self, request: Request, team: int) -> Response:
        """Puts somebody into a team, by name."""
        self.row("SELECT * FROM team WHERE id = ?", team)
        name = request.sent("name")
        found = self.rows("SELECT id FROM account WHERE name = ?", name)
        if not found:
            raise BadInput(f"There is no user {name}." if name else "Give the name of a user.")
        if self.rows("SELECT id FROM membership WHERE team_id = ? AND account_id = ?", team, found[0]["id"]):
            raise BadInput(f"{name} is in this team already.")
        self.insert("membership", team_id=team, account_id=found[0]["id"])
        return redirect(f"/team/{team}")

    @route("POST", "/team/{team}/remove/{user}")
    def leave(self, request: Request, team: int, user: int) -> Response:
        """Takes somebody out of a team."""
        del request
        row = self.row("SELECT id FROM membership WHERE team_id = ? AND account_id = ?", team, user)
        self.change("DELETE FROM membership WHERE id = ?", row["id"])
        return redirect(f"/team/{team}")

    @route("GET", "/invitations")
    def invitations(self, request: Request) -> Response:
        """The invitations that nobody has followed yet, and the form for another."""
        found = self.rows("SELECT * FROM invitation ORDER BY email")
        return self.page("admin/invitations.html", "Invitations", roles=ROLES, paging=paged(request, found))

    @route("POST", "/invite")
    def invite(self, request: Request) -> Response:
        """Invites somebody."""
        email, role = email_in(request), role_in(request)
        for table in ("account", "invitation"):
            if self.rows(f"SELECT id FROM {table} WHERE email = ?", email):
                raise BadInput(f"{email} is a user or invited already.")
        self.insert("invitation", email=email, role=role, day=TODAY)
        return redirect("/invitations")

    @route("POST", "/invitation/{invitation}/revoke")
    def revoke(self, request: Request, invitation: int) -> Response:
        """Takes an invitation back."""
        del request
        self.row("SELECT id FROM invitation WHERE id = ?", invitation)
        self.change("DELETE FROM invitation WHERE id = ?", invitation)
        return redirect("/invitations")

    @route("GET", "/log")
    def events(self, request: Request) -> Response:
        """Events, the last first, perhaps of one kind."""
        kind = request.asked("kind")
        found = self.rows("SELECT * FROM event WHERE ? IN ('', 'Any event', kind) ORDER BY moment DESC, id DESC", kind)
        return self.page("admin/log.html", "Audit log", kind=kind, kinds=KINDS, paging=paged(request, found))

    @route("GET", "/event/{event}")
    def event(self, request: Request, event: int) -> Response:
        """One event. Its page links to the account, if there still is one of that name."""
        del request
        row = self.row("SELECT * FROM event WHERE id = ?", event)
        accounts = self.rows("SELECT id FROM account WHERE name = ?", row["actor"])
        return self.page("admin/event.html", f"Event {event}", event=row, account=accounts[0] if accounts else None)

    @route("GET", "/settings")
    def settings(self, request: Request) -> Response:
        """The form of all settings."""
        del request
        values = {row["name"]: row["value"] for row in self.rows("SELECT * FROM setting")}
        return self.page("admin/settings.html", "Settings", values=values, switches=SWITCHES, choices=CHOICES)

    @route("POST", "/save-settings")
    def save_settings(self, request: Request) -> Response:
        """Sets all settings."""
        values = {name: "on" if name.replace(" ", "_") in request.form else "off" for name in SWITCHES}
        for name, options in CHOICES.items():
            values[name] = request.sent(name.replace(" ", "_"))
            if values[name] not in options:
                raise BadInput(f"{name} must be one of {', '.join(options)}.")
        self.configure(values)
        return redirect("/settings")

    def configure(self, values: Mapping[str, str]) -> None:
        """Sets some settings."""
        for name, value in values.items():
            self.change("UPDATE setting SET value = ? WHERE name = ? AND value != ?", value, name, value)
