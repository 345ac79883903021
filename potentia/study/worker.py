"""One run, in a process of its own: ``python -m potentia.study.worker RUN_FOLDER``."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # before numpy and torch read them

from potentia.study.folder import RunFolder  # noqa: E402
from potentia.study.plan import RunConfig  # noqa: E402


def _die_with_parent() -> None:
    """Asks the kernel to stop this process when the one that started it is gone, however it went (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def main(folder: str) -> int:
    """Runs or resumes the run in ``folder``; returns the exit status: 0 completed, 1 failed, 130 interrupted."""
    _die_with_parent()
    run = RunFolder(Path(folder))
    with run.lock() as locked:
        if not locked:
            print(f"{folder}: another process works on this run")
            return 75
        return _work(run)


def _work(run: RunFolder) -> int:
    config = RunConfig.parse(run.config())
    stop = _StopFlag()
    attempt = int(run.status().get("attempt", 0)) + 1
    run.set_status("running", pid=os.getpid(), started=time.time(), attempt=attempt)
    try:
        from potentia.study.training import Training  # noqa: PLC0415 - torch is imported after the limits are set

        with contextlib.closing(Training(config, run)) as training:
            finished = training.run(stop)
    except KeyboardInterrupt:
        finished = False
    except Exception as error:
        traceback.print_exc()
        run.set_status("failed", error=f"{type(error).__name__}: {error}".splitlines()[0][:500])
        return 1
    if not finished:
        run.set_status("interrupted")
        return 130
    run.set_status("completed")
    return 0


class _StopFlag:
    """True once the process was asked to stop; a run stops at its next rollout."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked = True

    def __bool__(self) -> bool:
        return self._asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
