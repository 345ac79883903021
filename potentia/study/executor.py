"""Runs the cells of a study: one process each, a few at a time, each thing that can happen to one told apart."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from potentia.study import lifeline
from potentia.study.folder import RunFolder
from potentia.study.lifeline import BUSY, FAILED, INTERRUPTED
from potentia.study.modules import child_environment
from potentia.study.plan import RunConfig

_ENVIRONMENT = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA")}


@dataclass
class Job:
    """A run and the process that works on it.

    Attributes:
        config: The run.
        folder: Its files.
        process: The process, once it was started.
        lifeline: The end of a pipe: when it is closed, the process ends itself.
        started: When the process was started.
        asked: When it was asked to stop.
        postponed: Whether another process was found to work on the run.
    """

    config: RunConfig
    folder: RunFolder
    process: subprocess.Popen[bytes] | None = None
    lifeline: int = -1
    started: float = 0.0
    asked: float | None = None
    postponed: bool = False


@dataclass
class Executor:
    """Works through runs with at most ``jobs`` processes.

    Attributes:
        todo: The runs to do, in order.
        jobs: How many processes at once.
        timeout: Seconds that one run may take. None allows any time.
        on_change: Called after each change and about four times a second.
        grace: Seconds that a run has to stop by itself, once it was asked, before it is killed.
        running: The runs that have a process now.
        interrupted: Whether it was stopped by Ctrl-C.
        problems: What could not be written where it belongs, for example because the disk is full.
    """

    todo: list[Job]
    jobs: int
    timeout: float | None = None
    on_change: Callable[[], None] = lambda: None
    grace: float = lifeline.GRACE
    running: list[Job] = field(default_factory=list)
    interrupted: bool = False
    problems: list[str] = field(default_factory=list)
    _waiting: list[Job] = field(default_factory=list)

    def run(self) -> None:
        """Returns when all runs are done, or, after an interrupt, when all processes are gone."""
        self._waiting = list(self.todo)
        try:
            while self._waiting or self.running:
                while self._waiting and len(self.running) < self.jobs:
                    self._start(self._waiting.pop(0))
                self._poll()
                self.on_change()
                if self.running:
                    time.sleep(0.25)
        except KeyboardInterrupt:
            self.interrupted = True
            with contextlib.suppress(KeyboardInterrupt):  # asked again: don't wait for them
                self._stop_all()
        finally:
            for job in list(self.running):
                self._kill(job)
                self._let_go(job)
                if self.interrupted:
                    self._tell(job, "interrupted")

    def unfinished(self) -> list[tuple[Job, str]]:
        """The runs that are not completed, each with the reason."""
        found = []
        for job in self.todo:
            if not job.folder.completed:
                status = job.folder.status()
                running = "another process works on it; run the study again when that has ended"
                state = running if status["state"] == "running" else str(status["state"])
                found.append((job, str(status.get("error", state))))
        return found

    def _start(self, job: Job) -> None:
        """Starts a run, unless another process works on it, or has completed it since this one began."""
        try:
            with job.folder.lock() as free:
                # A run that can't write its status could not write its results either.
                ready = free and not job.folder.completed and self._tell(job, "queued")
        except OSError as error:
            self.problems.append(f"{job.config.label}: {error}")
            return
        if not free:
            self._postpone(job)
        if not ready:
            return
        pipe, job.lifeline = os.pipe()
        with open(job.folder.log, "ab") as log:
            # A session of its own: Ctrl-C in the terminal reaches only us, and we tell the runs.
            job.process = subprocess.Popen(
                lifeline.command(pipe, str(job.folder.path), self.grace),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=child_environment() | _ENVIRONMENT,
                pass_fds=(pipe,),
                start_new_session=True,
            )
        os.close(pipe)
        job.started = time.monotonic()
        self.running.append(job)

    def _postpone(self, job: Job) -> None:
        """Tries once more at the end. Another process works on the run now."""
        if not job.postponed:
            job.postponed = True
            self._waiting.append(job)

    def _poll(self) -> None:
        now = time.monotonic()
        for job in list(self.running):
            assert job.process is not None
            job.folder.bound_log()
            code = job.process.poll()
            if code is None and job.asked is not None and now - job.asked > self.grace:
                self._kill(job)
                code = -signal.SIGTERM
            if code is not None:
                self._let_go(job)
                self._settle(job, code)
            elif job.asked is None and self.timeout is not None and now - job.started > self.timeout:
                self._ask(job)

    def _let_go(self, job: Job) -> None:
        self.running.remove(job)
        os.close(job.lifeline)

    def _settle(self, job: Job, code: int) -> None:
        """What the process could not say itself: that it was killed, or ended before it could speak."""
        if job.folder.completed:
            return  # however it ended after that
        state, log = job.folder.status()["state"], job.folder.log.name
        if job.asked is not None and code in (-signal.SIGTERM, INTERRUPTED):
            if self.interrupted:
                self._tell(job, "interrupted")
            else:
                error = f"stopped after {self.timeout:g} s; run again to go on from its checkpoint"
                self._tell(job, "timeout", error=error)
        elif code < 0:
            name = signal.Signals(-code).name
            self._tell(job, "failed", error=f"killed by signal {name}{_memory_hint(-code)}")
        elif code == BUSY and self._is_locked(job):
            self._postpone(job)
        elif code == FAILED and state == "queued":
            self._tell(job, "failed", error=f"could not start; see {log}")
        elif (code, state) not in ((FAILED, "failed"), (INTERRUPTED, "interrupted")):
            self._tell(job, "failed", error=f"ended with exit status {code} before its result; see {log}")

    @staticmethod
    def _is_locked(job: Job) -> bool:
        with job.folder.lock() as free:
            return not free

    def _tell(self, job: Job, state: str, **changes: str) -> bool:
        """Writes the status, and says whether it could. A status that can't be written doesn't stop the other runs."""
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
        """Asks a run to stop at its next rollout. The run has the seconds of grace to do so."""
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
