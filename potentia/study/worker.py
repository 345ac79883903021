"""One run, in a process of its own: ``python -m potentia.study.worker RUN_FOLDER``. See `potentia.study.lifeline`."""

from __future__ import annotations

import contextlib
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
from potentia.study.lifeline import BUSY, COMPLETED, FAILED, INTERRUPTED  # noqa: E402
from potentia.study.plan import RunConfig  # noqa: E402


def main(folder: str) -> int:
    """Runs or resumes the run in ``folder``. Returns the exit status. A completed run is left as it is."""
    run = RunFolder(Path(folder))
    with run.lock() as locked:
        if not locked:
            print(f"{folder}: another process works on this run")
            return BUSY
        return COMPLETED if run.completed else _work(run)


def _work(run: RunFolder) -> int:
    stop = _StopFlag()
    attempt = int(run.status().get("attempt", 0)) + 1
    run.set_status("running", pid=os.getpid(), started=time.time(), attempt=attempt)
    try:
        from potentia.study.training import Training  # noqa: PLC0415 - torch is imported after the limits are set

        with contextlib.closing(Training(RunConfig.parse(run.config()), run)) as training:
            finished = training.run(stop)
    except KeyboardInterrupt:
        finished = False
    except SystemExit as error:  # of a world, a shaper or a learner: nobody here asks for it
        traceback.print_exc()
        run.set_status("failed", error=f"something in the run ended the process: SystemExit({error.code!r})")
        return FAILED
    except Exception as error:
        traceback.print_exc()
        run.set_status("failed", error=" ".join(f"{type(error).__name__}: {error}".split())[:500])
        return FAILED
    if not finished:
        run.set_status("interrupted")
        return INTERRUPTED
    run.set_status("completed")
    return COMPLETED


class _StopFlag:
    """True once the process was asked to stop. A run stops at its next rollout."""

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
