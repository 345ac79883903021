"""The sandbox of edited code: what gets out, what can be forged, and what it does without a kernel's help."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from potentia.envs.text.code_repair import sandbox as sandbox_module
from potentia.envs.text.code_repair.package import split
from potentia.envs.text.code_repair.sandbox import Outcome, Sandbox, SandboxUnavailableError
from tests.envs.text.escapes import FORBIDDEN, FORGERIES, HARMLESS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="seccomp is Linux's"
)

TESTS = "import evil\n\ndef test_attempt():\n    yield evil.attempt()\n\ndef test_after():\n    yield evil.honest()\n"
NAMES = ("test_attempt", "test_after")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox("kernel")
    yield made
    made.close()


@pytest.fixture(scope="module")
def loose() -> Iterator[Sandbox]:
    made = Sandbox("limits")
    yield made
    made.close()


def attempt(sandbox: Sandbox, body: str) -> tuple[Outcome, ...]:
    source = f"def attempt():\n{textwrap.indent(body, '    ')}\n\ndef honest():\n    return 7\n"
    return sandbox.run((("evil", source),), TESTS, NAMES)


def test_there_are_more_than_thirty_attempts() -> None:
    assert len(HARMLESS) + len(FORBIDDEN) >= 50


@pytest.mark.parametrize("name", HARMLESS)
def test_nothing_gets_out(sandbox: Sandbox, name: str) -> None:
    """And the test after it still runs."""
    outcome, after = attempt(sandbox, HARMLESS[name])
    assert outcome.values != ("'escaped'",)
    assert after == Outcome(("7",))


@pytest.mark.parametrize("name", HARMLESS)
def test_the_same_attempts_get_out_where_only_limits_hold(loose: Sandbox, name: str) -> None:
    """So each of them tries something that the kernel's confinement, and nothing else, prevents."""
    if name == "start a thread" and os.geteuid() != 0:
        pytest.skip("the limit on processes prevents it, too, unless one is root")
    assert attempt(loose, HARMLESS[name])[0].values == ("'escaped'",)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_harm_is_done(sandbox: Sandbox, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POTENTIA_TEST", "SECRET")
    victim, canary = tmp_path / "victim", tmp_path / "canary"
    victim.write_text("whole")
    (tmp_path / "planted.py").write_text("")
    attempt(sandbox, "return 0")  # the warden runs
    warden = sandbox._process
    assert warden is not None
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        body = FORBIDDEN[name].replace("CANARY", str(canary)).replace("VICTIM", str(victim))
        body = body.replace("PORT", str(server.getsockname()[1])).replace("FOLDER", str(tmp_path))
        begun = time.monotonic()
        outcome, after = attempt(sandbox, body.replace("WARDEN", str(warden.pid)))
        assert time.monotonic() - begun < 50
        with pytest.raises(TimeoutError):
            server.accept()
    assert outcome.values != ("'escaped'",)
    assert after == Outcome(("7",)), "the test after it must still run"
    assert warden.poll() is None, "the warden must still live"
    assert victim.read_text() == "whole"
    assert victim.stat().st_mode & 0o600 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["planted.py", "victim"]
    assert sum(map(len, outcome.values)) + len(outcome.error) < 10_000
    assert _children(warden.pid) == []


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.mark.parametrize("name", FORGERIES)
def test_no_verdict_can_be_forged(sandbox: Sandbox, name: str) -> None:
    tests = split('import evil\n\ndef test_attempt():\n    assert evil.attempt() == (7391, "wanted-7391")\n')
    assert "7391" not in tests.questions
    source = f"def attempt():\n{textwrap.indent(FORGERIES[name], '    ')}\n"
    (outcome,) = sandbox.run((("evil", source),), tests.questions, tests.names)
    assert outcome.error or outcome.values != tests.answers[0]


def test_an_endless_loop_ends_at_the_same_line_each_time(sandbox: Sandbox) -> None:
    """Lines are counted, so that no verdict depends on the speed of a machine."""
    body = "import sys\nn = 0\ntry:\n    while True: n += 1\nexcept BaseException: return n"
    first, second = (attempt(sandbox, body)[0] for _ in range(2))
    assert first == second
    assert 30_000 < int(first.values[0]) <= 100_000
    assert "does not seem to end" in attempt(sandbox, "while True:\n    n = 1")[0].error


def test_sets_of_texts_have_the_same_order_in_each_warden() -> None:
    body = "return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})"
    found = []
    for _ in range(2):
        sandbox = Sandbox()
        found.append(attempt(sandbox, body))
        sandbox.close()
    assert found[0] == found[1]


def test_code_that_does_not_load_fails_all_tests(sandbox: Sandbox) -> None:
    outcomes = sandbox.run((("evil", "def attempt(:\n"),), TESTS, NAMES)
    assert [outcome.error for outcome in outcomes] == ["SyntaxError: invalid syntax (evil.py line 1)"] * 2
    outcomes = sandbox.run((("evil", "import numpy\n"),), TESTS, NAMES)
    assert all(outcome.error.startswith("ModuleNotFoundError") for outcome in outcomes)


def test_an_error_says_where(sandbox: Sandbox) -> None:
    (outcome, _) = attempt(sandbox, "x = []\nreturn x[1]")
    assert outcome.error == "IndexError: list index out of range (evil.py line 3)"


def test_a_warden_that_was_killed_is_replaced(sandbox: Sandbox) -> None:
    attempt(sandbox, "return 0")
    assert sandbox._process is not None
    sandbox._process.kill()
    sandbox._process.wait()
    assert attempt(sandbox, "return 1")[0] == Outcome(("1",))


def test_the_warden_ends_with_its_process() -> None:
    """A process that is killed leaves nothing behind."""
    program = (
        "import sys, time\nfrom potentia.envs.text.code_repair.sandbox import Sandbox\n"
        "s = Sandbox(); s.run((('evil', ''),), 'def test():\\n    yield 1', ('test',))\n"
        "print(s._process.pid, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    warden = int(process.stdout.readline())
    assert Path(f"/proc/{warden}").exists()
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while _runs(warden) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(warden)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def test_a_forked_process_has_a_warden_of_its_own() -> None:
    job = ("kernel", (("evil", "x = 1\n"),), "import evil\ndef test():\n    yield evil.x", ("test",))
    sandbox_module.run.cache_clear()
    assert sandbox_module.run(*job) == (Outcome(("1",)),)
    before = sandbox_module._shared("kernel")._process
    assert before is not None
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        sandbox_module.run.cache_clear()
        found = sandbox_module.run(*job)
        own = sandbox_module._shared("kernel")._process
        right = found == (Outcome(("1",)),) and own is not None and own.pid != before.pid
        sandbox_module._shared("kernel").close()
        os.write(writer, b"1" if right else b"0")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 1) == b"1"
    os.close(reader)
    os.close(writer)
    sandbox_module.run.cache_clear()
    assert sandbox_module.run(*job) == (Outcome(("1",)),)
    assert before.poll() is None


def test_without_the_kernels_help_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The warden that says why is one under which the system call numbers of this machine are not known."""
    folder = Path(sandbox_module.__file__).parent
    for name in ("warden.py", "values.py", "confinement.py"):
        text = (folder / name).read_text()
        (tmp_path / name).write_text(text.replace("platform.machine()", "'riscv64'"))
    monkeypatch.setattr(sandbox_module, "__file__", str(tmp_path / "sandbox.py"))
    made = Sandbox("kernel")
    with pytest.raises(SandboxUnavailableError, match=r"a child that had given up|riscv64"):
        attempt(made, "return 0")
    loose = Sandbox("limits")
    assert attempt(loose, "return 5")[0] == Outcome(("5",))
    loose.close()


def test_a_filter_that_lets_something_through_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = Path(sandbox_module.__file__).parent
    for name in ("warden.py", "values.py", "confinement.py"):
        text = (folder / name).read_text()
        (tmp_path / name).write_text(text.replace("0x00050000 | errno.EPERM", "0x7FFF0000"))
    monkeypatch.setattr(sandbox_module, "__file__", str(tmp_path / "sandbox.py"))
    made = Sandbox("kernel")
    with pytest.raises(SandboxUnavailableError, match="still had some"):
        attempt(made, "return 0")


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="sandbox must be among"):
        Sandbox("none")
