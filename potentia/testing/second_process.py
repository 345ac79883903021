"""A second Python, in which texts have other hashes, that calls functions for this one."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cloudpickle

_SERVE = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from potentia.testing.second_process import serve; serve()"
)
_PATIENCE = 120.0


def call_elsewhere(function: Callable[[Any], Any], argument: Any) -> Any:
    """``function(argument)`` as another process computes it, started at the first call and kept for those that follow.

    Raises:
        AssertionError: If the argument can't be sent, or the process fails.
    """
    try:
        request = cloudpickle.dumps((function, argument))
    except Exception as error:
        raise AssertionError(
            f"it can't be sent to another process ({type(error).__name__}: {error}): let make_shaper make all that it "
            "needs, or pass second_process=False"
        ) from error
    process = _process()
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        _write(process.stdin, request)
        answer = _read(process.stdout)
    except (OSError, EOFError) as error:
        _process.cache_clear()
        raise AssertionError(f"another process, asked for the same, ended: {error or 'no answer'}") from error
    finally:
        watchdog.cancel()
    result, problem = cloudpickle.loads(answer)
    assert not problem, f"in another process it raises {problem}"
    return result


@lru_cache(maxsize=1)
def _process() -> subprocess.Popen[bytes]:
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONHASHSEED": seed},
    )
    assert process.stdin is not None
    process.stdin.write(cloudpickle.dumps(sys.path))
    process.stdin.flush()
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # closes its input, at the end of which it ends
        if process.poll() is None and process.stdin is not None:
            process.stdin.close()


def serve() -> None:
    """Answers requests from standard input on standard output until there are no more."""
    import torch  # noqa: PLC0415 - only the second process needs it here

    torch.set_num_threads(1)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a shaper prints is no answer
    while True:
        try:
            request = _read(requests)
        except EOFError:
            return
        try:
            function, argument = cloudpickle.loads(request)
            answer = cloudpickle.dumps((function(argument), ""))
        except Exception as error:
            answer = cloudpickle.dumps((None, f"{type(error).__name__}: {error}"))
        _write(answers, answer)


def _write(stream: Any, message: bytes) -> None:
    stream.write(len(message).to_bytes(8, "big") + message)
    stream.flush()


def _read(stream: Any) -> bytes:
    size = stream.read(8)
    message: bytes = stream.read(int.from_bytes(size, "big")) if len(size) == 8 else b""
    if not message:
        raise EOFError("no answer")
    return message
