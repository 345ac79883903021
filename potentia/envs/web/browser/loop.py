"""One event loop on a thread of its own: browsers are asynchronous, environments are not.

It works wherever Python runs: in scripts, threads, Jupyter and other event loops, since none of theirs is used.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

_T = TypeVar("_T")
_lock = threading.Lock()
_running: tuple[int, asyncio.AbstractEventLoop] | None = None


def run(work: Coroutine[Any, Any, _T], timeout: float | None = None) -> _T:
    """Runs a coroutine on the loop and waits for it. What the coroutine raises is raised here.

    Args:
        work: The coroutine.
        timeout: Seconds, or None to wait as long as it takes (each call to a browser has a deadline of its own).

    Raises:
        TimeoutError: If it takes longer. The coroutine is cancelled.
        RuntimeError: If the interpreter is ending: its threads are gone, and the browsers with them.
    """
    if sys.is_finalizing():
        work.close()
        raise RuntimeError("the interpreter is ending, and its browsers have ended")
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result(timeout)
    except BaseException:
        future.cancel()
        raise


def _loop() -> asyncio.AbstractEventLoop:
    """The loop of this process. A forked child has none of its parent's threads and starts its own."""
    global _running  # noqa: PLW0603 - one loop a process is the point
    with _lock:
        if _running is None or _running[0] != os.getpid():
            loop = asyncio.new_event_loop()
            loop.set_exception_handler(_tell)
            threading.Thread(target=loop.run_forever, name="potentia-web", daemon=True).start()
            _running = os.getpid(), loop
        return _running[1]


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """As asyncio tells of failures that nobody waits for, but for those of a driver that died: pages tell that."""
    if "Connection closed while reading from the driver" not in str(context.get("exception")):
        loop.default_exception_handler(context)
