"""Runs the cells of a study: one process each, a few at a time, each thing that can happen to one told apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from potentia.study.folder import RunFolder
from potentia.study.plan import RunConfig

GRACE = 20.0
"""Seconds that an interrupted run has to stop by itself before it is killed."""

_ENVIRONMENT = {
    name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
}
_BUSY = 75


@dataclass
class Job:
    """A run and the process that works on it."""

    config: RunConfig
    folder: RunFolder
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0


@dataclass
class Executor:
    """Works through runs with at most ``jobs`` processes.

    Attributes:
        todo: The runs to do, in order.
        jobs: How many processes at once.
        timeout: Seconds that one run may take; None for any time.
        on_change: Called after each change and about four times a second.
    """

    todo: list[Job]
    jobs: int
    timeout: float | None = None
    on_change: Callable[[], None] = lambda: None
    running: list[Job] = field(default_factory=list)
    interrupted: bool = False

    def run(self) -> None:
        """Returns when all runs are done, or, after an interrupt, when all processes are gone."""
        waiting = list(self.todo)
        try:
            while waiting or self.running:
                while waiting and len(self.running) < self.jobs:
                    self._start(waiting.pop(0))
                self._poll()
                self.on_change()
                time.sleep(0.25)
        except KeyboardInterrupt:
            self.interrupted = True
            self._stop_all()
        finally:
            for job in self.running:
                self._kill(job)

    def _start(self, job: Job) -> None:
        job.folder.set_status("queued")
        with open(job.folder.log, "ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches only us, and we tell the runs.
            job.process = subprocess.Popen(
                [sys.executable, "-m", "potentia.study.worker", str(job.folder.path)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ | _ENVIRONMENT,
                start_new_session=True,
            )
        job.started = time.monotonic()
        self.running.append(job)

    def _poll(self) -> None:
        for job in list(self.running):
            assert job.process is not None
            code = job.process.poll()
            if code is not None:
                self.running.remove(job)
                self._settle(job, code)
            elif self.timeout is not None and time.monotonic() - job.started > self.timeout:
                self._kill(job)
                self.running.remove(job)
                job.folder.set_status(
                    "timeout", error=f"stopped after {self.timeout:g} s; run again to go on from its checkpoint"
                )

    def _settle(self, job: Job, code: int) -> None:
        """What the process could not say itself: that it was killed, or died before it could speak."""
        if code == -signal.SIGTERM and self.interrupted:  # it was asked to stop before it could listen
            job.folder.set_status("interrupted")
        elif code < 0:
            job.folder.set_status(
                "failed", error=f"killed by signal {signal.Signals(-code).name}" + _memory_hint(-code)
            )
        elif code not in (0, 1, 130, _BUSY):
            job.folder.set_status("failed", error=f"exit status {code}; see {job.folder.log.name}")
        elif code == 1 and job.folder.status()["state"] != "failed":
            job.folder.set_status("failed", error=f"could not start; see {job.folder.log.name}")

    def _stop_all(self) -> None:
        for job in self.running:
            assert job.process is not None
            job.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self.running and time.monotonic() < deadline:
            self._poll()
            time.sleep(0.1)
        for job in list(self.running):
            self._kill(job)
            job.folder.set_status("interrupted")
            self.running.remove(job)

    @staticmethod
    def _kill(job: Job) -> None:
        if job.process is not None and job.process.poll() is None:
            os.killpg(job.process.pid, signal.SIGKILL)
            job.process.wait()


def _memory_hint(number: int) -> str:
    return " (often: out of memory; try fewer --jobs)" if number == signal.SIGKILL else ""
