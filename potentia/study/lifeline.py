"""Ties the life of a run to that of the process that started it. Nothing but the standard library is imported here.

A run's process executes this before anything else. It forks a watchdog, a process of its own so that nothing a world
does can stop it, which waits for the end of a pipe whose other end only the starter holds: the kernel closes it however
the starter ends.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import select
import signal
import sys
import time

GRACE = 20.0
"""Seconds that a run has to stop by itself, once it was asked, before it is killed."""

COMPLETED, FAILED, BUSY, INTERRUPTED = 0, 1, 75, 130
"""The exit statuses of a run. Status 75 says that another process works on it."""

_BOOT = "import runpy, sys; runpy.run_path(sys.argv[1])['main'](*sys.argv[2:])"


def command(pipe: int, folder: str, grace: float = GRACE) -> list[str]:
    """The command that works on the run in ``folder`` for as long as the other end of ``pipe`` is open."""
    return [sys.executable, "-c", _BOOT, __file__, str(pipe), str(grace), folder]


def main(pipe: str, grace: str, folder: str) -> None:
    """What the process of a run executes first."""
    tie(int(pipe), float(grace))
    sys.argv = ["potentia.study.worker", folder]
    runpy.run_module("potentia.study.worker", run_name="__main__", alter_sys=True)


def tie(pipe: int, grace: float) -> None:
    """Ends this process, and all of its group, ``grace`` seconds after the other end of a pipe was closed.

    It is asked to stop first. To be called before anything is imported: a fork must be made before there are threads.
    """
    worker = os.getpid()
    if os.fork():
        os.close(pipe)
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        _watch(worker, pipe, grace)
    finally:
        os._exit(0)


def _watch(worker: int, pipe: int, grace: float) -> None:
    while os.getppid() == worker:
        if select.select([pipe], [], [], 0.5)[0]:  # nothing is ever written: it is closed
            break
    else:
        return  # the worker ended first
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while os.getppid() == worker and time.monotonic() < deadline:
        time.sleep(0.1)
    if os.getpgrp() == worker:  # started in a group of its own
        os.killpg(worker, signal.SIGKILL)  # whatever is left: its browsers, its servers, and this process
    elif os.getppid() == worker:
        os.kill(worker, signal.SIGKILL)
