"""Where the time of a loop goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Profile:
    """Seconds spent in phases.

    On an accelerator, where calls return before the work is done, they are of the calls, unless `synchronized` makes
    them of the work.

    Args:
        phases: Their names.
        device: Where the work is done.

    Attributes:
        seconds: Of each phase, since the beginning or the last `clear`.
        last: Of each phase, the last time.
        synchronized: Whether to wait for the device at the end of each phase.
    """

    def __init__(self, phases: tuple[str, ...], device: torch.device) -> None:
        self.device, self.synchronized = device, False
        self.seconds, self.last = dict.fromkeys(phases, 0.0), dict.fromkeys(phases, 0.0)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the seconds of the block to a phase."""
        begin = time.perf_counter()
        yield
        if self.synchronized and self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.last[name] = time.perf_counter() - begin
        self.seconds[name] += self.last[name]

    def clear(self) -> None:
        """Sets all to 0."""
        self.seconds = dict.fromkeys(self.seconds, 0.0)
