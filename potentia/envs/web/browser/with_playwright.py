"""Chromium driven by Playwright: slower than the pipe by the driver's own process, and able to do all that it can."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable
from functools import partial
from typing import Any

from potentia.envs.web.browser.failure import PageFailure, heard
from potentia.envs.web.browser.flags import FLAGS
from potentia.envs.web.browser.injected import Scripts
from potentia.envs.web.browser.tab import Json, Tab

__all__ = ["PlaywrightBrowser"]

_FLAGS = ("--js-flags=--random-seed=1",)
"""Playwright lets workers go before anybody can put chance and time into them, so Chromium seeds them, all alike."""


class PlaywrightBrowser:
    """See `potentia.envs.web.browser.tab.Browser`. By Playwright's asynchronous API, on this library's own loop."""

    def __init__(self, playwright: Any, browser: Any, process: int, deadline: float) -> None:
        self._playwright, self._browser, self._deadline = playwright, browser, deadline
        self._process = process
        self._tabs: list[PlaywrightTab] = []
        self._dead = False
        browser.on("disconnected", lambda _: self._lose())

    @classmethod
    async def launch(cls, executable: str, deadline: float, *, headed: bool = False) -> PlaywrightBrowser:
        """Starts a driver and a browser.

        Raises:
            ImportError: If Playwright is not installed.
            PageFailure: If it can't be started.
        """
        try:
            from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ImportError("the driver 'playwright' needs the extra 'web': pip install 'potentia[web]'") from error
        playwright = await async_playwright().start()
        try:
            browser = await playwright.chromium.launch(
                executable_path=executable,
                args=[*FLAGS, *_FLAGS, "--proxy-server=127.0.0.1:9"],
                headless=not headed,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
            devtools = await browser.new_browser_cdp_session()
            known = (await devtools.send("SystemInfo.getProcessInfo"))["processInfo"]
        except Error as error:
            await playwright.stop()
            raise PageFailure("browser lost", str(error)) from error
        process = next(int(each["id"]) for each in known if each["type"] == "browser")
        return cls(playwright, browser, process, deadline)

    @property
    def alive(self) -> bool:
        """Whether it can still open tabs."""
        return not self._dead and bool(self._browser.is_connected())

    async def open(self, proxy: str, viewport: tuple[int, int], scripts: Scripts) -> PlaywrightTab:
        """A tab in a context of its own."""
        tab = PlaywrightTab(self, scripts, self._deadline)
        self._tabs.append(tab)
        try:
            await tab.start(self._browser, proxy, viewport)
        except PageFailure:
            self.kill()  # a dead driver still calls its browser connected
            await tab.close()
            raise
        self._tabs = [tab for tab in self._tabs if tab.events.failure is None]
        return tab

    async def close(self) -> None:
        """Ends browser and driver."""
        for work in (self._browser.close, self._playwright.stop):
            try:
                async with asyncio.timeout(5):
                    await work()
            except Exception:
                self.kill()

    def kill(self) -> None:
        """For a browser that answers nothing. Playwright starts each in a process group of its own."""
        if not self._dead:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if (group := os.getpgid(self._process)) != os.getpgid(0):
                    os.killpg(group, signal.SIGKILL)
        self._lose()

    def _lose(self) -> None:
        self._dead = True
        for tab in self._tabs:
            tab.fail(PageFailure("browser lost"))


class PlaywrightTab(Tab):
    """A tab of a `PlaywrightBrowser`."""

    life = 500  # Playwright keeps 5 KiB of each document until the tab is closed

    def __init__(self, browser: PlaywrightBrowser, scripts: Scripts, deadline: float) -> None:
        super().__init__(scripts)
        self._browser, self._deadline = browser, deadline
        self._context: Any = None
        self._page: Any = None
        self._devtools: Any = None

    async def start(self, browser: Any, proxy: str, viewport: tuple[int, int]) -> None:
        """Opens the page and stops its clock."""
        width, height = viewport
        self._context = await self._within(
            browser.new_context(
                viewport={"width": width, "height": height},
                proxy={"server": f"http://{proxy}", "bypass": "<-loopback>"},
                accept_downloads=False,
                service_workers="block",
            )
        )
        self._page = await self._within(self._context.new_page())
        self._context.on("page", self._popup)
        self._page.on("dialog", self._dialog)
        self._page.on("download", lambda _: self._download())
        self._page.on("crash", lambda _: self.fail(PageFailure("renderer crashed")))
        self._devtools = await self._within(self._context.new_cdp_session(self._page))
        for method in self.heard_of:
            self._devtools.on(method, partial(self.hear, method))
        await self._set_up(width, height)

    def _download(self) -> None:
        self.events.downloads += 1

    async def _popup(self, page: Any) -> None:
        with contextlib.suppress(Exception):
            await page.close()

    async def _dialog(self, dialog: Any) -> None:
        self.events.dialogs += 1
        with contextlib.suppress(Exception):
            await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())

    def _send(self, method: str, **parameters: Any) -> asyncio.Future[Json]:
        future: asyncio.Future[Json] = asyncio.ensure_future(self._devtools.send(method, parameters))
        future.add_done_callback(heard)
        return future

    async def _within(self, work: Awaitable[Any]) -> Any:
        """What a call gives.

        Raises:
            PageFailure: If the page or browser is gone, or the deadline passes.
        """
        from playwright.async_api import Error  # noqa: PLC0415 - an extra

        if self.events.failure is not None:
            asyncio.ensure_future(work).cancel()
            raise self.events.failure
        try:
            async with asyncio.timeout(self._deadline):
                return await work
        except TimeoutError as error:
            raise PageFailure("script timeout", f"no answer within {self._deadline:g} s") from error
        except Error as error:
            await asyncio.sleep(0)  # the event that tells of a crash may be next in line
            if self.events.failure is not None:
                raise self.events.failure from error
            text = str(error)
            if "crashed" in text:
                raise PageFailure("renderer crashed", text) from error
            raise PageFailure("browser lost" if "closed" in text else "page unreadable", text) from error

    async def key(self, name: str) -> None:
        await self._within(self._page.keyboard.press(name))

    async def type_text(self, text: str) -> None:
        await self._within(self._page.keyboard.type(text))

    async def close(self) -> None:
        self.fail(PageFailure("browser lost", "the tab was closed"))
        if self._context is not None and self._browser.alive:
            try:
                async with asyncio.timeout(min(5.0, self._deadline)):
                    await self._context.close()
            except TimeoutError:
                self._browser.kill()
            except Exception:  # Playwright's, when it is gone already
                pass
