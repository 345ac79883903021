"""Runs the cells of a study: one process each, a few at a time, each thing that can happen to one told apart."""

from __future__ import annotations

import contextlib
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

_ENVIRONMENT = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA")}
_BUSY = 75


@dataclass
class Job:
    """A run and the process that works on it."""

    config: RunConfig
    folder: RunFolder
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    asked: float | None = None
    """When it was asked to stop."""


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
    problems: list[str] = field(default_factory=list)
    """What could not be written where it belongs, for example because the disk is full."""

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
            with contextlib.suppress(KeyboardInterrupt):  # asked again: don't wait for them
                self._stop_all()
        finally:
            for job in list(self.running):
                self._kill(job)
                if self.interrupted:
                    self._tell(job, "interrupted")

    def _start(self, job: Job) -> None:
        if not self._tell(job, "queued"):
            return  # a run that can't write its status could not write its results either
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
        now = time.monotonic()
        for job in list(self.running):
            assert job.process is not None
            code = job.process.poll()
            if code is None and job.asked is not None and now - job.asked > GRACE:
                self._kill(job)
                code = -signal.SIGTERM
            if code is not None:
                self.running.remove(job)
                self._settle(job, code)
            elif job.asked is None and self.timeout is not None and now - job.started > self.timeout:
                self._ask(job)

    def _settle(self, job: Job, code: int) -> None:
        """What the process could not say itself: that it was killed, or died before it could speak."""
        if job.asked is not None and code in (-signal.SIGTERM, 130):
            if self.interrupted:
                self._tell(job, "interrupted")
            else:
                error = f"stopped after {self.timeout:g} s; run again to go on from its checkpoint"
                self._tell(job, "timeout", error=error)
        elif code < 0:
            name = signal.Signals(-code).name
            self._tell(job, "failed", error=f"killed by signal {name}{_memory_hint(-code)}")
        elif code not in (0, 1, 130, _BUSY):
            self._tell(job, "failed", error=f"exit status {code}; see {job.folder.log.name}")
        elif code == 1 and job.folder.status()["state"] != "failed":
            self._tell(job, "failed", error=f"could not start; see {job.folder.log.name}")

    def _tell(self, job: Job, state: str, **changes: str) -> bool:
        """Writes the status, and says whether it could; one run that can't be told of doesn't stop the others."""
        try:
            job.folder.set_status(state, **changes)
        except OSError as error:
            self.problems.append(f"{job.config.label}: {changes.get('error', state)}; and {error}")
            return False
        return True

    def _stop_all(self) -> None:
        for job in self.running:
            self._ask(job)
        while self.running:
            self._poll()
            time.sleep(0.1)

    @staticmethod
    def _ask(job: Job) -> None:
        """Asks a run to stop at its next rollout; it has `GRACE` seconds."""
        assert job.process is not None
        job.process.send_signal(signal.SIGTERM)
        job.asked = time.monotonic()

    @staticmethod
    def _kill(job: Job) -> None:
        if job.process is not None and job.process.poll() is None:
            os.killpg(job.process.pid, signal.SIGKILL)
            job.process.wait()


def _memory_hint(number: int) -> str:
    return " (often: out of memory; try fewer --jobs)" if number == signal.SIGKILL else ""
