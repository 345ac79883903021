"""What a page keeps lasts as long as the episode and no longer, and the same seed gives the same chance and time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from potentia.envs.web import WebEnv
from tests.envs.web.hostile import PageTask

ROOT = Path(__file__).parents[3]
both_drivers = pytest.mark.parametrize("driver", ["cdp", "playwright"])


@pytest.fixture(scope="module", autouse=True)
def browsers():
    """One browser of each driver stays open, so that not each test starts one."""
    kept = [WebEnv(PageTask({"/": "<p>kept"}), backend=driver, deadline=5.0) for driver in ("cdp", "playwright")]
    for env in kept:
        env.reset(seed=0)
    yield
    for env in kept:
        env.close()


# What a page finds when it is loaded, as JavaScript that says it; and what it does to keep something. Each is a way in
# which something could get from one episode into the next.
DATABASE = """const ask = indexedDB.open("d", 1);
ask.onupgradeneeded = () => ask.result.createObjectStore("s");
ask.onsuccess = () => { const kept = ask.result.transaction("s", "readwrite"), store = kept.objectStore("s");
  const old = store.get("k"); store.put("kept", "k"); kept.oncomplete = () => %s(String(old.result)) };"""
KEEPING = {
    "localStorage": ("say(String(localStorage.k))", "localStorage.k = 'kept'"),
    "sessionStorage": ("say(String(sessionStorage.k))", "sessionStorage.setItem('k', 'kept')"),
    "window.name": ("say(window.name)", "name = 'kept'"),
    "cookies": ("say(document.cookie)", "document.cookie = 'k=kept'"),
    "lasting cookies": ("say(document.cookie)", "document.cookie = 'k=kept; max-age=9999; path=/'"),
    "indexedDB": (DATABASE % "say", ""),
    "a worker's indexedDB": (
        f"const w = new Worker(URL.createObjectURL(new Blob([{json.dumps(DATABASE % 'postMessage')}])));"
        "w.onmessage = (event) => say(event.data)",
        "",
    ),
    "history": ("say(history.length + ':' + history.state)", "history.pushState('kept', '', '/?2')"),
    "the state of an entry": (
        "say(navigation.entries().map((entry) => entry.getState()).join())",
        "navigation.updateCurrentEntry({state: 'kept'})",
    ),
    "what is stored when the page is left": (
        "say(String(localStorage.k))",
        "addEventListener('pagehide', () => { localStorage.k = 'kept' })",
    ),
    "what is stored by a handler": ("say(String(localStorage.k))", "onpagehide = () => { localStorage.k = 'kept' }"),
    "what a frame stores": (
        "const f = document.createElement('iframe'); document.body.append(f);"
        "say(String(f.contentWindow.localStorage.k))",
        "f.contentWindow.localStorage.k = 'kept'",
    ),
    "what a frame stores when it is left": (
        "say(String(localStorage.k))",
        "const f = document.createElement('iframe'); document.body.append(f);"
        "f.contentWindow.addEventListener('pagehide', () => { localStorage.k = 'kept' })",
    ),
    "what a body's attribute does": (
        "say(String(localStorage.k))",
        "document.body.setAttribute('onunload', 'localStorage.k = 1')",
    ),
}
SHOW = (
    "<p id=a></p><a href=/next>next</a><script>const say = (text) => {{ a.textContent = '_' + text }}; {}; {}</script>"
)


def said(env):
    """What the page says it found; a worker and a database take time of the real clock."""
    for _ in range(200):
        if (name := env.play.state.elements[0].name).startswith("_"):
            return name
        time.sleep(0.01)
        env.step("noop()")
    raise AssertionError("it says nothing")


@both_drivers
@pytest.mark.parametrize("way", KEEPING)
def test_nothing_that_a_page_keeps_survives_the_episode(driver, way):
    found, keep = KEEPING[way]
    pages = {"/": SHOW.format(found, keep), "/next": SHOW.format(found, "")}
    env = WebEnv(PageTask(pages, budget=1000), actions="text", observation=("text",), backend=driver, deadline=5.0)
    episodes = []
    for _ in range(4):
        env.reset(seed=0)
        episodes.append([said(env)])
        env.step("click(1)")
        episodes[-1].append(said(env))
    env.close()
    assert episodes == [episodes[0]] * 4
    first, second = episodes[0]
    assert "kept" not in first
    if way not in ("history", "the state of an entry", "a worker's indexedDB") and "attribute" not in way:
        assert "kept" in second, "within the episode it lasts"


@both_drivers
def test_a_page_that_keeps_nothing_keeps_its_tab(driver):
    env = WebEnv(PageTask({"/": "<a href=/>again</a>"}), actions="text", backend=driver, deadline=5.0)
    env.reset(seed=0)
    tab = env.play.page._tab
    for _ in range(3):
        env.step("click(0)")
        env.reset()
    assert env.play.page._tab is tab
    env.close()


CHANCE = "[Math.random(), crypto.getRandomValues(new Uint8Array(4)).join()]"
CLOCKS = """[Date.now(), new Date().getTime(), performance.timeOrigin,
  globalThis.Temporal ? Temporal.Now.instant().epochMilliseconds : Date.now(),
  Date.parse("2026-03-16 " + new Intl.DateTimeFormat("en", {timeStyle: "long", timeZone: "UTC"}).format())]"""
WORKER = f"postMessage([{CHANCE}, {CLOCKS}])"
NESTED = f"""const w = new Worker(URL.createObjectURL(new Blob([{json.dumps(WORKER)}])));
w.onmessage = (event) => postMessage(event.data)"""
SHARED = f"onconnect = (event) => {{ const postMessage = (data) => event.ports[0].postMessage(data); {WORKER} }}"
CHANCES = """<p id=a></p><script>
const told = (name) => (event) => { found[name] = event.data; a.textContent = JSON.stringify(found) };
const url = (code) => URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
const found = {page: [[Math.random(), crypto.getRandomValues(new Uint8Array(2)).join(),
  Crypto.prototype.getRandomValues.call(crypto, new Uint8Array(2)).join()], CLOCKS.concat(
  [performance.timing.navigationStart, Date.parse(document.lastModified + " UTC")])]};
new Worker(url(WORKER)).onmessage = told("classic");
new Worker(url(WORKER), {type: "module"}).onmessage = told("module");
new Worker("/worker.js").onmessage = told("file");
new Worker(url(NESTED)).onmessage = told("nested");
new SharedWorker(url(SHARED)).port.onmessage = told("shared");
</script>"""
LAUNCH = """
import json, sys, time
from potentia.envs.web import WebEnv
from potentia.envs.web.http import Response
from tests.envs.web.hostile import PageTask
page, worker, driver = json.loads(sys.argv[1])
pages = {"/": page, "/worker.js": Response(200, worker.encode(), "text/javascript")}
env = WebEnv(PageTask(pages), actions="text", observation=("text",), backend=driver)
for seed in (1, 2, 1):
    env.reset(seed=seed)
    for _ in range(100):
        env.step("noop()")
        if len(found := json.loads(env.play.state.elements[0].name or "[]")) == 6:
            break
        time.sleep(0.05)
    print(json.dumps(found))
env.close()
"""


@both_drivers
def test_chance_and_time_are_the_episode_s_own_in_workers_and_pages_in_every_launch(driver):
    """Playwright lets workers go at once: there, the browser seeds their ``Math.random``, and that alone."""
    page = CHANCES.replace("CLOCKS", CLOCKS)
    for name, code in (("(WORKER", WORKER), ("(NESTED", NESTED), ("(SHARED", SHARED)):
        page = page.replace(name, "(" + json.dumps(code))
    command = [sys.executable, "-c", LAUNCH, json.dumps([page, WORKER, driver])]
    told = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout for _ in range(2)]
    episodes = [json.loads(line) for launch in told for line in launch.splitlines()]
    assert {len(found) for found in episodes} == {6}
    for found in episodes:
        for _, clocks in found.values():  # when a worker begins, the real clock decides
            assert all(0 <= clock - 1773651600000 < 60_000 for clock in clocks), found
        assert {clock // 1000 for clock in found["page"][1]} == {1773651600}
    chances = []
    for found in episodes:
        some = {
            name: chance if driver == "cdp" or name == "page" else chance[:1] for name, (chance, _) in found.items()
        }
        chances.append(some)
    first, other = chances[:2]
    assert chances == [first, other, first] * 2
    assert first["page"] != other["page"]
    assert (first["nested"] != other["nested"]) == (driver == "cdp")
