"""A line on stderr that says why nothing happens while something is compiled."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AFTER = 2.0
"""Seconds of compiling after which the line begins."""


@contextmanager
def notice(name: str, folder: Path | None) -> Iterator[None]:
    """Writes a line if what is done within takes long: at once what it is, in the end how long it took."""
    shown = threading.Event()

    def show() -> None:
        shown.set()
        _write(f"potentia: compiling {name} for this machine ... ")

    begin = time.perf_counter()
    timer = threading.Timer(AFTER, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if shown.is_set():
            again = "anew in each process: no folder can be written" if folder is None else f"once, kept in {folder}"
            _write(f"{time.perf_counter() - begin:.1f} s, {again}\n")


def _write(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)
        sys.stderr.flush()
