"""`HtmlPage` with the five verbs of a backend."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext

from potentia.envs.web.actions import Action
from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.elements import PageState
from potentia.envs.web.task import Opening, WebTask

__all__ = ["PageWithoutBrowser"]


class PageWithoutBrowser:
    """See `potentia.envs.web.browser.backend.Backend`. No method ever waits.

    Args:
        task: One whose pages need no browser.
        rows: The number of elements read.

    Raises:
        ValueError: If its pages do.
    """

    def __init__(self, task: WebTask, *, rows: int) -> None:
        if task.needs_browser:
            raise ValueError(
                f"the pages of {task.name} run scripts, which the backend 'html' can't: use 'cdp' or 'playwright'"
            )
        self._task, self._rows = task, rows
        self._page = HtmlPage(task.handle, task.hosts)

    @property
    def blocked(self) -> int:
        """See `potentia.envs.web.browser.backend.Backend`."""
        return self._page.blocked

    def limit(self) -> AbstractAsyncContextManager[None]:
        """Nothing is needed."""
        return nullcontext()

    async def open(self) -> None:
        """Nothing is needed."""

    async def reset_page(self, opening: Opening) -> None:
        """A fresh load."""
        self._page.open(opening.url)

    async def act(self, action: Action) -> None:
        """What has a meaning without layout and script. The rest does nothing."""
        self._page.act(action)

    async def observe(self, *, screenshot: bool = False) -> PageState:
        """The first rows of the page."""
        if screenshot:
            raise ValueError("the backend 'html' has no pictures: use 'cdp' or 'playwright' for screenshots")
        state = self._page.state()
        return PageState(state.url, state.title, state.elements[: self._rows])

    async def close(self) -> None:
        """Nothing is left."""
