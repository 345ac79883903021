"""MiniWoB++: scripted solutions solve pages of many kinds by the public actions, and all pages begin."""

from __future__ import annotations

import re

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.web import WebEnv
from potentia.envs.web.catalogue import MINIWOB_TASKS
from potentia.envs.web.miniwob.goals import named_texts
from potentia.envs.web.miniwob.soft import SOFT
from potentia.envs.web.miniwob.task import MiniWobTask
from potentia.testing import check_env


@pytest.fixture(scope="module", autouse=True)
def browser():
    """An environment that stays open, so that all share one browser."""
    env = WebEnv("MiniWoB-click-test")
    env.reset(seed=0)
    yield
    env.close()


class Player:
    """Plays a page by the text view; refers to rows by role and name."""

    def __init__(self, page, seed):
        self.env = WebEnv(f"MiniWoB-{page}", actions="text", rows=100, observation=("goal",), max_steps=60)
        self.info = self.env.reset(seed=seed)[1]
        self.reward, self.terminated = 0.0, False

    @property
    def rows(self):
        return self.env.play.state.elements

    @property
    def goal(self):
        return self.env.play.task.goal

    @property
    def quoted(self):
        return re.findall(r'"([^"]+)"', self.goal)

    def find(self, role, name=None, nth=0):
        """The row of the nth element with this role and name; None if there is none."""
        rows = [
            index
            for index, row in enumerate(self.rows)
            if row.role == role and (name is None or row.name.strip() == name)
        ]
        return rows[nth] if len(rows) > nth else None

    def do(self, action):
        assert not self.terminated, f"{self.goal}: over before {action}"
        _, self.reward, self.terminated, _, self.info = self.env.step(action)
        assert self.info["action_error"] == self.info["failure"] == ""

    def click(self, role, name=None, nth=0):
        """Clicks a row, once it is there."""
        for _ in range(20):
            if (row := self.find(role, name, nth)) is not None:
                break
            self.do("noop()")
        assert row is not None, f"{self.goal}: no {role} {name!r}:\n{self.info['caption']}"
        self.do(f"click({row})")

    def fill(self, text, nth=0):
        self.do(f'fill({self.find("textbox", nth=nth)}, "{text}")')


def click_button(play):
    play.click("button", play.quoted[0])


def click_checkboxes(play):
    listed = re.fullmatch(r"Select (.+) and click Submit\.", play.goal)[1]
    for name in () if listed == "nothing" else listed.split(", "):
        play.click("checkbox", name)
    play.click("button", "Submit")


def click_option(play):
    play.click("radio", re.fullmatch(r"Select (.+) and click Submit\.", play.goal)[1])
    play.click("button", "Submit")


def choose_list(play):
    play.click("option", re.fullmatch(r"Select (.+) from the list and click Submit\.", play.goal)[1])
    play.click("button", "Submit")


def enter_text(play):
    play.fill(play.quoted[0])
    play.click("button", "Submit")


def enter_password(play):
    play.fill(play.quoted[0])
    play.fill(play.quoted[0], 1)
    play.click("button", "Submit")


def login_user(play):
    play.fill(play.quoted[0])
    play.fill(play.quoted[1], 1)
    play.click("button", "Login")


def enter_moment(play):
    play.fill(play.env.play.task.fields[1])
    play.click("button", "Submit")


def click_tab(play):
    play.click("link", re.search(r"Tab #\d", play.goal)[0])


def tab_with_link(play):
    for tab in range(1, 4):
        play.click("link", f"Tab #{tab}")
        if play.find("text", play.quoted[0]) is not None:
            break
    play.click("text", play.quoted[0])


def section_with_link(play):
    for section in range(1, 4):
        play.click("heading", f"Section #{section}")
        for _ in range(8):
            play.do("noop()")
        if play.find("text", play.quoted[0]) is not None:
            break
    play.click("text", play.quoted[0])


def click_dialog(play):
    play.click("button", "Close")


def autocomplete(play):
    begin, end = play.quoted
    play.fill(begin)
    for _ in range(8):
        play.do("noop()")
    names = [row.name for row in play.rows if row.name.startswith(begin) and row.name.endswith(end)]
    play.click("text", names[0])
    play.click("button", "Submit")


def search_engine(play):
    play.fill(play.quoted[0])
    play.click("button", "Search")
    wanted = int(re.search(r"the (\d+)", play.goal)[1]) - 1
    page, place = divmod(wanted, 3)
    if page:
        play.click("link", str(page + 1))
    play.click("link", nth=place)


def forward(play):
    """Icons have no words: they go by their classes."""
    sender, receiver = play.env.play.task.fields[:2]
    play.click("text", sender)
    play.click("text", "Forward")
    play.fill(receiver)
    play.click("text", "send-forward")


def star(play):
    sender = play.env.play.task.fields[0]
    names = [row.name for row in play.rows]
    play.do(f"click({names.index('star', names.index(sender))})")


def drag_box(play):
    play.do(f"drag({play.find('text', 's')}, {play.find('text', 'L')})")
    play.click("button", "Submit")


def use_spinner(play):
    wanted = int(re.search(r"-?\d+", play.goal)[0])
    for _ in range(abs(wanted)):
        play.click("button", "", 0 if wanted > 0 else 1)
    play.click("button", "Submit")


def focus_text(play):
    play.click("textbox")


SOLUTIONS = {
    "click-button": click_button,
    "click-checkboxes": click_checkboxes,
    "click-checkboxes-large": click_checkboxes,
    "click-option": click_option,
    "choose-list": choose_list,
    "enter-text": enter_text,
    "enter-text-dynamic": enter_text,
    "enter-password": enter_password,
    "enter-date": enter_moment,
    "enter-time": enter_moment,
    "login-user": login_user,
    "click-tab": click_tab,
    "click-tab-2": tab_with_link,
    "click-collapsible-2": section_with_link,
    "click-dialog": click_dialog,
    "use-autocomplete": autocomplete,
    "search-engine": search_engine,
    "email-inbox-forward-nl": forward,
    "email-inbox-important": star,
    "drag-box": drag_box,
    "use-spinner": use_spinner,
    "focus-text": focus_text,
}


def test_the_potential_rises_with_texts_that_are_named_and_falls_with_others():
    play = Player("login-user", 0)
    seen = [play.info["potential"]]
    for text in (play.quoted[0], "x", play.quoted[1]):
        play.fill(text, nth=len(seen) > 1)
        seen.append(play.info["potential"])
    assert seen == pytest.approx([-1, 1 / 2 - 1, 1 / 3 - 1, 0])
    play.env.close()
    play = Player("click-checkboxes", 3)
    named = play.env.play.task.fields
    play.click("checkbox", named[0])
    assert play.info["potential"] == pytest.approx(1 / len(named) - 1)
    play.click("checkbox", next(row.name for row in play.rows if row.role == "checkbox" and row.name not in named))
    assert play.info["potential"] == pytest.approx(1 / (len(named) + 1) - 1)
    play.env.close()


@pytest.mark.parametrize("page", SOLUTIONS)
def test_a_solution_solves_it(page):
    for seed in (0, 1):
        play = Player(page, seed)
        SOLUTIONS[page](play)
        assert (play.reward, play.terminated, play.info["success"]) == (1.0, True, True), play.goal
        assert play.info["potential"] == 0.0
        play.env.close()


@pytest.mark.parametrize(
    ("page", "mistake"),
    [
        ("click-test-2", lambda play: play.click("button", "TWO")),
        ("enter-text", lambda play: play.click("button", "Submit")),
        ("login-user", lambda play: play.click("button", "Login")),
        ("click-tab", lambda play: play.click("link", f"Tab #{int(re.search('[0-9]', play.goal)[0]) % 3 + 1}")),
        ("use-spinner", lambda play: play.click("button", "Submit")),
        ("enter-date", lambda play: (play.fill("1999-01-01"), play.click("button", "Submit"))),
    ],
)
def test_a_mistake_ends_it_without_success(page, mistake):
    play = Player(page, 0)
    mistake(play)
    assert play.terminated
    assert play.reward <= 0
    assert play.info["success"] is False
    play.env.close()


def test_every_page_begins_with_a_goal_and_can_be_played():
    for page in MINIWOB_TASKS:
        env = WebEnv(f"MiniWoB-{page}")
        rng = np.random.default_rng(0)
        obs, _ = env.reset(seed=7)
        assert obs["goal"], page
        for _ in range(3):
            obs, reward, terminated, truncated, info = env.step(int(rng.choice(np.flatnonzero(obs["action_mask"]))))
            assert obs in env.observation_space
            assert -1 <= reward <= 1
            assert not info["failure"], page
            if terminated or truncated:
                break
        env.close()


def begun(env, seed):
    """What is seen at the beginning of an episode and after two actions."""
    obs, _ = env.reset(seed=seed)
    seen = [(obs["goal"], *(obs[part].tolist() for part in ("role", "box", "flags", "name_bytes", "value_bytes")))]
    for action in (1, 2):
        obs, reward, terminated, *_ = env.step(action)
        seen.append((reward, terminated, *(obs[part].tolist() for part in ("role", "box", "flags", "value_bytes"))))
        if terminated:
            break
    return seen


@pytest.mark.skipif(not SOFT, reason="no page is proven")
def test_going_on_in_the_page_gives_what_a_fresh_load_gives():
    for page in sorted(SOFT)[::14]:
        envs = [WebEnv(MiniWobTask(page, always_fresh=fresh)) for fresh in (False, True)]
        rng = np.random.default_rng(0)
        for seed in range(3):
            first, second = (begun(env, seed) for env in envs)
            assert first == second, page
            for _ in range(2):
                envs[0].step(int(rng.integers(1, 6)))
        for env in envs:
            env.close()


@pytest.mark.parametrize("page", ["click-checkboxes", "enter-text", "click-shape", "social-media", "use-slider"])
def test_both_drivers_see_the_same(page):
    pytest.importorskip("playwright")
    tables = []
    for backend in ("cdp", "playwright"):
        env = WebEnv(f"MiniWoB-{page}", backend=backend)
        obs, _ = env.reset(seed=5)
        tables.append((obs["goal"], *(obs[part].tolist() for part in ("role", "box", "flags", "name_bytes"))))
        env.close()
    assert tables[0] == tables[1]


@pytest.mark.parametrize("page", ["click-button", "enter-text", "use-slider"])
def test_the_environment_is_proper(page):
    check_env(f"potentia/MiniWoB-{page}-v0", episodes=1, max_steps=3)


def test_an_unknown_page_is_named():
    with pytest.raises(ValueError, match="no MiniWoB page 'click-nothing'"):
        MiniWobTask("click-nothing")


def test_the_time_limit_truncates():
    env = gym.make("potentia/MiniWoB-click-button-v0", max_steps=2)
    env.reset(seed=0)
    assert [env.step(0)[2:4] for _ in range(2)] == [(False, False), (False, True)]
    env.close()


@pytest.mark.parametrize(
    ("goal", "stressed", "texts"),
    [
        ('Type "kenda" in all upper case letters in the text input and press Submit.', (), ("KENDA", "kenda")),
        ("Enter 12:05 AM as the time and press submit.", (), ("12:05 AM", "00:05")),
        ("Enter 09/02/2013 as the date and hit submit.", (), ("09/02/2013", "2013-09-02")),
        (
            "Book the shortest one-way flight from: Helena, MT to: MFR on 11/30/2016.",
            (),
            ("Helena, MT", "MFR", "11/30/2016", "2016-11-30"),
        ),
        ("Find the email by Sara and forward that email to Leila.", ("Sara", "Leila"), ("Sara", "Leila")),
        ('Choose 6ft 1in from the dropdown, then click the button labeled "Maybe".', (), ("Maybe", "6ft 1in")),
        ("Select 1bX, r2 and click Submit.", (), ("1bX", "r2")),
        ("Guess the number between 0-9 and press Submit.", (), ()),
        ("Set the sliders to the combination [0,13,20] and submit.", (), ("0", "13", "20")),
        ("Select -3 with the spinner and hit Submit.", (), ("-3",)),
    ],
)
def test_the_texts_that_a_goal_names(goal, stressed, texts):
    assert named_texts(goal, stressed=stressed) == texts
