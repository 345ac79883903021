"""The page in a real browser: what it shows is what was recorded, and nothing gets in or out."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.replay import Episode, RecordEpisodes, episode_files, load_episode, replay, save_episode, write_page
from potentia.shaping import Chain, Count, PotentialShaping, Scale
from potentia.wrappers import ShapeReward
from tests.replay.worlds import HOSTILE, Corridor

STATE = """() => ({
  place: document.getElementById('place').textContent,
  slider: Number(document.getElementById('slider').value),
  action: document.getElementById('action').textContent,
  caption: document.getElementById('caption').textContent,
  frame: document.getElementById('frame').src,
  text: document.getElementById('text').textContent,
  events: document.getElementById('events-now').textContent,
  terms: Object.fromEntries([...document.getElementById('terms-body').rows].map(row => [row.dataset.term,
    [...row.querySelectorAll('td')].map(cell => cell.title === '' ? null : Number(cell.title))])),
})"""


class Visit:
    """An open page, with all that it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, scheme: str = "light") -> None:
        self.path, self.messages, self.requests = path, [], []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *failed: object) -> None:
        if failed[0] is None:
            assert self.messages == []
            assert [url for url in self.requests if not url.startswith("data:")] == [self.path.as_uri()]
        self.page.close()

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(STATE)
        return found

    def press(self, *keys: str) -> dict[str, Any]:
        for key in keys:
            self.page.keyboard.press(key)
        return self.state()

    def until(self, condition: str) -> None:
        """Waits for a condition; Playwright's own way evaluates text in the page, which the page's policy forbids."""
        for _ in range(600):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"waited too long for {condition}")


def play(env: gym.Env[Any, Any], folder: Path, *episodes: list[int]) -> Path:
    with RecordEpisodes(env, folder) as recorder:
        for actions in episodes:
            recorder.reset(seed=0)
            for action in actions:
                recorder.step(action)
    return replay(folder)


def agrees(state: dict[str, Any], episode: Episode, step: int) -> None:
    """Whether what is shown at a step is what was recorded of it."""
    terms = {name: term for name, term in episode.terms.items() if name != "env"}
    recorded = {"true": episode.true_rewards, **{f"term:{name}": term for name, term in terms.items()}}
    if terms:
        recorded["sum"] = [sum(values) for values in zip(*episode.terms.values(), strict=True)]
    assert list(state["terms"]) == list(recorded)
    for name, values in recorded.items():
        now, so_far, whole = state["terms"][name]
        assert now == (pytest.approx(values[step - 1]) if step else None)
        assert so_far == pytest.approx(sum(values[:step]))
        assert whole == pytest.approx(sum(values))
    assert state["place"] == f"{step} of {episode.length}"
    assert state["slider"] == step
    assert state["action"] == (episode.actions[step - 1] if step else "none: the start")
    assert state["caption"] == (episode.captions[step] or "–")
    assert state["events"] == (", ".join(episode.events[step]) or "–")
    if episode.images:
        picture = base64.b64decode(state["frame"].partition("base64,")[2])
        assert picture == episode.images[episode.frames[step]]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Two shaped episodes in a grid world: in the first a key is picked up."""
    env = gym.make("potentia/DoorKey-5x5-v0", render_mode="rgb_array", disable_env_checker=True)
    shaped = ShapeReward(env, Chain(PotentialShaping("potential"), Scale(Count(), 0.1)), gamma=0.99)
    rng = np.random.default_rng(3)
    actions = rng.integers(0, 6, 120).tolist()
    return play(shaped, tmp_path_factory.mktemp("grid"), actions, [2, 2, 0])


def test_every_step_is_shown_as_it_was_recorded(browser, grid):
    first = load_episode(episode_files(grid.parent)[0])
    assert "picked_up_key" in {name for names in first.events for name in names}
    with Visit(browser, grid) as visit:
        agrees(visit.state(), first, 0)
        for step in range(1, first.length + 1):
            agrees(visit.press("ArrowRight"), first, step)
        agrees(visit.press("ArrowRight"), first, first.length)  # there is no step after the last
        agrees(visit.press("Home"), first, 0)
        agrees(visit.press("Shift+ArrowRight", "ArrowRight", "ArrowLeft"), first, 10)
        agrees(visit.press("End"), first, first.length)


def test_slider_buttons_chart_events_and_list(browser, grid):
    first, second = map(load_episode, episode_files(grid.parent))
    with Visit(browser, grid) as visit:
        page = visit.page
        page.focus("#slider")
        agrees(visit.press("ArrowRight", "ArrowRight"), first, 2)  # once a key, not twice
        page.fill("#slider", "17")
        agrees(visit.state(), first, 17)
        page.get_by_role("button", name="One step on").click()
        agrees(visit.state(), first, 18)
        page.get_by_role("button", name="One step back").click()
        page.get_by_role("button", name="One step back").click()
        agrees(visit.state(), first, 16)
        page.get_by_role("button", name="To the end").click()
        agrees(visit.state(), first, first.length)

        page.locator("#chart").scroll_into_view_if_needed()
        box = page.locator("#chart svg").bounding_box()
        left, right = box["x"] + 54, box["x"] + box["width"] - 12  # the margins of the plot
        page.mouse.click(left + (right - left) * 0.5, box["y"] + 60)
        agrees(visit.state(), first, round(first.length * 0.5))
        page.mouse.down()
        page.mouse.move(left + (right - left) * 0.25, box["y"] + 80, steps=4)
        page.mouse.up()
        agrees(visit.state(), first, round(first.length * 0.25))
        cursor = page.locator(".cursor").bounding_box()
        assert cursor["x"] == pytest.approx(left + (right - left) * 0.25, abs=1.5)

        [(step, name)] = [(k, name) for k, names in enumerate(first.events) for name in names if "key" in name][:1]
        page.get_by_role("button", name=f"{step} {name}").click()
        agrees(visit.state(), first, step)
        assert page.locator("#chart .marker").count() == sum(map(len, first.events))

        page.get_by_role("button", name=re.compile("^Episode 1: ")).click()
        agrees(visit.press("ArrowRight"), second, 1)
        assert page.locator("#episodes [aria-current=true]").get_attribute("aria-label").startswith("Episode 1: ")
        assert "unfinished" in page.locator("#episodes [aria-current=true]").inner_text()


def test_it_plays_pauses_and_stops_at_the_end(browser, grid):
    first = load_episode(episode_files(grid.parent)[0])
    with Visit(browser, grid) as visit:
        page = visit.page
        page.select_option("#speed", "60")
        page.evaluate("document.activeElement.blur()")
        visit.press(" ")
        assert page.get_by_role("button", name="Pause").is_visible()
        visit.until("Number(document.getElementById('slider').value) > 5")
        visit.press(" ")
        stopped = visit.state()["slider"]
        page.wait_for_timeout(100)
        assert visit.state()["slider"] == stopped
        page.get_by_role("button", name="Play", exact=True).click()
        visit.until(f"Number(document.getElementById('slider').value) === {first.length}")
        assert page.get_by_role("button", name="Play", exact=True).is_visible()


def test_hostile_text_is_text(browser, tmp_path):
    path = play(Corridor("ansi", hostile=True), tmp_path, [1, 1, 1, 1])
    episode = load_episode(episode_files(tmp_path)[0])
    hostile = Episode(**{**vars(episode), "world": HOSTILE, "failure": HOSTILE, "labels": {HOSTILE: HOSTILE}})
    hostile = Episode(**{**vars(hostile), "terms": {HOSTILE: [1.0] * 4}, "info": {HOSTILE: [HOSTILE] * 5}})
    save_episode(hostile, tmp_path)
    write_page(episode_files(tmp_path), path)
    with Visit(browser, path) as visit:
        page = visit.page
        agrees(visit.press("ArrowRight", "ArrowRight"), episode, 2)
        assert visit.state()["text"] == HOSTILE + "..@.."
        assert page.locator("#goal").text_content() == HOSTILE
        page.locator("#episodes button").nth(1).click()
        agrees(visit.press("ArrowRight"), hostile, 1)
        assert page.locator("#world").text_content() == HOSTILE
        assert page.title() == f"Replay: Corridor, {HOSTILE}"
        page.locator("#info-box summary").click()
        page.wait_for_timeout(100)
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 1  # the frame's own
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_policy_stops_a_script_that_did_get_in(browser, tmp_path):
    path = play(Corridor(), tmp_path, [1, 1])
    path.write_text(
        path.read_text("utf-8").replace("</header>", "<script>window.hacked = 1</script></header>"), "utf-8"
    )
    visit = Visit(browser, path)
    assert visit.page.evaluate("window.hacked") is None
    assert visit.press("ArrowRight")["place"] == "1 of 2"
    assert "Content Security Policy" in visit.messages[0]
    visit.page.close()


@pytest.mark.parametrize(
    ("options", "id_", "wanted"),
    [
        ({"render_mode": "ansi"}, "text", ".@..."),
        ({}, "text", "cell 1"),
        ({"says": False}, "nothing", "This environment shows neither a picture nor a text."),
    ],
)
def test_without_a_picture_there_is_text(browser, tmp_path, options, id_, wanted):
    path = play(Corridor(**options), tmp_path, [1, 1])
    with Visit(browser, path) as visit:
        visit.press("ArrowRight")
        assert visit.page.locator(f"#{id_}").inner_text() == wanted
        assert not visit.page.locator("#frame").is_visible()


def test_small_pictures_are_enlarged_by_a_whole_number(browser, tmp_path):
    path = play(Corridor("rgb_array"), tmp_path, [1, 1])
    with Visit(browser, path) as visit:
        visit.until("document.getElementById('frame').clientWidth > 20")
        width, height = visit.page.evaluate("[frame.clientWidth, frame.clientHeight]")
        assert (width % 20, width // 20) == (0, height // 4)
        assert visit.page.evaluate("getComputedStyle(frame).imageRendering") == "pixelated"


class Wide(Corridor):
    """A picture that is wider than any window, and lines as long."""

    def render(self) -> Any:
        return "#" * 400 if self.render_mode == "ansi" else np.zeros((40, 2000, 3), np.uint8)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_overflows(browser, grid, tmp_path, width, scheme):
    pages = [grid, play(Wide("rgb_array"), tmp_path / "wide", [1, 1]), play(Wide("ansi"), tmp_path / "long", [1, 1])]
    for path in pages:
        with Visit(browser, path, width, scheme) as visit:
            visit.press("End")
            visit.page.locator("#info-box summary").click()
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
            dark = visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 24)"
            assert dark == (scheme == "dark")


def test_a_wide_picture_has_its_actual_size_too(browser, tmp_path):
    path = play(Wide("rgb_array"), tmp_path, [1, 1])
    with Visit(browser, path, 390) as visit:
        button = visit.page.get_by_role("button", name="Actual size")
        button.wait_for()
        assert visit.page.evaluate("frame.clientWidth") < 390
        button.click()
        assert visit.page.evaluate("frame.clientWidth") == 2000
        assert button.get_attribute("aria-pressed") == "true"
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_thousand_steps_stay_quick(browser, tmp_path):
    steps = 1000
    rng = np.random.default_rng(0)
    terms = {name: rng.normal(size=steps).tolist() for name in ("env", "a", "b", "c", "d")}
    episode = Episode(
        world="long",
        goal="",
        end="truncated",
        actions=[f"action {step}" for step in range(steps)],
        true_rewards=terms["env"],
        terms=terms,
        captions=[f"caption {step}" for step in range(steps + 1)],
        texts=[f"text {step}\n" * 40 for step in range(steps + 1)],
        events=[["event"] if step % 4 == 0 else [] for step in range(steps + 1)],
        info={"x": list(range(steps + 1))},
        frames=[-1] * (steps + 1),
    )
    path = write_page([save_episode(episode, tmp_path)], tmp_path / "replay.html")
    with Visit(browser, path) as visit:
        agrees(visit.press("End"), episode, steps)
        took = visit.page.evaluate("""() => {
            const begun = performance.now();
            for (let step = 0; step < 200; step += 1)
              document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'}));
            document.body.getBoundingClientRect();
            return performance.now() - begun;
        }""")
        assert took / 200 < 33  # 30 steps a second, on a slow machine, too
        agrees(visit.state(), episode, steps - 200)


def test_controls_have_names(browser, grid):
    with Visit(browser, grid) as visit:
        unnamed = visit.page.evaluate("""() => [...document.querySelectorAll('button, input, select, svg[role=img]')]
            .filter(element => !(element.getAttribute('aria-label') || element.textContent.trim() ||
              element.labels?.length)).map(element => element.outerHTML)""")
        assert unnamed == []
        visit.press("ArrowRight")
        told = visit.page.locator("#slider").get_attribute("aria-valuetext")
        assert re.fullmatch(r"Step 1 of \d+, action .+", told)
        assert visit.page.locator("#status").text_content() == told
        assert visit.page.locator("#frame").get_attribute("alt") == "Picture of step 1"
        assert visit.page.get_by_role("img", name=re.compile("^Rewards over")).count() == 1
