"""No way leads out of the task's pages; each attempt is counted; and no page can take the environment down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from potentia.envs.web import WebEnv
from potentia.envs.web.browser.gate import Gate
from potentia.envs.web.http import Response
from tests.envs.web.hostile import HOST, Listener, PageTask
from tests.envs.web.routes import ROUTES, WINDOWS

DRIVERS = ("cdp", "playwright")
both_drivers = pytest.mark.parametrize("driver", DRIVERS)


@pytest.fixture(scope="module")
def outside():
    """Somewhere else, and another port of this machine."""
    listeners = Listener("127.0.0.2"), Listener("127.0.0.1")
    yield listeners
    for listener in listeners:
        listener.close()


@pytest.fixture(scope="module", autouse=True)
def browsers():
    """One browser of each driver stays open, so that not each test starts one."""
    kept = [WebEnv(PageTask({"/": "<p>kept"}), backend=driver, deadline=5.0) for driver in DRIVERS]
    for env in kept:
        env.reset(seed=0)
    yield
    for env in kept:
        env.close()


# Both drivers share the gate, so one of them tries every kind of address.
CASES = [
    (route, where, driver)
    for route, code in ROUTES.items()
    for where in ("elsewhere", "another port", "a name")
    for driver in DRIVERS
    if where == "elsewhere" or (driver == "cdp" and ("ADDRESS" in code or "redirect" in route))
]


@pytest.mark.exhaustive(70)
@pytest.mark.parametrize(("route", "where", "driver"), CASES)
def test_no_way_leads_out_and_each_attempt_is_counted(outside, driver, where, route):
    target = {"elsewhere": outside[0].at, "another port": outside[1].at, "a name": "example.test"}[where]
    code = ROUTES[route].replace("ADDRESS", target)
    before = [listener.hits for listener in outside]
    pages = {
        "/": f'<button onclick="go()">go</button><script>function go() {{ {code} }}</script>',
        "/redirect": Response(302, location=f"http://{target}/"),
        "/file": Response(200, b"content", "application/octet-stream"),
        "/attachment": Response(200, b"content", "application/x-unknown"),
        "/worker.js": Response(200, b"", "text/javascript"),
    }
    env = WebEnv(PageTask(pages), backend=driver, deadline=5.0, observation=("text", "elements", "action_mask"))
    _, info = env.reset(seed=0)
    assert info["blocked"] == 0
    _, reward, terminated, truncated, info = env.step(1)
    for _ in range(3):
        _, reward, terminated, truncated, info = env.step(0)
    if route in ("popup", "own popup", "target"):
        time.sleep(0.2)  # a window is told of by the browser, not by the page
        _, reward, terminated, truncated, info = env.step(0)
    patience = time.monotonic() + 5
    while info["blocked"] == 0 and time.monotonic() < patience:  # an attempt is told of in real time
        time.sleep(0.1)
        _, reward, terminated, truncated, info = env.step(0)
    assert (reward, terminated, truncated, info["failure"]) == (0.0, False, False, "")
    assert info["blocked"] >= 1
    assert [listener.hits for listener in outside] == before
    assert "127.0.0.2" not in env.play.state.title
    state = env.play.state
    assert state.url.startswith(
        (f"http://{HOST}/", f"http://{target}/", f"https://{target}/", "chrome-error:", "http://example")
    )
    _, info = env.reset()
    assert info["blocked"] == 0
    assert env.play.state.find("button", "go") == 0
    env.close()


@both_drivers
@pytest.mark.parametrize("where", WINDOWS)
def test_a_native_interface_is_nowhere_to_be_had(driver, where):
    pages = {
        "/": f"""<p id=a>none</p><button onclick="go()">go</button><script>
        const note = (found) => {{ if (String(found).includes("[native code]")) a.textContent = "native" }};
        function go() {{ {WINDOWS[where]} }}</script>""",
        "/window": "<script>(window.opener || parent).note(RTCPeerConnection)</script>",
    }
    env = WebEnv(PageTask(pages), backend=driver, deadline=5.0, actions="text")
    env.reset(seed=0)
    *_, info = env.step("click(1)")
    time.sleep(0.2)
    *_, info = env.step("noop()")
    assert env.play.state.elements[0].name == "none"
    assert info["failure"] == ""
    assert info["blocked"] == int("window" in where or "one's own" in where)
    env.close()


def test_the_gate_tells_what_it_refused():
    gate = Gate(lambda request: Response(200, b"here"), lambda: frozenset(("here.test",)))
    assert gate.answer("GET", "http://here.test/a?b=c", "").body == b"here"
    for url in (
        "http://here.test:81/",
        "https://here.test/",
        "http://127.0.0.1/",
        "ftp://here.test/",
        "http://x.test/",
    ):
        assert gate.answer("GET", url, "").status == 403
    assert gate.blocked == 5
    assert gate.refused[0] == "GET http://here.test:81/"
    gate.close()


@both_drivers
def test_an_endless_script_ends_the_episode_and_not_the_environment(driver):
    pages = {"/": "<button onclick='while (true) {}'>hang</button>"}
    env = WebEnv(PageTask(pages), backend=driver, deadline=1.0)
    env.reset(seed=0)
    began = time.monotonic()
    _, reward, terminated, truncated, info = env.step(1)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["failure"] == "script timeout"
    assert not info["success"]
    assert time.monotonic() - began < 5
    _, info = env.reset()
    assert info["failure"] == ""
    assert env.play.state.find("button", "hang") == 0
    env.close()


@both_drivers
def test_an_endless_script_at_the_beginning_ends_the_episode_and_says_so(driver):
    env = WebEnv(PageTask({"/": "<script>while (true) {}</script>"}), backend=driver, deadline=0.5)
    _, info = env.reset(seed=0)
    assert info["failure"] == "script timeout"
    _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert (reward, terminated, truncated) == (0.0, False, True)
    env.close()


@both_drivers
@pytest.mark.parametrize(("kind", "failure"), [("renderer", "renderer crashed"), ("browser", "browser lost")])
def test_a_killed_process_ends_the_episode_and_not_the_environment(driver, kind, failure):
    # A deadline of its own gives it a browser of its own.
    env = WebEnv(PageTask({"/": "<button>there</button>"}), backend=driver, deadline=7.0 + (kind == "browser"))
    before = descendants(os.getpid())
    env.reset(seed=0)
    ours = {pid for pid in descendants(os.getpid()) - before if b"--headless" in command(pid)}
    renderers = {pid for pid in ours if b"--type=renderer" in command(pid)}
    main = {pid for pid in ours if b"--type=" not in command(pid)}
    for pid in renderers if kind == "renderer" else main:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    _, reward, terminated, truncated, info = env.step(1)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["failure"] == failure
    _, info = env.reset()
    assert info["failure"] == ""
    assert env.play.state.find("button", "there") == 0
    env.close()


STOPPED = [(driver, kind) for driver in DRIVERS for kind in ("browser", "all")]
STOPPED += [("cdp", kind) for kind in ("renderer", "gpu-process", "utility")]


@pytest.mark.parametrize(("driver", "kind"), STOPPED)
def test_a_stopped_process_is_replaced(driver, kind):
    deadline = 2.0 + STOPPED.index((driver, kind)) / 100  # a browser of its own
    envs = [WebEnv(PageTask({"/": "<button>there</button>"}), backend=driver, deadline=deadline) for _ in range(2)]
    before = descendants(os.getpid())
    for env in envs:
        env.reset(seed=0)
    ours = {pid: command(pid) for pid in descendants(os.getpid()) - before}
    for pid, line in ours.items():
        named = line.partition(b"--type=")[2]
        if b"--headless" in line and (
            kind == "all" or (named.startswith(kind.encode()) if named else kind == "browser")
        ):
            os.kill(pid, signal.SIGSTOP)
    for env in envs:
        *_, info = env.step(1)
        assert info["failure"] in ("script timeout", "browser lost", "")
        _, info = env.reset()
        assert info["failure"] == ""
        assert env.play.state.find("button", "there") == 0
        *_, info = env.step(1)
        assert info["failure"] == ""
        env.close()
    assert not [pid for pid in ours if command(pid)]


def test_a_killed_driver_ends_the_episode_and_not_the_environment():
    env = WebEnv(PageTask({"/": "<button>there</button>"}), backend="playwright", deadline=9.0)
    before = descendants(os.getpid())
    env.reset(seed=0)
    drivers = {pid for pid in descendants(os.getpid()) - before if b"run-driver" in command(pid)}
    assert drivers
    for pid in drivers:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.3)
    _, _, terminated, truncated, info = env.step(1)
    assert (terminated, truncated, info["failure"]) == (False, True, "browser lost")
    env.reset()
    assert env.play.state.find("button", "there") == 0
    env.close()


@both_drivers
def test_a_killed_program_leaves_no_process(driver):
    program = f"""
    import os, signal, gymnasium as gym, potentia
    env = gym.make("potentia/Web-ShopPrice-v0", backend="{driver}")
    env.reset(seed=0)
    print("ready", flush=True)
    signal.pause()
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    started = descendants(process.pid)
    assert any(b"--headless" in command(pid) for pid in started)
    process.kill()
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 10
    while any(command(pid) for pid in started) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in started if command(pid)]


ENDS = {
    "the program's end": "",
    "an error": "raise SystemExit(3)",
    "SIGINT": "os.kill(os.getpid(), signal.SIGINT)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "no ado": "os._exit(0)",
    "a killed browser": "os.system('kill -9 -%d' % env.play.page._lease._held.browser.connection._pid)",
}


@pytest.mark.parametrize(("driver", "end"), [("cdp", end) for end in ENDS] + [("playwright", "SIGTERM")])
def test_however_a_program_ends_it_leaves_no_files(tmp_path, driver, end):
    program = f"""
    import os, signal
    from potentia.envs.web import WebEnv
    env = WebEnv("ShopPrice", backend="{driver}")
    env.reset(seed=0)
    print(len(os.listdir(os.environ["TMPDIR"])), flush=True)
    {ENDS[end]}
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    ended = subprocess.run(
        command, capture_output=True, timeout=60, check=False, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert int(ended.stdout) > 0
    until = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


@both_drivers
def test_a_program_that_closes_nothing_ends(driver):
    program = f"""
    import gymnasium, potentia
    envs = gymnasium.make_vec("potentia/Web-ShopBuy-v0", 2, backend="{driver}")
    envs.reset(seed=0)
    env = gymnasium.make("potentia/Web-ShopBuy-v0", backend="{driver}")
    env.reset(seed=0)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_an_application_that_fails_is_an_error_and_not_a_reward():
    class Broken(PageTask):
        def handle(self, request):
            if request.path == "/broken":
                raise ZeroDivisionError("a bug")
            return super().handle(request)

    env = WebEnv(Broken({"/": "<a href='/broken'>next</a>"}), deadline=5.0)
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="the application failed") as error:
        env.step(1)
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    env.close()


def descendants(pid: int) -> set[int]:
    """The processes that a process started, and those that they did."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return set(children).union(*(descendants(child) for child in children if Path(f"/proc/{child}").exists()))


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
