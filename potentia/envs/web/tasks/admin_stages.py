"""The ways and edits of which the tasks in the user management are made."""

from __future__ import annotations

from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.admin import Admin
from potentia.envs.web.apps.paging import A_PAGE
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES, distinct
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.template import Move, Stage

ADMIN = "http://admin.test"


def admin_of(world: AppWorld) -> Admin:
    """The user management of a world."""
    app = world["admin"]
    assert isinstance(app, Admin)
    return app


def user_id(world: AppWorld, name: str) -> int:
    """The id of an account."""
    return int(admin_of(world).row("SELECT id FROM account WHERE name = ?", name)["id"])


def user_names(world: AppWorld) -> list[str]:
    """The names of all accounts, in the order of the list."""
    return [row["name"] for row in admin_of(world).rows("SELECT name FROM account ORDER BY name")]


def email_of(world: AppWorld, name: str) -> str:
    """The e-mail address of an account."""
    return str(admin_of(world).row("SELECT email FROM account WHERE name = ?", name)["email"])


def team_id(world: AppWorld, name: str) -> int:
    """The id of a team."""
    return int(admin_of(world).row("SELECT id FROM team WHERE name = ?", name)["id"])


def newcomer(random: Random, world: AppWorld) -> str:
    """A name that nobody has."""
    taken = frozenset(user_names(world))
    return distinct(random, 1, lambda: f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}", besides=taken)[0]


def namesakes(random: Random, world: AppWorld) -> tuple[str, str]:
    """Two new active accounts whose names differ by an initial, in any order."""
    name = newcomer(random, world)
    twin = f" {random.choice('ABCDEF')}. ".join(name.split())
    for other in (name, twin):
        admin_of(world).enrol(random, other, status="Active")
    return (name, twin) if random.random() < 0.5 else (twin, name)


def turned(path: str, turns: int, **asked: str) -> list[Move]:
    """The link "Next page" of the list at a path, so many times."""
    starts = (str(A_PAGE * turn) for turn in range(1, turns + 1))
    return [Move("Next page", f"{ADMIN}{path}?{urlencode(asked | {'start': start})}") for start in starts]


def search(text: str) -> list[Move]:
    """From anywhere to the accounts whose name or address contains a text."""
    query = urlencode({"text": text, "role": "Any role", "status": "Any status"})
    values = {"Name or e-mail": text, "Role": "Any role", "Status": "Any status"}
    return [Move("Users", f"{ADMIN}/"), Move("Search", f"{ADMIN}/?{query}", values)]


def to_user(world: AppWorld, name: str) -> list[Move]:
    """From anywhere to an account: by the list if it stands on the first two pages, else by the search."""
    account = Move(name, f"{ADMIN}/user/{user_id(world, name)}")
    turns = user_names(world).index(name) // A_PAGE
    if turns <= 1:
        return [Move("Users", f"{ADMIN}/"), *turned("/", turns), account]
    return [*search(name), account]


def _to_team(world: AppWorld, name: str) -> list[Move]:
    return [Move("Teams", f"{ADMIN}/teams"), Move(name, f"{ADMIN}/team/{team_id(world, name)}")]


def suspension(world: AppWorld, name: str) -> Stage:
    """An account is suspended."""

    def edit(world: AppWorld) -> None:
        admin_of(world).change("UPDATE account SET status = 'Suspended' WHERE name = ?", name)

    return Stage([*to_user(world, name), Move("Suspend user")], edit)


def promotion(world: AppWorld, user: str, role: str) -> Stage:
    """An account is given another role."""

    def edit(world: AppWorld) -> None:
        admin_of(world).change("UPDATE account SET role = ? WHERE name = ?", role, user)

    return Stage([*to_user(world, user), Move("Change role", values={"Role": role})], edit)


def departure(world: AppWorld, user: str, team: str) -> Stage:
    """An account is taken out of a team."""
    key = (team_id(world, team), user_id(world, user))
    members = admin_of(world).rows(
        "SELECT name FROM membership JOIN account ON account.id = account_id WHERE team_id = ? ORDER BY name", key[0]
    )
    turns = turned(f"/team/{key[0]}", [row["name"] for row in members].index(user) // A_PAGE)

    def edit(world: AppWorld) -> None:
        admin_of(world).change("DELETE FROM membership WHERE team_id = ? AND account_id = ?", *key)

    return Stage([*_to_team(world, team), *turns, Move(f"Remove {user}")], edit)


def arrival(world: AppWorld, user: str, team: str) -> Stage:
    """An account is put into a team."""
    values = {"team_id": team_id(world, team), "account_id": user_id(world, user)}
    moves = [*_to_team(world, team), Move("Add member", values={"User name": user})]
    return Stage(moves, lambda world: admin_of(world).insert("membership", **values))
