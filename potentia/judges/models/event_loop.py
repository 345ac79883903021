"""One event loop for the whole process, on a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from potentia.judges.lock import Lock

__all__ = ["later", "run"]

T = TypeVar("T")
_starting = Lock()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None


def _loop() -> asyncio.AbstractEventLoop:
    """The loop. A forked process has not the thread of its parent's, so it makes one of its own."""
    global _running  # noqa: PLW0603 - one loop a process
    with _starting:
        if _running is None or _running[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="potentia judges", daemon=True).start()
            _running = os.getpid(), loop
        return _running[1]


def run(task: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on the loop and waits for it. Any thread may call this, also one with a loop of its own."""
    future = asyncio.run_coroutine_threadsafe(task, _loop())
    try:
        return future.result()
    except BaseException:  # an interrupt of who waits: nobody else will
        future.cancel()
        raise


def later(task: Callable[[], Coroutine[Any, Any, None]], process: int) -> None:
    """Runs what a function makes, some time, if this is still the process of this number."""
    if _running is not None and _running[0] == process == os.getpid():
        asyncio.run_coroutine_threadsafe(task(), _running[1])
