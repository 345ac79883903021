"""Pages that replace what a reader might rely on, show what is no text, or won't be left: nothing raises or waits."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from potentia.envs.web import WebEnv, WebVectorEnv
from potentia.envs.web.http import Request, Response
from tests.envs.web.hostile import PageTask

DRIVERS = ("cdp", "playwright")
both_drivers = pytest.mark.parametrize("driver", DRIVERS)


@pytest.fixture(scope="module", autouse=True)
def browsers():
    """One browser of each driver stays open, so that not each test starts one."""
    kept = [WebEnv(PageTask({"/": "<p>kept"}), backend=driver, deadline=5.0) for driver in DRIVERS]
    for env in kept:
        env.reset(seed=0)
    yield
    for env in kept:
        env.close()


# What scripts can replace, each by what throws or lies.
THROW = "() => { throw new Error('replaced') }"
REPLACED = {
    "JSON": "JSON.stringify = () => 5; JSON.parse = null",
    "JSON itself": "Object.defineProperty(window, 'JSON', {value: null, configurable: false})",
    "toJSON": f"for (const kind of [Object, Array, String, Number]) kind.prototype.toJSON = {THROW}",
    "arrays": f"for (const name of ['map', 'slice', 'push', 'includes', 'join']) Array.prototype[name] = {THROW}",
    "iteration": f"Array.prototype[Symbol.iterator] = Set.prototype.has = WeakSet.prototype.has = {THROW}",
    "indices": "Object.defineProperty(Object.prototype, '0', {get() { throw 1 }, set() { throw 1 }})",
    "texts": f"for (const name of ['replace', 'trim', 'split', 'toWellFormed']) String.prototype[name] = {THROW}",
    "calls": f"Function.prototype.call = Function.prototype.apply = Function.prototype.bind = {THROW}",
    "reflection": f"Reflect.apply = Reflect.get = Object.defineProperty = Object.keys = {THROW}",
    "numbers": "Math.round = Math.max = Math.min = () => NaN; Math.random = null",
    "clocks": f"Date = null; performance.now = {THROW}; setTimeout = requestAnimationFrame = null",
    "promises": f"Promise = null; fetch = {THROW}",
    "globals": "Set = Map = WeakSet = WeakMap = Event = MouseEvent = Node = Element = Text = null",
    "elements": f"""for (const name of ['getAttribute', 'hasAttribute', 'matches', 'closest', 'getBoundingClientRect'])
        Element.prototype[name] = {THROW};
        for (const name of ['children', 'localName', 'classList'])
        Object.defineProperty(Element.prototype, name, {{get: {THROW}}})""",
    "nodes": f"""for (const name of ['childNodes', 'isConnected', 'parentElement', 'nodeType'])
        Object.defineProperty(Node.prototype, name, {{get: {THROW}}});
        EventTarget.prototype.dispatchEvent = EventTarget.prototype.addEventListener = {THROW}""",
    "the document": f"""document.querySelector = document.elementFromPoint = {THROW};
        for (const name of ['body', 'title', 'activeElement', 'styleSheets'])
        Object.defineProperty(document, name, {{get: {THROW}}})""",
    "the window": f"getComputedStyle = scrollBy = getSelection = {THROW}; innerWidth = innerHeight = 0",
    "a control": f"Object.defineProperty(b, 'value', {{get: {THROW}, set: {THROW}}}); b.focus = b.select = {THROW}",
    "our own name": "try { __potentia = null; delete window.__potentia; window.__potentia = 1 } catch (error) {}",
    "events of ours": """for (const name of ['listens', 'watches', 'probe', 'has-onclick'])
        dispatchEvent(new Event('potentia-' + name)); dispatchEvent(new Event('load'))""",
}
ROWS = "<button onclick=\"this.firstChild.data = 'pressed'\">press</button><input id=b aria-label=box><p>here</p>"


def told(env):
    return [(element.role, element.name, element.value) for element in env.play.state.elements]


@both_drivers
@pytest.mark.parametrize("what", REPLACED)
def test_whatever_a_page_replaces_it_is_read_and_acted_on(driver, what):
    page = f"{ROWS}<script>{REPLACED[what]}</script>"
    env = WebEnv(PageTask({"/": page}), actions="text", backend=driver, deadline=5.0)
    for _ in range(2):
        env.reset(seed=0)
        assert told(env) == [("button", "press", ""), ("textbox", "box", ""), ("text", "here", "")]
        for action in ("click(0)", 'fill(1, "ab")', 'scroll("down")', "drag(0, 2)"):
            *_, info = env.step(action)
            assert (info["failure"], info["action_error"]) == ("", "")
        assert told(env) == [("button", "pressed", ""), ("textbox", "box", "ab"), ("text", "here", "")]
    env.close()


@both_drivers
def test_names_of_controls_hide_nothing_from_the_reader(driver):
    """A form's controls, and a document's images, stand before its own members of the same name."""
    members = ("getAttribute", "hasAttribute", "children", "childNodes", "localName", "matches", "focus", "click",
               "getBoundingClientRect", "tabIndex", "disabled", "checked", "isContentEditable", "classList", "id",
               "parentElement", "dispatchEvent", "nodeType", "type", "value")  # fmt: skip
    controls = "".join(f"<input name={name} aria-label={name} size=1>" for name in members)
    of_document = ("body", "title", "activeElement", "querySelector", "elementFromPoint", "styleSheets", "baseURI",
                   "adoptedStyleSheets", "createComment")  # fmt: skip
    images = "".join(f"<img name={name} alt={name} width=9 height=9>" for name in of_document)
    page = (
        f'<form>words {controls}</form><form role=button aria-label=go onclick="this.title = 1"></form>{images}<p>here'
    )
    env = WebEnv(PageTask({"/": page}), actions="text", backend=driver, deadline=5.0)
    for events in ("trusted", "scripted"):
        env.play.page._trusted = events == "trusted"
        env.reset(seed=0)
        names = [element.name for element in env.play.state.elements]
        assert names == ["words", *members, "go", *of_document, "here"]
        for row in range(len(names)):
            *_, info = env.step(f"click({row})")
            assert info["failure"] == ""
    env.close()


HALVES = {
    "a text": "p.textContent = 'half \\ud83d'",
    "a title": "document.title = '\\udf00 half'",
    "a value": "i.value = 'half \\ud83d'",
    "a name": "i.setAttribute('aria-label', '\\ud83d')",
    "an address": "history.replaceState(0, '', '/?\\ud83d')",
    "a class": "p.className = '\\ud83d'; p.style.cursor = 'pointer'",
}


@both_drivers
@pytest.mark.parametrize("what", HALVES)
def test_half_an_emoji_is_shown_as_what_can_t_be_shown(driver, what):
    env = WebEnv(
        PageTask({"/": f"<p id=p></p><input id=i aria-label=box><script>{HALVES[what]}</script>"}),
        info_keys="all",
        backend=driver,
        deadline=5.0,
    )
    seen = [env.reset(seed=0), env.step(0)[::4]]
    env.close()
    for obs, info in seen:
        assert obs in env.observation_space
        assert info["failure"] == ""
        for text in (obs["text"], info["caption"]):
            text.encode()
    assert seen[0][1]["state_hash"] == seen[1][1]["state_hash"]


def test_half_an_emoji_typed_by_an_agent_is_typed_as_what_can_t_be_shown():
    page = "<input autofocus aria-label=box><form action=/><input name=q aria-label=asked></form>"
    env = WebEnv(PageTask({"/": page}), actions="text", deadline=5.0)
    env.reset(seed=0)
    for action in ('type("\ud83d")', 'fill(1, "a\ud83d")', 'answer("\udf00")', "click(\ud83d)", 'press("\ud83d")'):
        *_, info = env.step(action)
        assert info["failure"] == ""
        info["response"].encode()
        info["action_error"].encode()
    assert [element.value for element in env.play.state.elements] == ["\ufffd", "a\ufffd"]
    env.close()
    plain = WebEnv("MailReply", backend="html", actions="text")
    plain.reset(seed=0)
    plain.step(f"click({plain.play.state.find('link', 'Search')})")
    row = next(row for row, element in enumerate(plain.play.state.elements) if element.role == "textbox")
    plain.step(f'fill({row}, "\ud83d")')
    assert plain.play.state.elements[row].value == "\ufffd"
    plain.step('press("Enter")')
    assert "?q=%EF%BF%BD&" in plain.play.state.url


@both_drivers
def test_boxes_and_values_that_are_no_numbers_and_no_texts(driver):
    page = """<p style="transform: scale(1e38) scale(1e38)">vast</p><p style="transform: rotate(1e39deg)">turned</p>
    <ol><li role=textbox value=3>item</ol><progress role=textbox value=.5 aria-label=bar></progress>
    <meter role=slider value=.25 aria-label=level></meter><div style="position: fixed; left: 9e9px">far</div>"""
    env = WebEnv(PageTask({"/": page}), backend=driver, deadline=5.0)
    obs, _ = env.reset(seed=0)
    assert obs in env.observation_space
    for element in env.play.state.elements:
        assert all(isinstance(number, int) and abs(number) < 2**15 for number in element.box)
        assert isinstance(element.value, str)
    assert {element.name: element.value for element in env.play.state.elements}["level"] == "0.25"
    for action in np.flatnonzero(obs["action_mask"])[:12]:
        *_, info = env.step(int(action))
        assert info["failure"] == ""
    env.close()


LOOP = "() => { for (;;); }"
STAYING = {
    "unload": f"addEventListener('unload', {LOOP})",
    "pagehide": f"addEventListener('pagehide', {LOOP}, true)",
    "beforeunload": f"addEventListener('beforeunload', {LOOP})",
    "visibilitychange": f"document.addEventListener('visibilitychange', {LOOP})",
    "a handler": f"onunload = {LOOP}",
    "another handler": f"document.onvisibilitychange = {LOOP}",
    "a handler of the body": f"document.body.onbeforeunload = {LOOP}",
    "an attribute": "document.body.setAttribute('onunload', 'for (;;);')",
    "a frame": f"document.body.append(document.createElement('iframe')); frames[0].addEventListener('unload', {LOOP})",
    "a handler of handlers": f"""onunload = {LOOP};
        Object.defineProperty(document, 'onvisibilitychange', {{set: {LOOP}}})""",
    "alerts": "addEventListener('beforeunload', (event) => { event.preventDefault(); for (;;) alert(1) })",
    "requests": """addEventListener('pagehide', () => { for (;;) {
        const r = new XMLHttpRequest(); r.open('GET', '/x', false); try { r.send() } catch (error) {} } })""",
    "another page": "addEventListener('pagehide', () => { location.href = '/x' })",
    "windows": "addEventListener('pagehide', () => { for (let i = 0; i < 300; i++) open('/x') })",
    "a flood of windows": "setInterval(() => { for (let i = 0; i < 20; i++) open('/x') }, 20)",
    "a flood of links": """setInterval(() => { for (let i = 0; i < 5; i++) {
        const a = document.createElement('a'); a.href = '/x'; a.target = '_blank'; a.click() } }, 20)""",
    "a flood of alerts": "setInterval(() => alert(1), 20)",
}


@both_drivers
@pytest.mark.parametrize("how", STAYING)
def test_a_page_that_won_t_be_left_delays_nothing(driver, how):
    env = WebEnv(
        PageTask({"/": f"<p>here<script>{STAYING[how]}</script>"}), actions="text", backend=driver, deadline=20.0
    )
    env.reset(seed=0)
    env.step("noop()")
    began = time.monotonic()
    for _ in range(2):
        _, info = env.reset()
        assert info["failure"] == ""
        assert told(env) == [("text", "here", "")]
    assert time.monotonic() - began < 15  # on a busy machine; a single wait for an answer takes 20
    env.close()


AGAIN = "location.reload()"
CHANNEL = (
    "const {port1, port2} = new MessageChannel(); port1.onmessage = () => port2.postMessage(0); port2.postMessage(0)"
)
ENDLESS = {
    "reloads": AGAIN,
    "reloads when it is loaded": f"addEventListener('load', () => {AGAIN})",
    "addresses": "location.href = '/?' + Math.random()",
    "a channel": CHANNEL,
    "timers that double": "(function f() { setTimeout(f, 0); setTimeout(f, 0) })()",
    "microtasks": "(function f() { Promise.resolve().then(f) })()",
}
LIMIT = 3 * (3 * 2.0 + 2.0) + 10
"""Seconds of a reset whose deadline is 2: three tries of three deadlines, what they take to be closed, and a launch."""


class SomeEpisodes(PageTask):
    """A page that is hostile in the episodes of that number, and says "here" in the others."""

    def __init__(self, script, hostile):
        super().__init__({})
        self.script, self.hostile = script, hostile

    def begin(self, seed, index):
        self.now = index in self.hostile
        return super().begin(seed, index)

    def handle(self, request: Request) -> Response:
        return Response(200, f"<p>here{f'<script>{self.script}</script>' if self.now else ''}".encode())


def timed(call, limit):
    began = time.monotonic()
    result = call()
    assert time.monotonic() - began < limit
    return result


def check_endless(env):
    """The first episode is hostile, the second not."""
    obs, info = timed(lambda: env.reset(seed=0), LIMIT)
    if not info["failure"]:  # it may be that no time was left for it to show
        *_, truncated, info = timed(lambda: env.step("noop()"), 10)
    else:
        assert obs in env.observation_space
        assert env.play.state.elements == ()
        *_, terminated, truncated, info = timed(lambda: env.step("noop()"), 1)
        assert not terminated
    assert truncated
    assert info["failure"] in ("script timeout", "page unreadable", "browser lost")
    _, info = timed(env.reset, LIMIT)
    assert info["failure"] == ""
    assert told(env) == [("text", "here", "")]
    assert env.step("noop()")[-1]["failure"] == ""


@pytest.mark.parametrize("what", ENDLESS)
def test_a_page_without_end_ends_its_own_episode_and_no_other(what):
    env = WebEnv(SomeEpisodes(ENDLESS[what], {0}), actions="text", deadline=2.0)
    check_endless(env)
    env.close()


@pytest.mark.parametrize("what", ["reloads", "a channel"])
def test_a_page_without_end_under_playwright(what):
    env = WebEnv(SomeEpisodes(ENDLESS[what], {0}), actions="text", backend="playwright", deadline=2.0)
    check_endless(env)
    env.close()


def test_a_page_that_answers_slowly_for_ever_is_given_up():
    """Each answer comes in time, and there are always more: what is asked for ends after three deadlines."""
    env = WebEnv(PageTask({"/": "<p>here"}), actions="text", deadline=1.0)
    env.reset(seed=0)
    read = env.play.page._tab.read

    async def never_drawn(expression):
        await asyncio.sleep(0.2)
        return False if "drawn" in expression else await read(expression)

    env.play.page._tab.read, env.play.page._watches = never_drawn, True
    *_, truncated, info = timed(lambda: env.step("noop()"), 10)
    assert (truncated, info["failure"]) == (True, "script timeout")
    assert env.reset()[1]["failure"] == ""
    env.close()


def test_a_lost_page_ends_only_its_own_episode_in_a_vector():
    numbers = iter(range(3))
    envs = WebVectorEnv(lambda: SomeEpisodes(AGAIN, {0} if next(numbers) == 1 else ()), 3, actions="text", deadline=2.0)
    _, info = timed(lambda: envs.reset(seed=0), LIMIT)
    assert [bool(failure) for failure in info["failure"]] == [False, True, False]
    for ended in (True, False):  # then it begins anew, in mode NEXT_STEP
        _, _, terminated, truncated, info = envs.step(("noop()",) * 3)
        assert (terminated.tolist(), truncated.tolist()) == ([False] * 3, [False, ended, False])
    assert [str(failure) for failure in info["failure"]] == [""] * 3
    envs.close()
