"""Runs tests of code that nobody trusts, each job in a child that has given up all rights. It is a program.

It reads jobs from its standard input and writes what came out to its standard output, both as a length of four bytes
and JSON. A job has the modules' sources, the tests' source and the tests' names. What the tests ought to give is no
part of a job. Whoever asked compares, so that code can't bring about a verdict otherwise than by giving the values.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

if __package__:
    from potentia.envs.text.code_repair import confinement
    from potentia.envs.text.code_repair.values import written
else:  # as a program it stands beside them
    import confinement  # type: ignore[import-not-found,no-redef]
    from values import written  # type: ignore[import-not-found,no-redef]

ALLOWED_MODULES = (
    "abc", "array", "bisect", "collections", "collections.abc", "copy", "dataclasses", "decimal", "enum", "fractions",
    "functools", "heapq", "itertools", "json", "math", "operator", "re", "string", "textwrap", "types",
    "typing",
)  # fmt: skip
"""Loaded here, before files are given up: what the tested code can import besides its own package."""

LINES = 100_000
"""The most lines of Python that a test may run."""
OUTPUT = 2**18
"""The most bytes that a child may write."""
TEXT = 2000
"""The most characters of a value or an error."""
WALL = 60.0
"""Seconds after which a child is killed that neither ends nor uses the processor."""

RESULTS = 3
"""The descriptor that a child writes results to."""


class Package(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules among sources in memory, and nowhere else."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(self, fullname: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The module, if it is the package's."""
        return importlib.machinery.ModuleSpec(fullname, self) if fullname in self.sources else None

    def exec_module(self, module: ModuleType) -> None:
        """Runs its source."""
        exec(compile(self.sources[module.__name__], f"{module.__name__}.py", "exec"), module.__dict__)


class OutOfLines(BaseException):
    """A test ran more lines than it may."""


class Counter:
    """Counts lines of Python and ends a test that runs too many: at the same line on any machine."""

    def __init__(self) -> None:
        self.left = LINES

    def __call__(self, frame: FrameType, event: str, argument: object) -> Counter:
        """One event of the interpreter."""
        self.left -= 1
        if self.left < 0:
            raise OutOfLines
        return self


def complaint(error: BaseException) -> str:
    """An error in one line, with the last line of the package in which it came up."""
    if isinstance(error, OutOfLines):
        return f"more than {LINES} lines were run: it does not seem to end"
    where, frame = "", error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if "/" not in name and "<" not in name and name != "tests.py":
            where = f" ({name} line {frame.tb_lineno})"
        frame = frame.tb_next
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename} line {error.lineno})"[:TEXT]
    return f"{type(error).__name__}: {error}"[:TEXT] + where


def report(*line: object) -> None:
    """Writes a line of results."""
    os.write(RESULTS, json.dumps(line).encode() + b"\n")


def run_tests(job: Mapping[str, Any], first: int) -> None:
    """Runs the tests from one on, and reports each as it ends: its number, "values" or "error", and texts."""
    sys.meta_path[:] = [Package({**job["modules"], "tests": job["tests"]})]
    sys.path[:] = []
    try:
        sys.settrace(Counter())
        tests = importlib.import_module("tests")
    except BaseException as error:
        sys.settrace(None)
        report(first, "broken", [complaint(error)])
        return
    for number in range(first, len(job["names"])):
        values: list[str] = []
        try:
            sys.settrace(Counter())
            values.extend(written(value)[:TEXT] for value in getattr(tests, job["names"][number])())
            sys.settrace(None)
            report(number, "values", values)
        except BaseException as error:
            sys.settrace(None)
            report(number, "error", [*values, complaint(error)])


def child(job: Mapping[str, Any], first: int, results: int, nothing: int, confined: bool) -> None:
    """What a child does: it gives up everything, runs tests, and ends."""
    os.dup2(results, 100)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.dup2(100, RESULTS)
    os.closerange(RESULTS + 1, 256)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    confinement.die_with_parent()
    confinement.limit()
    if confined:
        confinement.give_up_calls()
    run_tests(job, first)


def spawn(job: Mapping[str, Any], first: int, nothing: int, confined: bool) -> bytes:
    """All that a child wrote before it ended or was killed."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(job, first, writer, nothing, confined)
        finally:
            os._exit(0)
    os.close(writer)
    output, deadline = b"", time.monotonic() + WALL
    while len(output) <= OUTPUT and time.monotonic() < deadline:
        if select.select([reader], [], [], 1.0)[0]:
            piece = os.read(reader, 65536)
            if not piece:
                break
            output += piece
    os.close(reader)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return output


def lines(output: bytes, first: int, count: int) -> Iterator[tuple[str, list[str]]]:
    """The results in a child's output, as long as they are what a child writes."""
    for number, line in enumerate(output.split(b"\n")[:-1], first):
        try:
            got, kind, texts = json.loads(line)
        except (ValueError, RecursionError):
            return
        texts_fit = isinstance(texts, list) and len(texts) <= 100 and all(isinstance(text, str) for text in texts)
        if number >= count or got != number or kind not in ("values", "error", "broken") or not texts_fit:
            return
        yield kind, [text[: 2 * TEXT] for text in texts]


def results(job: Mapping[str, Any], nothing: int, confined: bool) -> list[Any]:
    """The results of all tests. After one that ended or outlasted its child, the rest runs in another."""
    found: list[Any] = []
    count = len(job["names"])
    while len(found) < count:
        for kind, texts in lines(spawn(job, len(found), nothing, confined), len(found), count):
            if kind == "broken":
                return [["error", texts]] * count if not found else found + [["error", texts]] * (count - len(found))
            found.append([kind, texts])
        if len(found) < count:
            found.append(["error", ["the test ended the process that it ran in, or used up its time or memory"]])
    return found


PROBE = """
import os, errno, sys
def attempt(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno)
    return "done"
def probe():
    yield attempt(os.open, "/", os.O_RDONLY)
    yield attempt(os.fork)
    yield attempt(os.kill, os.getppid(), 0)
    yield attempt(os.stat, "/")
"""


def confined_for_real(nothing: int) -> bool:
    """Whether a child is refused what it must be: it tries."""
    job = {"modules": {"probed": ""}, "tests": PROBE, "names": ["probe"]}
    return results(job, nothing, True) == [["values", ["'EPERM'"] * 4]]


def read(size: int) -> bytes:
    """So many bytes of the standard input, or none at its end."""
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            return b""
        data += piece
    return data


def answer(message: object) -> None:
    """Writes a message to the standard output."""
    data = json.dumps(message).encode()
    data = struct.pack(">I", len(data)) + data
    while data:
        data = data[os.write(1, data) :]


def prepare(confined: bool, nothing: int) -> str:
    """Gives up what the warden itself does not need. Returns why that can't be done, or ""."""
    if not confined:
        return ""
    try:
        confinement.wants_no_more_rights()
        confinement.give_up_files()
        return "" if confined_for_real(nothing) else "a child that had given up its rights still had some"
    except confinement.UnconfinableError as error:
        return str(error)


def main(arguments: Sequence[str]) -> None:
    """Serves jobs until the standard input ends."""
    confined = arguments == ["kernel"]
    nothing = os.open(os.devnull, os.O_RDWR)
    for name in ALLOWED_MODULES:
        importlib.import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    answer(prepare(confined, nothing))
    while head := read(4):
        job = json.loads(read(*struct.unpack(">I", head)))
        answer(results(job, nothing, confined))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(sys.argv[1:])
