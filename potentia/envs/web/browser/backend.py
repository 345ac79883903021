"""Where a task's page lives: what `BrowserPage` and the page without a browser offer alike."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from potentia.envs.web.actions import Action
from potentia.envs.web.elements import PageState
from potentia.envs.web.task import Opening

__all__ = ["Backend"]


class Backend(Protocol):
    """Where a task's page lives."""

    @property
    def blocked(self) -> int:
        """Attempts to leave the task's pages since the episode began.

        Requests refused, windows, dialogs, downloads, and local files.
        """
        ...

    def limit(self) -> AbstractAsyncContextManager[None]:
        """What must not go on for ever: a page that fails, or takes too long in all, is closed.

        Raises:
            PageFailure: What the page failed by, or a "script timeout".
        """
        ...

    async def open(self) -> None:
        """Makes the place ready. It does nothing if the place is ready."""
        ...

    async def reset_page(self, opening: Opening) -> None:
        """Begins an episode.

        Raises:
            PageFailure: If it can't be done.
        """
        ...

    async def act(self, action: Action) -> None:
        """Does what an action says, and waits for what comes of it.

        Raises:
            PageFailure: If the page is lost.
        """
        ...

    async def observe(self, *, screenshot: bool = False) -> PageState:
        """What is on the page.

        Raises:
            PageFailure: If the page is lost.
        """
        ...

    async def close(self) -> None:
        """Leaves nothing behind."""
        ...
