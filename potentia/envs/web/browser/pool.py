"""Browsers shared by the environments of a process: contexts are apart, the browser's memory and start are not."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
from dataclasses import dataclass
from typing import Literal

from potentia.envs.web.browser import loop
from potentia.envs.web.browser.failure import PageFailure
from potentia.envs.web.browser.find import find_browser
from potentia.envs.web.browser.tab import Browser

__all__ = ["DRIVERS", "Driver", "Lease"]

Driver = Literal["cdp", "playwright"]
DRIVERS: tuple[Driver, ...] = ("cdp", "playwright")


@dataclass(eq=False)
class _Shared:
    """A browser, and how many use it."""

    browser: Browser
    users: int = 0


_shared: dict[tuple[int, Driver, str, float, bool], _Shared] = {}


class Lease:
    """The right to a browser, the same for all who ask with the same settings.

    Args:
        driver: "cdp": the DevTools protocol over a pipe. "playwright": Playwright.
        executable: Chromium's path, or None to find one.
        deadline: Seconds that anything may take.
        headed: Whether it is to show a window.

    Raises:
        FileNotFoundError: If there is no browser.
        ValueError: If there is no such driver.
    """

    def __init__(self, driver: Driver, executable: str | None, deadline: float, *, headed: bool = False) -> None:
        if driver not in DRIVERS:
            raise ValueError(f"the driver must be one of {', '.join(DRIVERS)}, got {driver!r}")
        self._key = os.getpid(), driver, find_browser(executable, headed=headed), deadline, headed
        self._held: _Shared | None = None

    @property
    def deadline(self) -> float:
        """Seconds that anything may take."""
        return self._key[3]

    async def browser(self) -> Browser:
        """A browser that is alive, which is a new one if the last was lost.

        Raises:
            PageFailure: If none can be started.
        """
        async with _lock():
            if self._held is not None and self._held.browser.alive:
                return self._held.browser
            await self._let_go()
            shared = _shared.get(self._key)
            if shared is None or not shared.browser.alive:
                shared = _shared[self._key] = _Shared(await _launch(*self._key[1:]))
            shared.users += 1
            self._held = shared
            return shared.browser

    async def renew(self) -> None:
        """Gives the browser back for good: who asks next gets a fresh one. Others keep it as long as it serves them."""
        async with _lock():
            if self._held is not None and _shared.get(self._key) is self._held:
                del _shared[self._key]
            await self._let_go()

    async def release(self) -> None:
        """Gives the browser back. The last one to do so ends it."""
        async with _lock():
            await self._let_go()

    async def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        held.users -= 1
        if held.users == 0:
            if _shared.get(self._key) is held:
                del _shared[self._key]
            await held.browser.close()


_locks: dict[int, asyncio.Lock] = {}


def _lock() -> asyncio.Lock:
    """One at a time decides. A forked child has a lock of its own."""
    return _locks.setdefault(os.getpid(), asyncio.Lock())


async def _launch(driver: Driver, executable: str, deadline: float, headed: bool) -> Browser:
    if driver == "cdp":
        from potentia.envs.web.browser.pipe import PipeBrowser  # noqa: PLC0415 - the other driver needs none of it

        for framed in (True, False) if "headless" in os.path.basename(executable) and not headed else (False,):
            pipe = PipeBrowser(executable, deadline, headed=headed, framed=framed)
            try:
                await pipe.start()
                return pipe
            except PageFailure:
                await pipe.close()
                if not framed:
                    raise
    from potentia.envs.web.browser.with_playwright import PlaywrightBrowser  # noqa: PLC0415 - it needs the extra

    return await PlaywrightBrowser.launch(executable, deadline, headed=headed)


def _end_all() -> None:
    own = [shared for key, shared in _shared.items() if key[0] == os.getpid()]
    if own:
        with contextlib.suppress(Exception):
            loop.run(_close_all(own), timeout=10)


async def _close_all(own: list[_Shared]) -> None:
    await asyncio.gather(*(shared.browser.close() for shared in own), return_exceptions=True)


atexit.register(_end_all)
