"""The environment: deterministic, the same by every backend, proper in every view of actions and autoreset mode."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.web import TASKS, WebEnv, WebVectorEnv
from potentia.envs.web.actions import KINDS, Action, read_text, write_text
from potentia.envs.web.browser import loop
from potentia.envs.web.browser.tab import pass_time
from potentia.envs.web.elements import FLAGS
from potentia.envs.web.tasks import TEMPLATES, suite
from potentia.envs.web.tasks.app_task import AppTask
from potentia.testing import check_env
from tests.envs.web.hostile import HOST, PageTask

BACKENDS = ("cdp", "playwright", "html")


def draw(env, rng, obs):
    return int(rng.choice(np.flatnonzero(obs["action_mask"])))


def episode_hash(env, seed, steps=12, *, pictures=False):
    """Of all that is seen in an episode of random actions."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(seed)
    obs, info = env.reset(seed=seed)
    for _ in range(steps):
        action = draw(env, rng, obs)
        obs, reward, terminated, truncated, info = env.step(action)
        for name in sorted(obs):
            part = obs[name]
            digest.update(part.encode() if isinstance(part, str) else part.tobytes())
        digest.update(repr((reward, terminated, truncated, info["state_hash"], info["blocked"])).encode())
        if pictures:
            digest.update(env.render().tobytes())
        if terminated or truncated:
            obs, info = env.reset()
    return digest.hexdigest()


@pytest.mark.parametrize("task", ["ShopBuy", "MiniWoB-click-checkboxes", "MiniWoB-enter-date"])
def test_the_same_seed_gives_the_same_pages_and_pictures_in_every_launch(task):
    hashes = set()
    for _ in range(2):
        env = WebEnv(task, render_mode="rgb_array", info_keys="all")
        hashes.add(episode_hash(env, 3, pictures=True))
        hashes.add(episode_hash(env, 3, pictures=True))
        assert episode_hash(env, 4) not in hashes
        env.close()
    assert len(hashes) == 1


@pytest.mark.parametrize("task", ["MiniWoB-moving-items", "MiniWoB-click-menu"])
def test_pages_that_move_or_open_under_the_mouse_repeat(task):
    env = WebEnv(task, info_keys="all")
    assert len({episode_hash(env, 3, steps=8) for _ in range(3)}) == 1
    env.close()


def test_hovering_is_told_when_the_mouse_moves_and_when_the_page_is_read():
    page = """<button id=a style="position:absolute;left:0;top:0">a</button><p id=b style="margin-top:80px"></p>
    <button id=c style="position:absolute;left:0;top:200px">c</button>
    <div id=d style="display:none;position:absolute;left:0;top:0;width:80px;height:80px"><i id=e>e</i></div><script>
    a.onclick = () => { d.style.display = "block" };
    for (const type of ["mouseover", "mouseout", "mouseenter", "mouseleave", "pointerenter"])
      for (const node of [a, c, d]) node.addEventListener(type, (event) => {
        const to = type == "mouseleave" ? event.relatedTarget.localName : "";
        b.textContent += ` ${event.target.id}.${type}${to}`;
      });
    </script>"""
    env = WebEnv(PageTask({"/": page}), actions="text")
    told = set()
    for pause in (0.0, 0.3):
        env.reset(seed=1)
        names = []
        for action in ("click(0)", "noop()", "click(2)", "noop()"):
            env.step(action)
            time.sleep(pause)  # frames come meanwhile
            row = next(element for element in env.play.state.elements if element.role == "text")
            names.append(row.name.split())
        told.add(repr(names))
    env.close()
    assert len(told) == 1, told
    entered = ["a.pointerenter", "a.mouseover", "a.mouseenter"]
    covered = ["d.pointerenter", "a.mouseout", "a.mouseleavediv", "d.mouseover", "d.mouseenter"]
    moved = ["c.pointerenter", "d.mouseout", "d.mouseleavebutton", "c.mouseover", "c.mouseenter"]
    assert names == [entered + covered] * 2 + [entered + covered + moved] * 2


def test_what_comes_with_frames_comes_in_the_same_step_in_every_run():
    """Observers, scroll events and the first focus; only where a page waits for it does a step take a frame."""
    page = """<body style="margin:0;height:2000px"><button onclick="grow()">grow</button>
    <input id=i aria-label=box autofocus><div id=d style="width:50px">box</div><p id=k></p><script>
    const say = (word) => { k.textContent += " " + word };
    const grow = () => { d.style.width = "90px"; setTimeout(() => { d.style.width = "70px" }, 300) };
    new ResizeObserver(() => say("resized" + d.offsetWidth)).observe(d);
    new IntersectionObserver((seen) => say("seen" + seen[0].isIntersecting)).observe(d);
    addEventListener("scroll", (event) => say("scrolled" + scrollY + "at" + event.timeStamp));
    i.onfocus = () => say("focused")</script>"""
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",))
    told = set()
    for pause in (0.0, 0.1, 0.0):
        env.reset(seed=0)
        words = [env.play.state.elements[-1].name.split()]
        for action in ("click(0)", "noop()", 'scroll("down")', 'scroll("up")'):
            *_, info = env.step(action)
            assert info["failure"] == ""
            time.sleep(pause)
            words.append(env.play.state.elements[-1].name.split()[sum(map(len, words)) :])
        told.add(repr(words))
    env.close()
    assert len(told) == 1, told
    assert words == [
        ["focused", "resized50"],
        ["resized90", "seentrue", "resized70"],
        [],
        ["scrolled192at1800", "seenfalse"],
        ["scrolled0at2401", "seentrue"],
    ]


def test_a_step_that_takes_long_takes_no_other_time_than_a_quick_one(monkeypatch):
    """However often the driver looks whether the clock of a busy page still goes."""
    monkeypatch.setattr("potentia.envs.web.browser.tab.STALL", 0.001)
    busy = "setInterval(() => { while (Math.random() < 0.9999); }, 1)"
    env = WebEnv(PageTask({"/": f"<script>{busy}</script>"}), actions="text")
    env.reset(seed=0)
    times = []
    for _ in range(4):
        env.step("noop()")
        times.append(loop.run(env.play.page._tab.evaluate("Date.now()")))
    assert np.diff(times).tolist() == [600, 601, 600]  # 600.377 each
    env.close()


@pytest.mark.parametrize("backend", ["cdp", "playwright"])
def test_a_page_that_may_object_to_being_left_is_left(backend):
    page = "<p>here</p><script>addEventListener('beforeunload', (event) => event.preventDefault())</script>"
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",), backend=backend)
    env.reset(seed=0)
    tab = env.play.page._tab
    for _ in range(5):
        obs, _ = env.reset()
        assert "text 'here'" in obs["text"]
        assert env.play.page._tab is tab  # which would be replaced if it failed
    env.close()


@pytest.mark.parametrize(
    ("moves", "policies"),
    [(True, ["pauseIfNetworkFetchesPending"]), (False, ["pauseIfNetworkFetchesPending", "advance", "pause"])],
)
def test_only_a_clock_that_stands_still_goes_on_despite_requests(monkeypatch, moves, policies):
    monkeypatch.setattr("potentia.envs.web.browser.tab.STALL", 0.01)
    given, clock = [], itertools.count()

    async def play():
        expired = asyncio.get_running_loop().create_future()

        async def call(method, policy, budget=None):
            assert method == "Emulation.setVirtualTimePolicy"
            given.append(policy)
            assert (budget is None) == (policy != "pauseIfNetworkFetchesPending")
            if policy == "advance":
                expired.set_result(None)

        async def evaluate(expression):
            assert expression == "Date.now()"
            if (time := next(clock)) == 5:
                expired.set_result(None)
            return time if moves else 0

        await pass_time(expired, call, evaluate, 600.0)

    asyncio.run(play())
    assert given == policies


def test_clocks_and_chance_are_the_episode_s_own():
    page = """<p id=a></p><p id=b></p><script>
    let ticks = 0; setInterval(() => { ticks++; show() }, 50);
    const show = () => { a.textContent = [Date.now(), new Date().toISOString(), performance.now(), ticks,
      Date().slice(0, 15), typeof Date(), new Date(0).getTime(), new Date() instanceof Date].join(' ') };
    b.textContent = [Math.random(), crypto.getRandomValues(new Uint8Array(4)), performance.now()].join(' '); show()
    </script><div style="width:9px;height:9px;background:red;animation:m 1s infinite alternate"></div>
    <style>@keyframes m { to { margin-left: 90px } }</style>"""
    env = WebEnv(PageTask({"/": page}), render_mode="rgb_array")
    seen = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        for _ in range(5):
            env.step(0)
        names = [element.name for element in env.play.state.elements]
        seen.append((names, env.render().tobytes()))
    env.close()
    assert seen[0] == seen[1]
    assert seen[0][0][0] == seen[2][0][0]  # the clock does not depend on the seed
    assert seen[0][0][1] != seen[2][0][1]
    clock = seen[0][0][0].split(" ")
    assert clock[0] == str(1773651600000 + 6 * 600)
    assert clock[1] == "2026-03-16T09:00:03.600Z"
    assert clock[-3:] == ["string", "0", "true"]


ALIKE = ("goal", "text", "elements", "fields")
VISIBLE = FLAGS.index("visible")


def compared(obs, info):
    """What must not depend on layout."""
    flags = np.delete(obs["flags"], VISIBLE, axis=1)
    arrays = [obs[name] for name in ("goal_bytes", "role", "name_bytes", "value_bytes", "field_bytes")]
    told = [info[key] for key in ("state_hash", "potential", "success", "subgoals", "blocked")]
    reference = info["reference"].split("\n")[0]
    return [obs["goal"], obs["text"], flags.tolist(), [a.tolist() for a in arrays], told, reference,
            info["checklist"].tolist()]  # fmt: skip


@pytest.fixture(scope="module")
def kept_browser():
    """One browser for the tests of this file that open many environments."""
    env = WebEnv("ShopPrice")
    env.reset(seed=0)
    yield
    env.close()


@pytest.mark.exhaustive(14)
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_chromium_and_the_backend_without_browser_see_the_same_up_to_success(kept_browser, name):
    options = {"observation": ALIKE, "actions": "text", "info_keys": "all"}
    envs = [WebEnv(name, backend=backend, **options) for backend in ("cdp", "html")]
    obs_and_info = [env.reset(seed=11) for env in envs]
    for step in range(envs[0].play.task.budget):
        chromium, plain = (compared(obs, info) for obs, info in obs_and_info)
        for seen, known in zip(chromium, plain, strict=True):
            assert seen == known, f"step {step} at {envs[0].play.state.url}"
        action = obs_and_info[0][1]["reference"].split("\n")[0]
        results = [env.step(action) for env in envs]
        assert results[0][1:4] == results[1][1:4]
        if results[0][2]:
            break
        obs_and_info = [(result[0], result[4]) for result in results]
    assert results[0][1:4] == (1.0, True, False)
    assert results[0][4]["success"]
    assert results[0][4]["potential"] == 0.0
    for env in envs:
        env.close()


def test_playwright_sees_the_same(kept_browser):
    envs = [
        WebEnv("ShopBuyTwo", backend=backend, observation=ALIKE, actions="text", info_keys="all")
        for backend in ("cdp", "playwright")
    ]
    obs_and_info = [env.reset(seed=2) for env in envs]
    for _ in range(envs[0].play.task.budget):
        assert compared(*obs_and_info[0]) == compared(*obs_and_info[1])
        assert np.array_equal(obs_and_info[0][0]["box"], obs_and_info[1][0]["box"])
        results = [env.step(obs_and_info[0][1]["reference"].split("\n")[0]) for env in envs]
        obs_and_info = [(result[0], result[4]) for result in results]
        if results[0][2]:
            break
    assert [result[1] for result in results] == [1.0, 1.0]
    for env in envs:
        env.close()


@pytest.mark.parametrize("events", ["trusted", "scripted"])
def test_a_page_can_tell_scripted_events_and_not_trusted_ones(kept_browser, events):
    page = """<button onclick='this.textContent = event.isTrusted'>b</button>
    <input oninput='b.textContent = event.isTrusted'><p id=b>"""
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",), events=events)
    env.reset(seed=0)
    env.step("click(0)")
    env.step('fill(1, "ab")')
    told = [element.name for element in env.play.state.elements]
    assert told == [str(events == "trusted").lower(), "", str(events == "trusted").lower()]
    assert env.play.state.elements[1].value == "ab"
    env.close()


def test_the_whole_keyboard_and_mouse(kept_browser):
    page = """<body style="height:2000px"><input id=i aria-label=box><select aria-label=list><option>x<option>y</select>
    <div id=d style="position:absolute;left:200px;top:100px;width:40px;height:40px" tabindex=0>drag</div>
    <div id=t style="position:absolute;left:20px;top:160px;width:60px;height:60px" tabindex=0>drop</div>
    <p id=k></p><script>const log = []; const say = (w) => { log.push(w); k.textContent = log.join(' ') };
    i.onkeydown = (e) => say(e.key); d.onmousedown = () => say('down'); t.onmouseup = () => say('up');
    onclick = (e) => say(e.clientX + ',' + e.clientY)</script>"""
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",))
    env.reset(seed=0)
    named = {element.name: row for row, element in enumerate(env.play.state.elements)}
    for action in ("click_at(50, 200)", f'fill({named["box"]}, "aB é")', 'type("c")', 'press("Backspace")',
                   'press("ArrowLeft")', f"click({named['y']})", f"drag({named['drag']}, {named['drop']})",
                   'scroll("down")'):  # fmt: skip
        *_, info = env.step(action)
        assert (info["action_error"], info["failure"]) == ("", ""), action
    state = env.play.state
    assert state.elements[named["box"]].value == "aB é"
    assert state.elements[1].value == "y"
    log = next(element.name for element in state.elements if "50,200" in element.name)
    for word in ("50,200", "a", "B", "c", "Backspace", "ArrowLeft", "down", "up"):
        assert word in log.split(), log
    assert state.elements[named["box"]].box[1] < 0
    assert "visible" not in state.elements[named["box"]].flags
    env.close()


def test_the_mouse_draws_with_its_button_held_and_lets_go_at_the_end_of_an_episode(kept_browser):
    page = """<body style="margin:0"><p id=k></p><script>const say = (event) => {
      k.textContent += ` ${event.type[5]}${event.clientX},${event.clientY},${event.buttons}` };
    for (const type of ["mousedown", "mousemove", "mouseup"]) addEventListener(type, say)</script>"""
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",))
    drawn = set()
    for _ in range(2):
        env.reset(seed=0)
        for action in ("move_at(10, 60)", "down_at(20, 70)", "move_at(30, 80)", "up_at(30, 90)", "down_at(5, 95)"):
            *_, info = env.step(action)
            assert (info["action_error"], info["failure"]) == ("", "")
        drawn.add(env.play.state.elements[0].name)
    assert drawn == {
        "m1,1,0 m10,60,0 m20,70,0 d20,70,1 "
        "m22,72,1 m24,74,1 m26,76,1 m28,78,1 m30,80,1 m30,82,1 m30,84,1 m30,86,1 m30,88,1 m30,90,1 u30,90,0 "
        "m5,95,0 d5,95,1"
    }
    views = WebEnv("MiniWoB-draw-line", actions="coordinates").play.view
    read = [views.read([operation, 3, 4, 0], ("a",)) for operation in range(10)]
    assert [write_text(action) for action in read] == [
        "noop()", "click_at(3, 4)", 'type("a")', 'scroll("down")', 'scroll("up")', "back()", 'press("Enter")',
        "move_at(3, 4)", "down_at(3, 4)", "up_at(3, 4)",
    ]  # fmt: skip
    env.close()


def test_what_is_dragged_out_of_sight_arrives(kept_browser):
    page = """<body style="margin:0"><p id=k>_</p><button>here</button><div style="height:3000px"></div>
    <button>there</button><script>
    for (const type of ["mousedown", "mouseup"])
        addEventListener(type, (event) => { k.textContent += " " + type + event.target.textContent })</script>"""
    env = WebEnv(PageTask({"/": page}), actions="text", observation=("text",))
    for action in ("drag(1, 2)", "drag(2, 1)"):
        env.reset(seed=0)
        env.step(action)
        first, second = ("here", "there") if action == "drag(1, 2)" else ("there", "here")
        assert env.play.state.elements[0].name == f"_ mousedown{first} mouseup{second}"
    env.close()


def test_what_follows_a_new_line_is_typed_where_the_form_leads(kept_browser):
    page = "<form action=/{}><input name=a aria-label=box autofocus><textarea aria-label=lines></textarea></form>"
    env = WebEnv(PageTask({"/": page.format("next"), "/next": page.format("")}), actions="text")
    env.reset(seed=0)
    for said, path, values in (
        ('type("ab\\ncd é")', "/next?a=ab", ["cd é", ""]),
        ('fill(1, "one\\ntwo\\n")', "/next?a=ab", ["cd é", "one\ntwo\n"]),
    ):
        *_, info = env.step(said)
        assert (info["action_error"], info["failure"]) == ("", "")
        assert env.play.state.url == f"http://{HOST}{path}"
        assert [element.value for element in env.play.state.elements] == values
    env.close()


def test_keys_to_a_page_that_is_left_meanwhile_are_not_waited_for(kept_browser):
    page = """<input autofocus onkeydown="if (event.key == 'q') location.href = '/next'">"""
    env = WebEnv(PageTask({"/": page, "/next": "<input autofocus aria-label=there>"}), actions="text", deadline=5.0)
    for _ in range(8):
        env.reset(seed=0)
        *_, info = env.step(f'type("q{"abé" * 100}")')
        assert info["failure"] == ""
        assert [(element.name, element.value) for element in env.play.state.elements] == [("there", "")]
    env.close()


def test_actions_as_text_and_back():
    for action in (Action("noop"), Action("click", 3), Action("fill", 3, 'a "b" \n c'), Action("press", text="Enter"),
                   Action("scroll", text="up"), Action("back"), Action("answer", text="7"), Action("type", text="x"),
                   Action("click_at", point=(4, 5)), Action("drag", 1, target=2), Action("move_at", point=(4, 5)),
                   Action("down_at", point=(4, 5)), Action("up_at", point=(4, 5))):  # fmt: skip
        assert read_text(write_text(action)) == action
    assert {read_text(write_text(Action("click", 1))).kind} <= set(KINDS)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("click(x)", "argument"),
        ('click("3")', r"click must be click\(int\)"),
        ("jump(3)", "the actions are noop, click"),
        ('press("F5")', "press must be given one of Enter"),
        ('scroll("left")', "'up' or 'down'"),
        ("__import__('os').system('x')", "name"),
        ("click(1); click(2)", "one action at a time"),
    ],
)
def test_an_action_that_says_nothing_does_nothing_and_is_told(said, wanted):
    env = WebEnv("ShopPrice", backend="html", actions="text")
    obs, _ = env.reset(seed=0)
    after, reward, terminated, truncated, info = env.step(said)
    assert after["text"] == obs["text"]
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["response"] == said
    assert re.search(wanted, info["action_error"]), info["action_error"]
    env.close()


def test_an_action_may_stand_between_tags():
    env = WebEnv("ShopPrice", backend="html", actions="text")
    env.reset(seed=0)
    cart = env.play.state.find("link", "Cart")
    *_, info = env.step(f"<blink>[[1, 2, 3, 4]]</blink><think>the cart</think><link>click({cart})</link>")
    assert info["action_error"] == ""
    assert env.play.state.url == "http://shop.test/cart"
    env.close()


@pytest.mark.parametrize("view", ["discrete", "multidiscrete", "coordinates", "dict", "text"])
def test_every_view_is_a_proper_environment(kept_browser, view):
    check_env(lambda: WebEnv("ShopReview", actions=view, max_steps=8), episodes=1, max_steps=8)


@pytest.mark.parametrize("identifier", ["potentia/Web-ShopBuy-v0", "potentia/MiniWoB-click-tab-2-v0"])
def test_check_env(kept_browser, identifier):
    check_env(identifier, episodes=1, max_steps=10)


@pytest.mark.exhaustive(14)
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_check_env_without_browser(name):
    check_env(lambda: gym.make(f"potentia/Web-{name}-v0", backend="html"), episodes=1, max_steps=10)


@pytest.mark.parametrize("name", sorted(TEMPLATES)[::10])
def test_the_reference_solution_keeps_every_rule_up_to_success(name):
    def follow(env, obs, info):
        return info["reference"].partition("\n")[0]

    def make():
        return gym.make(f"potentia/Web-{name}-v0", backend="html", actions="text")

    assert check_env(make, episodes=1, max_steps=10, solution=follow) == frozenset()


def test_a_task_of_one_s_own_is_made_once_for_each_page_from_its_options():
    made = []

    def star(**options):
        made.append(AppTask("MailStar", **options))
        return made[-1]

    with pytest.raises(ValueError, match="noise: no option of the environment, and the task is made already"):
        WebEnv(AppTask("MailStar"), backend="html", noise=5)
    one, other = (WebEnv(task, backend="html", noise=5, info_keys=("state_hash",)) for task in (star, "MailStar"))
    assert one.reset(seed=1)[1] == other.reset(seed=1)[1]
    envs = WebVectorEnv(star, 3, backend="html", noise=4)
    envs.reset(seed=1)
    assert [task.noise for task in made] == [5, 4, 4, 4]
    assert len({id(task) for task in made}) == 4


def test_every_task_has_an_id():
    assert set(TEMPLATES) | {name for name in TASKS if name.startswith("MiniWoB-")} == set(TASKS)
    for name in TASKS:
        identifier = f"potentia/{name}-v0" if name.startswith("MiniWoB-") else f"potentia/Web-{name}-v0"
        assert identifier in gym.registry


def test_works_within_a_running_event_loop_and_in_threads():
    async def within():
        env = WebEnv("ShopPrice")
        env.reset(seed=0)
        url = env.play.state.url
        env.close()
        return url

    assert asyncio.run(within()) == "http://shop.test/"
    found = []

    def play():
        env = WebEnv("ShopPrice")
        env.reset(seed=1)
        found.append(env.play.task.goal)
        env.close()

    threads = [threading.Thread(target=play) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1


def test_works_in_processes_of_an_async_vector_environment():
    # Gymnasium 1.2 reads texts from shared memory once, when it is made, and never again.
    options = {"shared_memory": False}
    envs = gym.make_vec("potentia/Web-ShopPrice-v0", 2, vectorization_mode="async", vector_kwargs=options)
    obs, _ = envs.reset(seed=0)
    single = WebEnv("ShopPrice")
    assert obs["goal"][1] == single.reset(seed=1)[0]["goal"]
    single.close()
    envs.close()


def test_many_pages_share_one_browser():
    envs = WebVectorEnv("ShopPrice", 4)
    envs.reset(seed=0)
    browsers = {id(play.page._lease._held.browser) for play in envs.plays}
    assert len(browsers) == 1
    envs.close()
    envs.close()


def test_a_page_lost_in_a_vector_ends_only_its_own_episode():
    envs = WebVectorEnv("ShopPrice", 3, deadline=6.0, autoreset_mode="SameStep")
    envs.reset(seed=0)
    from potentia.envs.web.browser import loop
    from potentia.envs.web.browser.failure import PageFailure

    async def crash():
        with pytest.raises(PageFailure):
            await envs.plays[1].page._tab._call("Page.crash")

    loop.run(crash())
    _, rewards, terminated, truncated, infos = envs.step(np.ones(3, np.int64))
    assert terminated.tolist() == [False] * 3
    assert truncated.tolist() == [False, True, False]
    assert infos["final_info"]["failure"][1] == "renderer crashed"
    assert rewards.tolist() == [0.0] * 3
    _, _, _, truncated, infos = envs.step(np.ones(3, np.int64))
    assert truncated.tolist() == [False] * 3
    assert list(infos["failure"]) == ["", "", ""]
    envs.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "ShopBy"}, "there is no web task 'ShopBy'; there are"),
        ({"backend": "selenium"}, "backend must be one of 'cdp', 'playwright', 'html', got 'selenium'"),
        ({"actions": "words"}, "actions must be one of discrete"),
        ({"observation": ("picture",)}, "observation must be made of goal, text"),
        ({"actions": "text", "observation": ("action_mask",)}, "has no mask"),
        ({"info_keys": ("distance",)}, "info_keys must be among"),
        ({"rows": 0}, "rows must be at least 1, got 0"),
        ({"noise": 2}, "noise must be from 3 to 20 rows, got 2"),
        ({"colour": "red"}, "has no such option"),
        ({"task": "MiniWoB-click-test", "backend": "html"}, "run scripts"),
        ({"render_mode": "human", "executable": None}, "needs a display"),
        ({"deadline": 0}, "deadline must be more than 0"),
    ],
)
def test_wrong_arguments_say_what_was_wanted(monkeypatch, options, message):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ValueError, match=message):
        WebEnv(**{"task": "ShopBuy", **options})


def test_without_a_browser_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="apt-get install --no-install-recommends chromium-headless-shell"):
        WebEnv("ShopBuy")
    with pytest.raises(FileNotFoundError, match="there is no browser '/nowhere'"):
        WebEnv("ShopBuy", executable="/nowhere")


@pytest.mark.parametrize("backend", ["cdp", "playwright"])
def test_a_person_can_watch(monkeypatch, backend):
    """In a window on a display that nobody looks at."""
    if shutil.which("Xvfb") is None or shutil.which("chromium") is None:
        pytest.skip("needs Xvfb and a Chromium with windows")
    ready, told = os.pipe()
    command = ["Xvfb", "-displayfd", str(told), "-screen", "0", "1000x900x24"]
    display = subprocess.Popen(command, pass_fds=(told,), stderr=subprocess.DEVNULL)
    os.close(told)
    with os.fdopen(ready) as line:
        monkeypatch.setenv("DISPLAY", f":{line.readline().strip()}")
    env = WebEnv("ShopPrice", render_mode="human", backend=backend, actions="text")
    env.reset(seed=0)
    began = time.monotonic()
    *_, info = env.step("noop()")
    assert time.monotonic() - began >= 0.25
    assert info["failure"] == ""
    assert env.render() is None
    env.close()
    display.terminate()
    display.wait()


def test_the_suite_by_difficulty_application_and_tag():
    names = [name for difficulty in ("easy", "medium", "hard") for name in suite(difficulty=difficulty)]
    assert sorted(names) == sorted(TEMPLATES)
    assert "ShopPrice" in suite(app="shop", tag="question")
    with pytest.raises(ValueError, match="difficulties are easy, medium and hard, applications admin, calendar"):
        suite(app="bank")


def test_registering_imports_neither_jinja_nor_playwright():
    program = "import sys, potentia; print([m for m in ('jinja2', 'playwright', 'PIL') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_without_a_browser_no_pictures_are_promised():
    env = WebEnv("ShopBuy", backend="html")
    assert env.metadata["render_modes"] == []
    assert WebEnv.metadata["render_modes"] == ["rgb_array", "human"]
    for make in (WebEnv, WebVectorEnv):
        for mode in ("rgb_array", "human"):
            with pytest.raises(TypeError, match=f"draws nothing, so it takes no render_mode, got '{mode}'"):
                make("ShopBuy", backend="html", render_mode=mode)


def test_who_asks_for_pictures_first_and_goes_on_without_gets_an_environment():
    """Stable-Baselines3 asks for "rgb_array", and again without when it is told that there is no such argument."""
    make_vec_env = pytest.importorskip("stable_baselines3.common.env_util").make_vec_env
    options = {"backend": "html", "observation": ("elements",)}
    envs = make_vec_env("potentia/Web-ShopBuy-v0", n_envs=2, env_kwargs=options)
    assert envs.render_mode is None
    assert envs.reset()["role"].shape == (2, 64)
    envs.close()


def test_a_step_before_the_first_reset_is_an_error():
    env = WebEnv("ShopBuy", backend="html")
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        env.step(0)
