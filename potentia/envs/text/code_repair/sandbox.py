"""Tests of code that nobody trusts: run in a process that can do nothing, and judged in this one.

What a test ought to give never enters that process. It gives values, and they are compared here.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potentia.limits import check_among

__all__ = ["KINDS", "Outcome", "Sandbox", "SandboxUnavailableError", "run"]

KINDS = ("kernel", "limits")

Modules = tuple[tuple[str, str], ...]
"""Names and sources."""


class SandboxUnavailableError(RuntimeError):
    """This machine can't keep the tested code in."""


@dataclass(frozen=True)
class Outcome:
    """What a test gave.

    Attributes:
        values: Its values, each as `values.written` writes it.
        error: "", or why it went no further.
    """

    values: tuple[str, ...]
    error: str = ""


class Sandbox:
    """A warden: a bare interpreter that runs each job in a child of its own. It starts with the first job.

    Under ``"kernel"`` a child has no system calls left but those for memory, its own signals, the clock, random
    numbers, the pipe of its results, and its end: it opens no file, makes no connection and no process, and signals
    nobody. Where the kernel has Landlock, files are given up a second time by that. Memory, processor time, the number
    of lines run and what comes out are bounded. Before the first job the sandbox is tried, and refuses to work if it
    does not hold. Under ``"limits"`` only the bounds are there.

    Args:
        kind: ``"kernel"`` or ``"limits"``.

    Raises:
        ValueError: If it is neither.
    """

    def __init__(self, kind: str = "kernel") -> None:
        check_among(KINDS, sandbox=kind)
        self.kind = kind
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self, modules: Modules, tests: str, names: Sequence[str]) -> tuple[Outcome, ...]:
        """What each test gives.

        Args:
            modules: What can be imported.
            tests: Python with generator functions, which yield values.
            names: Of those functions.

        Raises:
            SandboxUnavailableError: If this machine can't keep the code in.
        """
        job = {"modules": dict(modules), "tests": tests, "names": list(names)}
        with self._lock:
            try:
                found = self._ask(job)
            except (BrokenPipeError, EOFError):  # somebody ended the warden: another one does it
                self.close()
                found = self._ask(job)
        return tuple(
            Outcome(tuple(texts)) if kind == "values" else Outcome(tuple(texts[:-1]), texts[-1])
            for kind, texts in found
        )  # fmt: skip

    def close(self) -> None:
        """Ends the warden. The next job starts another one."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()  # type: ignore[union-attr]
            process.kill()
            process.wait()

    def abandon(self) -> None:
        """Lets go of a warden that belongs to the process from which this one was forked."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                pipe.close()  # type: ignore[union-attr]
            process.returncode = 0  # it is no child of this process, and nothing is to be waited for

    def _ask(self, job: dict[str, Any]) -> Any:
        process = self._process or self._start()
        data = json.dumps(job).encode()
        process.stdin.write(struct.pack(">I", len(data)) + data)  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return _answer(process)

    def _start(self) -> subprocess.Popen[bytes]:
        if not hasattr(os, "fork"):
            raise SandboxUnavailableError(_refusal(f"{sys.platform} has no fork"))
        program = Path(__file__).with_name("warden.py")
        self._process = process = subprocess.Popen(
            [sys.executable, "-s", "-S", "-B", str(program), self.kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            start_new_session=True,
        )
        try:
            problem = _answer(process)
        except EOFError:
            problem = "the process that runs them ended at once"
        if problem:
            self.close()
            raise SandboxUnavailableError(_refusal(problem))
        return process


def _refusal(problem: str) -> str:
    return (
        f"edited code can't be kept in on this machine, so its tests are not run: {problem}. That takes Linux on "
        'x86-64 or ARM with seccomp. With sandbox="limits" it is run with bounds on time and memory '
        "alone: only where it may do what it likes, as in a container of its own"
    )


def _answer(process: subprocess.Popen[bytes]) -> Any:
    head = process.stdout.read(4)  # type: ignore[union-attr]
    if len(head) < 4:
        raise EOFError
    size = struct.unpack(">I", head)[0]
    data = process.stdout.read(size)  # type: ignore[union-attr]
    if len(data) < size:
        raise EOFError
    return json.loads(data)


_wardens: dict[tuple[str, bool], tuple[int, Sandbox]] = {}


def _shared(kind: str, hidden: bool = False) -> Sandbox:
    """This process's sandbox of a kind for tests that are shown, or for hidden ones."""
    owner, sandbox = _wardens.get((kind, hidden), (0, None))
    if sandbox is None or owner != os.getpid():
        if sandbox is not None:
            sandbox.abandon()
        sandbox = Sandbox(kind)
        _wardens[kind, hidden] = os.getpid(), sandbox
        atexit.register(sandbox.close)
    return sandbox


@functools.lru_cache(8192)
def run(kind: str, modules: Modules, tests: str, names: tuple[str, ...], hidden: bool = False) -> tuple[Outcome, ...]:
    """`Sandbox.run` in this process's sandbox of a kind. What came out once is not run again.

    Hidden tests have a warden of their own, so that nothing that they ask was ever in the memory of a process whose
    values are shown.
    """
    return _shared(kind, hidden).run(modules, tests, names)
