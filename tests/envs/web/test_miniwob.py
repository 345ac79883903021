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
from tests.envs.web.miniwob_solutions import MOST, SOLUTIONS, UNSOLVED, Player


@pytest.fixture(scope="module", autouse=True)
def browser():
    """An environment that stays open, so that all share one browser."""
    env = WebEnv("MiniWoB-click-test")
    env.reset(seed=0)
    yield
    env.close()


SEEDS = {"tic-tac-toe": (0, 2)}
"""Other seeds than 0 and 1, where the page's dice decide: who plays well does not win every game."""


def test_the_potential_rises_with_texts_that_are_named_and_falls_with_others():
    play = Player("login-user").begin(0)
    seen = [play.info["potential"]]
    for text in (play.quoted[0], "x", play.quoted[1]):
        play.fill(text, nth=len(seen) > 1)
        seen.append(play.info["potential"])
    assert seen == pytest.approx([-1, 1 / 3 - 1, 1 / 3 - 1, 0])
    play.env.close()
    play = Player("enter-password").begin(0)
    seen = [play.info["potential"]]
    for box in (0, 1):
        play.fill(play.quoted[0], nth=box)
        seen.append(play.info["potential"])
    assert seen == pytest.approx([-1, 1 / 2 - 1, 0])
    play.env.close()
    play = Player("click-checkboxes").begin(3)
    named = play.fields
    play.click("checkbox", named[0])
    assert play.info["potential"] == pytest.approx(1 / len(named) - 1)
    play.click("checkbox", next(row.name for row in play.rows if row.role == "checkbox" and row.name not in named))
    assert play.info["potential"] == pytest.approx(1 / (len(named) + 1) - 1)
    play.env.close()
    play = Player("use-autocomplete-nodelay").begin(0)  # Enter an item that starts with "Gu" and ends with "la".
    seen = [play.info["potential"]]
    for text in ("Guam", "Honduras", "Guatemala"):
        play.fill(text)
        seen.append(play.info["potential"])
    assert seen == pytest.approx([-1, 1 / 2 - 1, -1, 0])
    play.env.close()


@pytest.mark.parametrize("page", [page for page in SOLUTIONS if page.startswith("email-inbox")])
def test_the_potential_of_mail_rises_with_every_action_of_a_solution(page):
    play, done = Player(page), Player.do
    for seed in range(4):
        seen = [play.begin(seed).info["potential"]]

        def do(action, seen=seen):
            done(play, action)
            seen.append(play.info["potential"])

        play.do = do
        SOLUTIONS[page](play)
        most = len(seen) + 1
        assert seen == pytest.approx([-left / most for left in range(len(seen) - 1, -1, -1)]), play.goal
    play.env.close()


def test_the_potential_of_mail_falls_with_every_wrong_turn():
    play = Player("email-inbox-forward").begin(1)
    sender, receiver = play.fields
    other = next(play.names[place - 1] for place in range(3, 20) if play.names[place].startswith("Eget"))
    assert other != sender
    left = {}
    for turn, do in {
        "searches": lambda: play.click("text", "open-search"),
        "is back": lambda: play.click("text", "search-cancel"),
        "opens another email": lambda: play.click("text", other),
        "forwards that": lambda: play.click("text", "Forward"),
        "fills in": lambda: play.fill(receiver),
        "closes the form": lambda: play.click("text", "close-forward"),
        "closes the email": lambda: play.click("text", "close-email"),
        "opens the email": lambda: play.click("text", sender),
        "replies": lambda: play.click("text", "Reply"),
        "closes the reply": lambda: play.click("text", "close-reply"),
        "forwards": lambda: play.click("text", "Forward"),
        "spoils the text": lambda: play.fill("x", 1),
        "addresses it": lambda: play.fill(receiver),
        "addresses another": lambda: play.fill(other),
    }.items():
        do()
        left[turn] = round(-6 * play.info["potential"])
    assert left == {
        "searches": 5,
        "is back": 4,
        "opens another email": 5,
        "forwards that": 6,
        "fills in": 6,
        "closes the form": 5,
        "closes the email": 4,
        "opens the email": 3,
        "replies": 4,
        "closes the reply": 3,
        "forwards": 2,
        "spoils the text": 3,
        "addresses it": 2,
        "addresses another": 3,
    }
    play.click("text", "send-forward")
    assert (play.reward, play.terminated, round(-6 * play.info["potential"])) == (-1.0, True, 3)
    play.env.close()


def test_every_page_has_a_solution_or_a_reason():
    assert SOLUTIONS.keys() | UNSOLVED.keys() == MINIWOB_TASKS.keys()
    assert not SOLUTIONS.keys() & UNSOLVED.keys()


@pytest.mark.exhaustive(30)
@pytest.mark.parametrize("page", SOLUTIONS)
def test_a_solution_solves_it(page):
    play = Player(page)
    for seed in SEEDS.get(page, (0, 1)):
        SOLUTIONS[page](play.begin(seed))
        assert (play.terminated, play.info["success"], play.info["potential"]) == (True, True, 0.0), play.goal
        assert MOST.get(page, 1.0) <= play.reward <= 1.0, play.goal
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
    play = Player(page).begin(0)
    mistake(play)
    assert play.terminated
    assert play.reward <= 0
    assert not play.info["success"]
    play.env.close()


@pytest.mark.exhaustive(30)
@pytest.mark.parametrize("page", MINIWOB_TASKS)
def test_every_page_begins_with_a_goal_and_can_be_played(page):
    env = WebEnv(f"MiniWoB-{page}")
    rng = np.random.default_rng(0)
    obs, _ = env.reset(seed=7)
    assert obs["goal"]
    for _ in range(3):
        obs, reward, terminated, truncated, info = env.step(int(rng.choice(np.flatnonzero(obs["action_mask"]))))
        assert obs in env.observation_space
        assert -1 <= reward <= 1
        assert not info["failure"]
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


def test_rewards_may_count_successes_only():
    for reward, expected in (("page", {"ONE": 1.0, "TWO": -1.0}), ("success", {"ONE": 1.0, "TWO": 0.0})):
        env = WebEnv("MiniWoB-click-test-2", reward=reward, actions="text")
        for name, earned in expected.items():
            obs, _ = env.reset(seed=1)
            row = re.search(rf"\[(\d+)\] button '{name}'", obs["text"])[1]
            _, got, terminated, _, info = env.step(f"click({row})")
            assert (got, terminated, info["success"]) == (earned, True, name == "ONE")
        env.close()
    with pytest.raises(ValueError, match="'page' or 'success', got 'dense'"):
        WebEnv("MiniWoB-click-test-2", reward="dense")


def test_what_is_due_when_an_action_ends_does_not_depend_on_luck():
    """The frames of this page's animation are due every 16 ms, also 2000 ms after it began, which is four actions."""
    play, seen = Player("click-pie"), set()
    for _ in range(10):
        play.begin(2)
        for action in ("click(17)", "click(0)", "down_at(76, 102)"):
            play.do(action)
        seen.add(tuple(row.box for row in play.rows))
    play.env.close()
    assert len(seen) == 1


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
