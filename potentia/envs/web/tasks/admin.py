"""Tasks in the user management."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from urllib.parse import urlencode

from potentia.envs.web.apps.admin import CHOICES, SWITCHES, TEAMS, Admin
from potentia.envs.web.apps.admin_accounts import DORMANT, ROLES, SIGNED_IN, day_before
from potentia.envs.web.apps.application import TODAY
from potentia.envs.web.apps.paging import A_PAGE
from potentia.envs.web.apps.words import FIRST_NAMES, LAST_NAMES
from potentia.envs.web.apps.world import AppWorld
from potentia.envs.web.tasks.admin_stages import (
    ADMIN,
    admin_of,
    arrival,
    departure,
    email_of,
    namesakes,
    newcomer,
    promotion,
    search,
    suspension,
    team_id,
    turned,
    user_id,
    user_names,
)
from potentia.envs.web.tasks.template import Move, Params, Stage, Template

__all__ = ["ADMIN_TEMPLATES"]

_FAILED = "Failed sign-in"


class _AdminTask(Template):
    apps = (Admin,)


class SuspendUser(_AdminTask):
    """One account is locked, and not that of the namesake."""

    name = "AdminSuspend"
    difficulty = "easy"
    complexity = 1.2
    tags = ("edit", "distractor")
    phrasings = (
        'Suspend the user "{user}".',
        '"{user}" must not be able to sign in any more: suspend that account.',
        'Please lock out "{user}" by suspending the account.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        user, twin = namesakes(random, world)
        return {"user": user, "twin": twin}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [suspension(world, params["user"])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [suspension(world, params["twin"])]

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["user"],)


class Invite(_AdminTask):
    """Somebody is invited with a role."""

    name = "AdminInvite"
    difficulty = "easy"
    complexity = 0.8
    tags = ("create", "form")
    phrasings = (
        'Invite "{email}" with the role "{role}".',
        'Send an invitation as "{role}" to "{email}".',
        'We need a new "{role}": invite the address "{email}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        del world
        person = f"{random.choice(FIRST_NAMES)}.{random.choice(LAST_NAMES)}".lower()
        return {"email": f"{person}@example.com", "role": random.choice(ROLES[1:])}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        del world
        values = {"E-mail": params["email"], "Role": params["role"]}
        return [
            Stage(
                [Move("Invitations", f"{ADMIN}/invitations"), Move("Send invitation", values=values)],
                lambda world: admin_of(world).insert("invitation", **params, day=TODAY),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params | {"role": ROLES[0]})


class ChangeSettings(_AdminTask):
    """A switch is turned over and another choice is made, in one form."""

    name = "AdminSettings"
    difficulty = "easy"
    complexity = 0.8
    tags = ("edit", "form", "toggle")
    phrasings = (
        'In the settings, turn "{switch}" {state} and set "{choice}" to "{value}".',
        'Set "{choice}" to "{value}" and switch "{switch}" {state}.',
        'Change two settings: "{switch}" is to be {state}, "{choice}" is to be "{value}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        del world
        switch, choice = random.choice(sorted(SWITCHES)), random.choice(sorted(CHOICES))
        state = "off" if SWITCHES[switch] == "on" else "on"
        return {"switch": switch, "state": state, "choice": choice, "value": random.choice(CHOICES[choice][1:])}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        values = {row["name"]: row["value"] for row in admin_of(world).rows("SELECT * FROM setting")}
        values |= {params["switch"]: params["state"], params["choice"]: params["value"]}
        controls = {name: value == "on" if name in SWITCHES else value for name, value in values.items()}
        return [
            Stage(
                [Move("Settings", f"{ADMIN}/settings"), Move("Save settings", values=controls)],
                lambda world: admin_of(world).configure(values),
            )
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        other = next(switch for switch in SWITCHES if switch != params["switch"])
        state = "off" if SWITCHES[other] == "on" else "on"
        return self.stages(world, params | {"switch": other, "state": state})

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["switch"], params["choice"], params["value"])


class FailedSignIn(_AdminTask):
    """Whose sign-in failed? The audit log says when and who, the account says the address."""

    name = "AdminFailedSignIn"
    difficulty = "medium"
    complexity = 1.6
    tags = ("question", "search", "several pages")
    phrasings = (
        "Somebody failed to sign in on {day}. Answer with the e-mail address of that user.",
        "Find the failed sign-in of {day} in the audit log: what is the user's e-mail address?",
        "What is the e-mail address of the user whose sign-in failed on {day}?",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app = admin_of(world)
        failures = {row["moment"][:10] for row in app.rows("SELECT moment FROM event WHERE kind = ?", _FAILED)}
        while True:
            user = app.row("SELECT * FROM account WHERE name = ?", random.choice(user_names(world)))
            day = day_before(random, 0, 12, user["seen"])
            others = app.rows("SELECT name FROM account WHERE seen >= ? AND id != ? ORDER BY name", day, user["id"])
            if day not in failures and user["name"] != SIGNED_IN:
                break
        other = random.choice(others)["name"]
        event = app.log(random, user["name"], _FAILED, day)
        app.log(random, other, "Sign-in", day)
        return {"day": day, "user": user["name"], "other": other, "event": event}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        wanted, app = params["event"], admin_of(world)
        order = "ORDER BY moment DESC, id DESC"
        events = [row["id"] for row in app.rows(f"SELECT id FROM event {order}")]
        failures = [row["id"] for row in app.rows(f"SELECT id FROM event WHERE kind = ? {order}", _FAILED)]
        moves = turned("/log", events.index(wanted) // A_PAGE)
        shown = Move("Show", f"{ADMIN}/log?{urlencode({'kind': _FAILED})}", {"Event": _FAILED})
        filtered = [shown, *turned("/log", failures.index(wanted) // A_PAGE, kind=_FAILED)]
        if len(moves) > len(filtered) + 1:
            moves = filtered
        account = Move(params["user"], f"{ADMIN}/user/{user_id(world, params['user'])}")
        event = Move(f"#{wanted}", f"{ADMIN}/event/{wanted}")
        return [Stage([Move("Audit log", f"{ADMIN}/log"), *moves, event, account], lambda world: None)]

    def answer(self, world: AppWorld, params: Params) -> str:
        return email_of(world, params["user"])

    def wrong_answer(self, world: AppWorld, params: Params) -> str:
        return email_of(world, params["other"])

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params)

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["day"], _FAILED)


class SuspendDormant(_AdminTask):
    """Those of a role who were away for long are locked at once. Others on the list are not."""

    name = "AdminReview"
    difficulty = "medium"
    complexity = 1.6
    tags = ("edit", "toggle", "bulk", "distractor")
    phrasings = (
        "In the access review, suspend every {role} who was last seen before {day}, and nobody else.",
        "Suspend all users with the role {role} whom the access review shows as last seen before {day}.",
        "Access review: each {role} whose last day here was before {day} is to be suspended; leave the others active.",
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        role = random.choice(ROLES[:2])
        wanted = random.randint(3, 4)
        while len(_dormant(world, role)) < wanted:
            admin_of(world).enrol(random, newcomer(random, world), dormant=True, role=role, status="Active")
        days = [date.fromisoformat(seen) + timedelta(days=1) for _, seen in _dormant(world, role)]
        return {"role": role, "day": str(random.choice(days[2:5]))}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        names = [name for name, seen in _dormant(world, params["role"]) if seen < params["day"]]
        return [self._stage(world, names)]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        names = [name for name, seen in _dormant(world, params["role"]) if seen < params["day"]]
        return [self._stage(world, names[:-1])]

    def _stage(self, world: AppWorld, names: Sequence[str]) -> Stage:
        def edit(world: AppWorld) -> None:
            for name in names:
                admin_of(world).change("UPDATE account SET status = 'Suspended' WHERE name = ?", name)

        listed = [name for role in ROLES for name, _ in _dormant(world, role)]
        selected = {f"Select {name}": name in names for name in listed}
        return Stage([Move("Access review", f"{ADMIN}/review"), Move("Suspend selected", values=selected)], edit)

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["role"], params["day"])


def _dormant(world: AppWorld, role: str) -> list[tuple[str, str]]:
    """Names and last days of those of a role who are up for review, the longest away first."""
    query = "SELECT name, seen FROM account WHERE role = ? AND status = 'Active' AND seen < ? ORDER BY seen, name"
    return [(row["name"], row["seen"]) for row in admin_of(world).rows(query, role, DORMANT)]


class DeleteByAddress(_AdminTask):
    """An account is found by its e-mail address and deleted. Another account has nearly the same address."""

    name = "AdminDelete"
    difficulty = "medium"
    complexity = 1.4
    tags = ("delete", "search", "distractor")
    phrasings = (
        'Delete the user with the e-mail address "{email}".',
        'Find out whose address "{email}" is and delete that account for good.',
        'The account with the e-mail "{email}" is not needed any more; please delete it.',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        user, twin = namesakes(random, world)
        return {"email": email_of(world, user), "user": user, "twin": twin}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._stage(world, params["user"], params["email"])]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return [self._stage(world, params["twin"], email_of(world, params["twin"]))]

    def _stage(self, world: AppWorld, name: str, email: str) -> Stage:
        user = user_id(world, name)
        moves = [
            *search(email),
            Move(name, f"{ADMIN}/user/{user}"),
            Move("Delete user", f"{ADMIN}/user/{user}/delete"),
            Move("Delete for good", values={"I know that this can't be undone": True}),
        ]
        return Stage(moves, lambda world: admin_of(world).remove(user))

    def fields(self, params: Params) -> tuple[str, ...]:
        return (params["email"],)


class HandOver(_AdminTask):
    """One user leaves and another takes the place: in the team, by role, and the first is locked out."""

    name = "AdminHandover"
    difficulty = "hard"
    complexity = 3.6
    tags = ("edit", "create", "delete", "several pages")
    phrasings = (
        '"{leaver}" hands over to "{successor}": swap them in the team "{team}", give "{successor}" the role "{role}" '
        'and suspend "{leaver}".',
        'Make "{successor}" the new "{role}". In the team "{team}", remove "{leaver}" and add "{successor}" instead. '
        'Then suspend the account of "{leaver}".',
        'Remove "{leaver}" from the team "{team}" and suspend that account; "{successor}" joins the team and becomes '
        '"{role}".',
    )

    def draw(self, random: Random, world: AppWorld) -> Params:
        app, team = admin_of(world), random.choice(TEAMS)
        leaver = newcomer(random, world)
        account = app.enrol(random, leaver, status="Active")
        app.insert("membership", team_id=team_id(world, team), account_id=account)
        successor = newcomer(random, world)
        app.enrol(random, successor, status="Active", role=ROLES[0])
        return {"leaver": leaver, "successor": successor, "team": team, "role": random.choice(ROLES[1:])}

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        leaver, successor = params["leaver"], params["successor"]
        return [
            departure(world, leaver, params["team"]),
            arrival(world, successor, params["team"]),
            promotion(world, successor, params["role"]),
            suspension(world, leaver),
        ]

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        return self.stages(world, params)[:-1]


ADMIN_TEMPLATES: tuple[type[Template], ...] = (
    SuspendUser, Invite, ChangeSettings, FailedSignIn, SuspendDormant, DeleteByAddress, HandOver,
)  # fmt: skip
