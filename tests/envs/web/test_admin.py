"""The user management: what its pages show and do, and that its tasks can be done by those who see little."""

from __future__ import annotations

from random import Random

import pytest

from potentia.envs.web.apps.admin import CHOICES, SWITCHES, TEAMS, Admin
from potentia.envs.web.apps.admin_accounts import DORMANT, SIGNED_IN
from potentia.envs.web.apps.application import NOW, TODAY
from potentia.envs.web.apps.database import contents
from potentia.envs.web.backends.document import Document
from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.tasks.admin import ADMIN_TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from tests.envs.web.solving import follow, opened, play_mistake
from tests.envs.web.walking import check_names, check_tasks, get, post

LENGTHS = {
    "AdminSuspend": {2}, "AdminInvite": {4}, "AdminSettings": {4}, "AdminFailedSignIn": {4, 5}, "AdminReview": {5, 6},
    "AdminDelete": {6}, "AdminHandover": {12, 13},
}  # fmt: skip
ADA, ANN, BOB, CY = 1, 2, 3, 4

each_template = pytest.mark.parametrize("template", ADMIN_TEMPLATES, ids=lambda template: template.name)


@pytest.fixture
def admin() -> Admin:
    """The user's own account and three others; Ann in the first team; an invitation; all settings as they begin."""
    app = Admin()
    for name, role, status, seen in (
        (SIGNED_IN, "Admin", "Active", TODAY),
        ("Ann Lee", "Viewer", "Active", "2025-10-01"),
        ("Bob Ray", "Editor", "Suspended", "2025-09-01"),
        ("Cy Ott", "Viewer", "Active", "2025-09-15"),
    ):
        email = f"{name.split()[0].lower()}@example.org"
        app.insert("account", name=name, email=email, role=role, status=status, reset=0, seen=seen)
    for name in TEAMS:
        app.insert("team", name=name)
    app.insert("membership", team_id=1, account_id=ANN)
    app.insert("invitation", email="dee@example.org", role="Viewer", day="2026-03-01")
    for name, value in (SWITCHES | {name: options[0] for name, options in CHOICES.items()}).items():
        app.insert("setting", name=name, value=value)
    return app


def shown(app: Admin, path: str) -> list[str]:
    response = get(app, path)
    assert response.status == 200, path
    return [element.name for element in Document(response.body.decode()).elements()]


def refused(app: Admin, path: str, message: str, **form: str | list[str]) -> None:
    before = contents(app.db)
    response = post(app, path, **form)
    assert response.status == 400
    assert message in response.body.decode()
    assert contents(app.db) == before


def account(app: Admin, user: int) -> dict[str, object]:
    return dict(app.row("SELECT name, email, role, status, reset FROM account WHERE id = ?", user))


@each_template
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(6), noise)


@each_template
def test_the_mistake_changes_something_and_fails(template):
    for seed in range(6):
        episode = Episode(template(), seed)
        page = opened(episode)
        if episode.answer is None:
            play_mistake(episode, page)
            assert episode.difference()
            assert episode.world.contents() != episode._initial.contents()
        else:
            assert not episode.succeeds(template().wrong_answer(episode._initial, episode.params))


@each_template
def test_each_action_of_the_reference_solution_brings_the_goal_nearer_by_one_however_long_the_lists_are(template):
    for seed, noise in ((0, 3), (1, 8), (2, 20)):
        episode = Episode(template(), seed, noise=noise)
        page = opened(episode)
        for left in range(episode.length, int(episode.answer is not None), -1):
            assert episode.remaining(page.state()) == left, (episode.goal, page.url)
            follow(episode, page, 1)


def test_noise_is_what_was_asked_for_and_its_events_are_no_younger_than_their_actors():
    for rows in (3, 8, 20):
        app = Admin()
        app.populate(Random(rows), rows)
        counts = {
            name: app.row(f"SELECT count(*) FROM {name}")[0] for name in ("account", "event", "invitation", "team")
        }
        assert counts == {"account": rows + 1, "event": 2 * rows, "invitation": rows // 2, "team": 4}
        assert not app.rows("SELECT 1 FROM event JOIN account ON name = actor WHERE substr(moment, 1, 10) > seen")
        dormant = app.row("SELECT count(*) FROM account WHERE seen < ?", DORMANT)[0]
        assert dormant == min(6, 1 + rows // 3)
        for path in ("/", "/review", "/teams", "/team/1", "/invitations", "/log", "/settings", "/user/2", "/event/1"):
            state = Document(get(app, path).body.decode()).elements()
            assert len(state) <= 48, (rows, path)


def test_every_page_gives_each_control_a_name_of_its_own(admin):
    admin.log(Random(0), "Ann Lee", "Sign-in", "2025-10-01")
    page = HtmlPage(admin.handle, frozenset([admin.host]))
    for path in (
        "/", "/user/2", "/user/3", "/user/2/edit", "/user/2/delete", "/review", "/teams", "/team/1", "/team/2",
        "/invitations", "/log", "/event/1", "/settings",
    ):  # fmt: skip
        page.open(f"http://admin.test{path}")
        assert page.state().title.endswith(" - Admin")
        check_names(page.state())


def test_the_list_is_by_name_ten_a_page_and_searched_by_text_role_and_status(admin):
    for number in range(8):
        admin.enrol(Random(number), f"Zed {number}", role="Editor", status="Active")
    first, rest = shown(admin, "/"), shown(admin, "/?start=10")
    assert [name for name in first if name.startswith("Zed")] == [f"Zed {number}" for number in range(6)]
    assert {"Zed 6", "Zed 7", "Previous page"} <= set(rest)
    assert "Next page" in first
    assert "Next page" not in rest
    found = shown(admin, "/?text=+BOB%40example&role=Any+role&status=Any+status")
    assert {"Bob Ray", "Editor, suspended"} <= set(found)
    assert "Ann Lee" not in found
    assert {"Ann Lee", "Cy Ott"} <= set(shown(admin, "/?role=Viewer&status=Active"))
    assert "Bob Ray" not in shown(admin, "/?role=Editor&status=Active")
    assert "Nobody was found." in shown(admin, "/?text=nobody")
    assert "Next page" in shown(admin, "/?status=Active")
    assert get(admin, "/?start=x").status == 400


def test_an_account_is_shown_suspended_activated_and_told_to_change_its_password(admin):
    assert {"Ann Lee", "ann@example.org", "Active", "2025-10-01", "Billing", "valid", "Suspend user"} <= set(
        shown(admin, "/user/2")
    )
    assert post(admin, "/user/2/suspend").location == "/user/2"
    assert post(admin, "/user/2/reset").location == "/user/2"
    assert account(admin, ANN) | {"status": "Suspended", "reset": 1} == account(admin, ANN)
    assert {"Suspended", "must be changed", "Activate user", "Keep password"} <= set(shown(admin, "/user/2"))
    post(admin, "/user/2/activate")
    post(admin, "/user/2/keep")
    assert account(admin, ANN) == {
        "name": "Ann Lee", "email": "ann@example.org", "role": "Viewer", "status": "Active", "reset": 0,
    }  # fmt: skip


def test_what_is_taken_back_leaves_no_trace(admin):
    before = contents(admin.db)
    for there, back in (("suspend", "activate"), ("reset", "keep")):
        post(admin, f"/user/2/{there}")
        assert contents(admin.db) != before
        post(admin, f"/user/2/{back}")
        assert contents(admin.db) == before
    post(admin, "/team/1/remove/2")
    assert contents(admin.db) != before
    post(admin, "/team/1/add", name="Ann Lee")
    assert contents(admin.db) == before


def test_roles_change_but_one_active_admin_stays(admin):
    post(admin, "/user/2/role", role="Editor")
    assert account(admin, ANN)["role"] == "Editor"
    refused(admin, "/user/2/role", "Viewer, Editor, Admin", role="King")
    refused(admin, "/user/1/role", "There must be an active admin", role="Viewer")
    refused(admin, "/user/1/suspend", "There must be an active admin")
    refused(admin, "/user/1/remove", "There must be an active admin", sure="on")
    post(admin, "/user/4/role", role="Admin")
    post(admin, "/user/1/suspend")
    assert account(admin, ADA)["status"] == "Suspended"


def test_details_are_edited_and_stay_unique(admin):
    assert "ann@example.org" in get(admin, "/user/2/edit").body.decode()
    assert post(admin, "/user/2/save", name="Ann Low", email="Low@Example.org").location == "/user/2"
    assert account(admin, ANN)["email"] == "low@example.org"
    refused(admin, "/user/2/save", "Another user", name="Bob Ray", email="low@example.org")
    refused(admin, "/user/2/save", "Another user", name="Ann Low", email="bob@example.org")
    refused(admin, "/user/2/save", "needs a name", name=" ", email="low@example.org")
    for email in ("", "low", "low@", "lo w@example.org", "low@example.", "@example.org"):
        refused(admin, "/user/2/save", "such as ann@example.org", name="Ann Low", email=email)


def test_deleting_asks_first_takes_the_memberships_along_and_is_logged(admin):
    assert {"Delete Ann Lee?", "Delete for good"} <= set(shown(admin, "/user/2/delete"))
    refused(admin, "/user/2/remove", "Tick the box")
    assert post(admin, "/user/2/remove", sure="on").location == "/"
    assert get(admin, "/user/2").status == 404
    assert not admin.rows("SELECT * FROM membership")
    assert tuple(admin.row("SELECT moment, actor, kind, about FROM event")) == (NOW, SIGNED_IN, "Deletion", "Ann Lee")
    assert {"Deletion", "Ann Lee", SIGNED_IN} <= set(shown(admin, "/event/1"))


def test_the_review_lists_who_is_active_and_was_long_away_and_suspends_all_or_nobody(admin):
    listed = shown(admin, "/review")
    assert [name for name in listed if name.startswith("Select")] == ["Select Cy Ott", "Select Ann Lee"]
    assert "Viewer, last seen 2025-09-15" in listed
    refused(admin, "/suspend-selected", "Select at least one")
    before = contents(admin.db)
    assert post(admin, "/suspend-selected", user=["2", "99"]).status == 404
    assert contents(admin.db) == before
    assert post(admin, "/suspend-selected", user=["2", "4"]).location == "/review"
    assert account(admin, ANN)["status"] == account(admin, CY)["status"] == "Suspended"
    assert "Nobody is up for review." in shown(admin, "/review")


def test_teams_are_listed_added_joined_and_left(admin):
    assert {"Billing", "1 member", "0 members"} <= set(shown(admin, "/teams"))
    assert {"Ann Lee", "Remove Ann Lee"} <= set(shown(admin, "/team/1"))
    assert post(admin, "/new-team", name="Sales").location == "/team/5"
    refused(admin, "/new-team", "that no other team has", name="Sales")
    refused(admin, "/new-team", "A team needs a name", name="")
    assert post(admin, "/team/5/add", name="Bob Ray").location == "/team/5"
    refused(admin, "/team/5/add", "Bob Ray is in this team already", name="Bob Ray")
    refused(admin, "/team/5/add", "There is no user Nemo", name="Nemo")
    refused(admin, "/team/5/add", "Give the name", name="")
    assert post(admin, "/team/5/remove/3").location == "/team/5"
    assert "Nobody is in this team." in shown(admin, "/team/5")


def test_people_are_invited_once_and_invitations_are_revoked(admin):
    assert post(admin, "/invite", email="Eve@example.org", role="Editor").location == "/invitations"
    row = admin.row("SELECT email, role, day FROM invitation WHERE id = 2")
    assert tuple(row) == ("eve@example.org", "Editor", TODAY)
    refused(admin, "/invite", "is a user or invited already", email="eve@example.org", role="Editor")
    refused(admin, "/invite", "is a user or invited already", email="ann@example.org", role="Editor")
    refused(admin, "/invite", "such as", email="eve", role="Editor")
    refused(admin, "/invite", "The role must be", email="fay@example.org", role="")
    assert post(admin, "/invitation/2/revoke").location == "/invitations"
    assert [name for name in shown(admin, "/invitations") if name.startswith("Revoke")] == ["Revoke dee@example.org"]


def test_the_log_is_newest_first_filtered_by_kind_and_leads_to_the_account(admin):
    random = Random(0)
    for day, actor, kind in (
        ("2026-03-01", "Ann Lee", "Sign-in"),
        ("2026-03-09", "Bob Ray", "Failed sign-in"),
        ("2026-03-04", "Gone Girl", "Failed sign-in"),
    ):
        admin.log(random, actor, kind, day)
    assert [name for name in shown(admin, "/log") if name.startswith("#")] == ["#2", "#3", "#1"]
    assert [name for name in shown(admin, "/log?kind=Failed+sign-in") if name.startswith("#")] == ["#2", "#3"]
    known, unknown = (Document(get(admin, f"/event/{event}").body.decode()).elements() for event in (2, 3))
    assert ("link", "Bob Ray") in [(element.role, element.name) for element in known]
    assert ("cell", "Gone Girl") in [(element.role, element.name) for element in unknown]


def test_settings_are_saved_together_or_not_at_all(admin):
    form = {"Password_length": "12", "Session_length": "1 hour", "Weekly_report_by_e-mail": "on"}
    assert post(admin, "/save-settings", **form).location == "/settings"
    values = {row["name"]: row["value"] for row in admin.rows("SELECT * FROM setting")}
    assert values == {
        "Require two-factor sign-in": "off", "Allow public sign-up": "off", "Weekly report by e-mail": "on",
        "Password length": "12", "Session length": "1 hour",
    }  # fmt: skip
    refused(admin, "/save-settings", "Session length must be one of", **form | {"Session_length": "for ever"})
    elements = Document(get(admin, "/settings").body.decode()).elements()
    assert {element.name for element in elements if "checked" in element.flags} == {
        "Weekly report by e-mail", "12", "1 hour",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/user/99", "/user/99/edit", "/user/99/delete", "/team/99", "/event/99", "/nowhere"])
def test_pages_of_what_is_not_there_are_not_found(admin, path):
    assert get(admin, path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/user/99/suspend", "/user/99/activate", "/user/99/reset", "/user/99/keep", "/user/99/role", "/user/99/save",
        "/user/99/remove", "/team/99/add", "/team/99/remove/2", "/team/2/remove/2", "/invitation/99/revoke", "/log",
    ],
)  # fmt: skip
def test_what_is_not_there_can_not_be_changed(admin, path):
    before = contents(admin.db)
    form = {"role": "Editor", "name": "Ann Lee", "email": "x@example.org", "sure": "on"}
    assert post(admin, path, **form).status == 404
    assert contents(admin.db) == before
