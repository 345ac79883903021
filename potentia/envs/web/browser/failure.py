"""What can go wrong with a page, in a word: the episode is cut, and nobody takes it for a reward."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

__all__ = ["PageFailure", "Reason", "heard"]

Reason = Literal["script timeout", "renderer crashed", "browser lost", "page unreadable"]


class PageFailure(RuntimeError):  # noqa: N818 - it is told to the agent as a reason, seldom raised at a user
    """The page can't be used any more.

    Attributes:
        reason: ``script timeout``: it did not answer before the deadline. ``renderer crashed``: its process died.
            ``browser lost``: the browser or its driver died. ``page unreadable``: its content could not be read.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason


def heard(future: asyncio.Future[Any]) -> None:
    """For futures that somebody may no longer wait for: their failure was told elsewhere, so it is no news."""
    if not future.cancelled():
        future.exception()
