"""The mail: what each of its pages shows and does, and that its tasks can be done by those who see little."""

from __future__ import annotations

from random import Random

import pytest

from potentia.envs.web.apps.application import NOW
from potentia.envs.web.apps.mail import LABELS, ME, Mail
from potentia.envs.web.backends.document import Document
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.mail import MAIL_TEMPLATES
from tests.envs.web.walking import check_names, check_tasks, get, pages, post, refused, shown

LENGTHS = {
    "MailStar": {2}, "MailDelete": {3}, "MailContact": {4}, "MailReply": {7}, "MailWhen": {5}, "MailLabel": {6, 7},
    "MailHandOver": {9, 10},
}  # fmt: skip


@pytest.fixture
def mail() -> Mail:
    """Two contacts and three messages, ids 1 to 3, in the inbox, the archive and the trash."""
    app = Mail()
    ann, bob = app.meet("Ann Lee", "example.org"), app.meet("Bob Ray", "example.net")
    for name in LABELS:
        app.insert("label", name=name)
    for sender, subject, time, folder in (
        (ann, "Lunch", "2026-03-14 10:00", "Inbox"),
        (bob, "Bill", "2026-03-13 10:00", "Archive"),
        ("stranger@example.com", "Offer", "2026-03-12 10:00", "Trash"),
    ):
        app.deliver(Random(0), sender, subject, time, folder=folder)
    return app


def value(app, column, message):
    return app.row(f"SELECT {column} FROM message WHERE id = ?", message)[0]


@pytest.mark.parametrize("template", MAIL_TEMPLATES, ids=lambda template: template.name)
def test_each_task_can_be_done_in_so_many_actions_by_those_who_see_48_rows(template):
    assert set(check_tasks(template, range(20), noise=8)) <= LENGTHS[template.name]
    for noise in (3, 20):
        check_tasks(template, range(8), noise)


def test_the_goal_names_one_message_only():
    for template in MAIL_TEMPLATES:
        for seed in range(10):
            episode = Episode(template(), seed)
            if "subject" in episode.params:
                sent = "SELECT id FROM listed WHERE who = ? AND subject = ?"
                app = episode.world["mail"]
                assert len(app.rows(sent, episode.params["sender"], episode.params["subject"])) == 1


def test_noise_fills_all_folders_before_today_and_grows_with_its_number():
    small, large = Mail(), Mail()
    small.populate(Random(0), 3)
    large.populate(Random(0), 20)
    assert [row[0] for row in small.rows("SELECT count(*) FROM message GROUP BY folder ORDER BY folder")] == [
        2,
        3,
        1,
        1,
    ]
    assert large.row("SELECT count(*) FROM message WHERE folder = 'Inbox'")[0] == 20
    assert large.row("SELECT max(time) FROM message")[0] < NOW[:10]
    assert large.row("SELECT count(DISTINCT subject) = count(*) FROM message")[0] == 1


def test_every_page_has_at_most_48_rows_whose_names_differ():
    app = Mail()
    app.populate(Random(3), 8)
    states = list(pages(app))
    assert len(states) > 90
    for state in states:
        check_names(state)
        assert len(state.elements) <= 48, state.url
    assert not any("There is no such page." in [e.name for e in state.elements] for state in states)


def test_folders_show_seven_messages_a_page_the_last_first_and_filter_them(mail):
    for number in range(8):
        mail.deliver(Random(0), "x@example.org", f"Part {number}", f"2026-03-15 1{number}:00", unread=number % 2)
    links = [name for name in shown(mail, "/") if name.startswith("x@example.org: ")]
    assert links == [f"x@example.org: Part {number}" for number in (7, 6, 5, 4, 3, 2, 1)]
    rest = shown(mail, "/?folder=Inbox&only=All&start=7")
    assert {"x@example.org: Part 0", "Ann Lee: Lunch"} <= set(rest)
    assert "Next page" not in rest
    unread = [name for name in shown(mail, "/?only=Unread") if "Part" in name and not name.startswith("Select")]
    assert unread == [f"x@example.org: Part {number}" for number in (7, 5, 3, 1)]
    assert "No messages." in shown(mail, "/?only=Starred")
    assert get(mail, "/?folder=Nowhere").status == 404
    assert get(mail, "/?only=Nothing").status == 404
    assert get(mail, "/?start=x").status == 400


def test_opening_a_message_shows_it_and_changes_nothing(mail):
    mail.change("UPDATE message SET unread = 1")
    before = mail.db.total_changes
    page = shown(mail, "/message/1")
    assert {"Lunch", "ann.lee@example.org", ME, "2026-03-14 10:00", "Mark as read", "Reply", "Forward"} <= set(page)
    assert "Add sender to contacts" not in page
    assert "Add sender to contacts" in shown(mail, "/message/3")
    assert mail.db.total_changes == before
    assert get(mail, "/message/99").status == 404


@pytest.mark.parametrize(
    ("action", "column", "result"),
    [
        ("Mark as read", "unread", 0), ("Mark as unread", "unread", 1), ("Star", "starred", 1),
        ("Remove star", "starred", 0), ("Move to archive", "folder", "Archive"), ("Move to trash", "folder", "Trash"),
        ("Move to inbox", "folder", "Inbox"),
    ],
)  # fmt: skip
def test_a_button_does_what_it_says_to_one_message_and_to_many(mail, action, column, result):
    assert post(mail, "/message/2", action=action).location == (
        "/?folder=Archive" if column == "folder" else "/message/2"
    )
    assert value(mail, column, 2) == result
    assert post(mail, "/selected", message=["1", "3"], action=action).location == "/"
    assert value(mail, column, 1) == value(mail, column, 3) == result


def test_what_many_ticks_ask_is_done_wholly_or_not_at_all(mail):
    refused(mail, "/selected", "Select at least one", action="Star")
    refused(mail, "/selected", "Choose what to do", action="Burn", message=["1"])
    refused(mail, "/message/1", "Choose what to do", action="")
    refused(mail, "/selected", "Only what is in the trash", action="Delete for ever", message=["3", "1"])
    before = mail.save()
    assert post(mail, "/selected", action="Star", message=["1", "99"]).status == 404
    assert mail.save() == before


def test_deleting_for_ever_takes_the_labels_with_it_and_leaves_the_replies(mail):
    post(mail, "/message/3/label", label="Work")
    post(mail, "/message/3/reply", to="stranger@example.com", subject="Re: Offer", body="No.")
    assert post(mail, "/message/3", action="Delete for ever").location == "/?folder=Trash"
    assert not mail.rows("SELECT * FROM message WHERE id = 3")
    assert not mail.rows("SELECT * FROM labelled")
    assert mail.row("SELECT quoted_id FROM message WHERE subject = 'Re: Offer'")[0] is None


def test_a_message_is_written_to_names_and_addresses(mail):
    post(mail, "/compose", to="ann lee, c@example.org", cc="Bob Ray", subject="Hi", body="One\r\nTwo")
    row = mail.row("SELECT * FROM message WHERE subject = 'Hi'")
    assert tuple(row)[1:] == (
        "Sent", ME, "ann.lee@example.org, c@example.org", "bob.ray@example.net", "Hi", "One\nTwo", NOW, 0, 0, None,
    )  # fmt: skip
    assert {"One", "Two", "Copy to"} <= set(shown(mail, f"/message/{row['id']}"))
    assert "ann.lee@example.org, c@example.org: Hi" in shown(mail, "/?folder=Sent")
    for missing in ("to", "subject", "body"):
        form = {"to": "Ann Lee", "subject": "Hi", "body": "Hi"} | {missing: " "}
        refused(mail, "/compose", "needs somebody to go to", **form)
    refused(mail, "/compose", "Ann is neither", to="Ann", subject="Hi", body="Hi")
    refused(mail, "/compose", "x@y is neither", to="Ann Lee", cc="x@y", subject="Hi", body="Hi")


def test_a_reply_goes_to_the_other_end_and_a_forwarded_message_where_one_says(mail):
    form = Document(get(mail, "/message/1/reply").body.decode()).elements()
    assert {e.name: e.value for e in form if e.role == "textbox"} == {
        "To": "ann.lee@example.org", "Copy to": "", "Subject": "Re: Lunch", "Message": "",
    }  # fmt: skip
    sent = post(mail, "/message/1/reply", to="ann.lee@example.org", subject="Re: Lunch", body="Yes")
    assert sent.location == "/message/1"
    reply = mail.row("SELECT * FROM message WHERE subject = 'Re: Lunch'")
    assert (reply["recipient"], reply["quoted_id"], reply["folder"]) == ("ann.lee@example.org", 1, "Sent")
    assert "Quoted: Lunch" in shown(mail, f"/message/{reply['id']}")
    again = Document(get(mail, f"/message/{reply['id']}/reply").body.decode()).elements()
    assert next(e.value for e in again if e.name == "To") == "ann.lee@example.org"
    post(mail, "/message/1/forward", to="Bob Ray", subject="Fwd: Lunch", body="See below")
    assert mail.row("SELECT recipient FROM message WHERE subject = 'Fwd: Lunch'")[0] == "bob.ray@example.net"
    for path in ("/message/99/reply", "/message/99/forward"):
        assert get(mail, path).status == post(mail, path, to="Bob Ray", subject="x", body="x").status == 404


def test_the_search_looks_at_subjects_texts_and_people_in_one_folder_or_all(mail):
    mail.change("UPDATE message SET body = 'The cat sat.' WHERE id = 2")
    for text, folder, found in (
        ("LUNCH", "Everywhere", {"Ann Lee: Lunch"}),
        ("cat", "Everywhere", {"Bob Ray: Bill"}),
        ("cat", "Inbox", set()),
        ("stranger@", "Trash", {"stranger@example.com: Offer"}),
        ("", "Everywhere", set()),
    ):
        names = shown(mail, f"/search?q={text}&folder={folder}")
        assert {name for name in names if ": " in name} == found
    assert "Nothing was found." in shown(mail, "/search?q=zebra")


def test_labels_are_made_put_on_taken_off_and_deleted(mail):
    assert post(mail, "/labels", name="Club").location == "/labels"
    refused(mail, "/labels", "needs a name", name="")
    refused(mail, "/labels", "a label club already", name="club")
    assert post(mail, "/message/1/label", label="Club").location == "/message/1"
    refused(mail, "/message/1/label", "has the label Club already", label="Club")
    assert post(mail, "/message/1/label", label="None such").status == post(mail, "/message/9/label").status == 404
    club = mail.row("SELECT id FROM label WHERE name = 'Club'")["id"]
    assert "Ann Lee: Lunch" in shown(mail, f"/label/{club}")
    assert "Remove label Club" in shown(mail, "/message/1")
    assert post(mail, f"/message/1/label/{club}/remove").location == "/message/1"
    assert post(mail, f"/message/1/label/{club}/remove").status == 404
    post(mail, "/message/1/label", label="Club")
    assert post(mail, f"/label/{club}/delete").location == "/labels"
    assert "Club" not in shown(mail, "/labels")
    assert not mail.rows("SELECT * FROM labelled")
    assert get(mail, f"/label/{club}").status == post(mail, f"/label/{club}/delete").status == 404


def test_contacts_are_found_added_changed_and_deleted(mail):
    assert {"Ann Lee", "Bob Ray"} <= set(shown(mail, "/contacts"))
    assert "Bob Ray" not in shown(mail, "/contacts?q=ann")
    assert post(mail, "/contacts", name="Cid Orr", email="CID@example.org").location == "/contacts"
    assert mail.row("SELECT email FROM contact WHERE name = 'Cid Orr'")[0] == "cid@example.org"
    refused(mail, "/contacts", "a contact ann lee already", name="ann lee", email="a@example.org")
    refused(mail, "/contacts", "with the address cid@example.org already", name="Dee", email="cid@example.org")
    refused(mail, "/contacts", "without commas", name="Lee, Ann", email="l@example.org")
    refused(mail, "/contact/1", "such as ann@example.org", name="Ann Lee", email="nowhere")
    refused(mail, "/contact/1", "a contact Bob Ray already", name="Bob Ray", email="a@example.org")
    post(mail, "/contact/1", name="Ann Lee", email="ann@example.com")
    assert "ann.lee@example.org: Lunch" in shown(mail, "/"), "her old address is nobody's now"
    post(mail, "/contact/2/delete")
    assert "bob.ray@example.net: Bill" in shown(mail, "/?folder=Archive")
    for method, path in ((get, "/contact/2"), (post, "/contact/2"), (post, "/contact/2/delete")):
        assert method(mail, path).status == 404


def test_a_long_list_of_contacts_has_a_second_page():
    app = Mail()
    app.populate(Random(1), 20)
    first, second = shown(app, "/contacts"), shown(app, "/contacts?q=&start=10")
    assert "Next page" in first
    assert "Next page" not in second
    names = [row["name"] for row in app.rows("SELECT name FROM contact ORDER BY name")]
    assert set(names[:10]) <= set(first)
    assert set(names[10:]) <= set(second)
    assert not set(names[10:]) & set(first)
