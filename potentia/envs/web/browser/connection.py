"""Chromium's DevTools protocol over a pipe: one message after another, each answered or failed by its deadline."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import signal
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from potentia.envs.web.browser.failure import PageFailure, heard

__all__ = ["Connection"]

Json = dict[str, Any]
Listener = Callable[[str, Json], None]
_FIRST_FREE = 16

_KEEPER = """trap "" HUP INT TERM
read -r _
tries=0
while rm -rf "$1"; [ "$tries" -lt 250 ] && { kill -0 -- "-$2" || [ -e "$1" ]; }; do
    tries=$((tries + 1))
    sleep 0.02
done
"""
"""Removes a browser's files when this process has let go of the input, in whatever way it ended, until the last of the
browser's processes is gone."""


class Connection:
    """A Chromium started with ``--remote-debugging-pipe``, which ends when this process does, however it does.

    Args:
        executable: Chromium's path.
        flags: Its arguments.
        deadline: Seconds that a message may take to be answered.
    """

    def __init__(self, executable: str, flags: Sequence[str], deadline: float) -> None:
        self.deadline = deadline
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[Json]]] = {}
        self._listeners: dict[str, Listener] = {}
        self._received = bytearray()
        self._profile = tempfile.mkdtemp(prefix="potentia-web-")
        self._pid, self._to, self._from = _spawn(executable, flags, self._profile)
        self._keeper, self._keeping = _spawn_keeper(self._profile, self._pid)
        self._unsent = bytearray()
        self.open = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._from, self._read)

    def listen(self, session: str, listener: Listener | None) -> None:
        """Calls ``listener(method, parameters)`` on every event of a session, or nobody if it is None.

        The session ``""`` stands for the browser.
        """
        if listener is None:
            self._listeners.pop(session, None)
        else:
            self._listeners[session] = listener

    def send(self, method: str, session: str = "", **parameters: Any) -> asyncio.Future[Json]:
        """Sends a message. The future holds its result, or fails with `PageFailure`."""
        future: asyncio.Future[Json] = self._loop.create_future()
        future.add_done_callback(heard)
        if not self.open:
            future.set_exception(PageFailure("browser lost"))
            return future
        number = next(self._numbers)
        message: Json = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._waiting[number] = session, future
        future.add_done_callback(lambda _: self._waiting.pop(number, None))
        if not self._unsent:
            self._loop.call_soon(self._write)  # once for all that is sent in this turn of the loop
        self._unsent += json.dumps(message).encode() + b"\0"
        return future

    async def call(self, method: str, session: str = "", **parameters: Any) -> Json:
        """Sends a message and waits for its result.

        Raises:
            PageFailure: If the page or browser is gone, or the deadline passes.
        """
        result: Json = await self.within(self.send(method, session, **parameters))
        return result

    async def within(self, future: asyncio.Future[Any]) -> Any:
        """What a future holds.

        Raises:
            PageFailure: If it fails, or the deadline passes.
        """
        try:
            async with asyncio.timeout(self.deadline):
                return await future
        except TimeoutError as error:
            raise PageFailure("script timeout", f"no answer within {self.deadline:g} s") from error

    def fail(self, session: str, failure: PageFailure) -> None:
        """Fails all that a session waits for."""
        for owner, future in list(self._waiting.values()):
            if owner == session and not future.done():
                future.set_exception(failure)

    def _write(self) -> None:
        if not self.open:
            return
        with contextlib.suppress(BlockingIOError):
            while self._unsent:
                try:
                    sent = os.write(self._to, self._unsent)
                except BrokenPipeError:
                    self.lose()
                    return
                del self._unsent[:sent]
            self._loop.remove_writer(self._to)
            return
        self._loop.add_writer(self._to, self._write)

    def _read(self) -> None:
        try:
            data = os.read(self._from, 1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lose()
            return
        searched = len(self._received)
        self._received += data
        begin = 0
        while (end := self._received.find(0, max(begin, searched))) >= 0:
            self._handle(json.loads(self._received[begin:end]))
            begin = end + 1
        del self._received[:begin]

    def _handle(self, message: Json) -> None:
        if "id" in message:
            _, future = self._waiting.get(message["id"], ("", None))
            if future is None or future.done():
                return
            if "error" in message:
                future.set_exception(PageFailure("page unreadable", str(message["error"].get("message"))))
            else:
                future.set_result(message["result"])
        elif (listener := self._listeners.get(message.get("sessionId", ""))) is not None:
            listener(message["method"], message["params"])

    def lose(self) -> None:
        """The browser is gone: all that waits fails, and listeners are told."""
        if not self.open:
            return
        self.open = False
        self._loop.remove_reader(self._from)
        self._loop.remove_writer(self._to)
        for _, future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(PageFailure("browser lost"))
        for listener in list(self._listeners.values()):
            listener("Potentia.lost", {})

    async def close(self) -> None:
        """Ends the browser and all its processes, and removes its files. It raises nothing."""
        with contextlib.suppress(PageFailure, TimeoutError):
            async with asyncio.timeout(2):
                await self.send("Browser.close")
        self.lose()
        for end in (self._to, self._from):
            with contextlib.suppress(OSError):
                os.close(end)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        await _ended(self._pid)
        with contextlib.suppress(OSError):
            os.close(self._keeping)
        await _ended(self._keeper)


def _spawn(executable: str, flags: Sequence[str], profile: str) -> tuple[int, int, int]:
    """Starts Chromium with pipes at its file descriptors 3 and 4: its process, where to write, where to read.

    By posix_spawn, which is safe beside threads, as fork is not. A process group of its own: Ctrl-C is ours to handle.
    """
    read_end, to = os.pipe()
    out, write_end = os.pipe()
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in (read_end, write_end)]
    for end in (read_end, write_end):
        os.close(end)
    nowhere = [(os.POSIX_SPAWN_OPEN, end, os.devnull, os.O_RDWR, 0) for end in (0, 1, 2)]
    arguments = [executable, "--remote-debugging-pipe", f"--user-data-dir={profile}", *flags]
    try:
        pid = os.posix_spawn(
            executable,
            arguments,
            os.environ,
            file_actions=[*nowhere, (os.POSIX_SPAWN_DUP2, theirs[0], 3), (os.POSIX_SPAWN_DUP2, theirs[1], 4)],
            setpgroup=0,
        )
    finally:
        for end in theirs:
            os.close(end)
    for end in (to, out):
        os.set_blocking(end, False)
    return pid, to, out


def _spawn_keeper(profile: str, browser: int) -> tuple[int, int]:
    """Starts `_KEEPER`, in a process group of its own: its process, and the end of the pipe that is to be let go."""
    read_end, keeping = os.pipe()
    nowhere = [(os.POSIX_SPAWN_OPEN, end, os.devnull, os.O_RDWR, 0) for end in (1, 2)]
    arguments = ["/bin/sh", "-c", _KEEPER, "potentia-keeper", profile, str(browser)]
    try:
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            os.environ,
            file_actions=[*nowhere, (os.POSIX_SPAWN_DUP2, read_end, 0)],
            setpgroup=0,
        )
    finally:
        os.close(read_end)
    return pid, keeping


async def _ended(pid: int) -> None:
    """Waits for the end of a process that we started. It needs no thread: none start when the program ends."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            await asyncio.sleep(0.005)
