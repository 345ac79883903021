"""Chromium driven by Playwright: slower than the pipe by the driver's own process, and able to do all that it can."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

from potentia.envs.web.browser.failure import PageFailure, heard
from potentia.envs.web.browser.tab import CLOCK_START, FLAGS, Mouse, TabEvents, mouse_messages, pass_time, refuses

__all__ = ["PlaywrightBrowser"]

_T = TypeVar("_T")


class PlaywrightBrowser:
    """See `potentia.envs.web.browser.tab.Browser`. By Playwright's asynchronous API, on this library's own loop."""

    def __init__(self, playwright: Any, browser: Any, deadline: float) -> None:
        self._playwright, self._browser, self._deadline = playwright, browser, deadline
        self._tabs: list[PlaywrightTab] = []
        self._dead = False
        browser.on("disconnected", lambda _: self._lost())

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
                args=[*FLAGS, "--proxy-server=127.0.0.1:9"],
                headless=not headed,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Error as error:
            await playwright.stop()
            raise PageFailure("browser lost", str(error)) from error
        return cls(playwright, browser, deadline)

    @property
    def alive(self) -> bool:
        """Whether it can still open tabs."""
        return not self._dead and bool(self._browser.is_connected())

    async def open(self, proxy: str, viewport: tuple[int, int]) -> PlaywrightTab:
        """A tab in a context of its own."""
        tab = PlaywrightTab(self._deadline)
        self._tabs.append(tab)
        try:
            await tab.start(self._browser, proxy, viewport)
        except PageFailure:
            self._dead = True  # a dead driver still calls its browser connected
            await tab.close()
            raise
        self._tabs = [tab for tab in self._tabs if tab.events.failure is None]
        return tab

    async def close(self) -> None:
        """Ends browser and driver."""
        for work in (self._browser.close, self._playwright.stop):
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await work()

    def _lost(self) -> None:
        for tab in self._tabs:
            tab.fail(PageFailure("browser lost"))


class PlaywrightTab:
    """See `potentia.envs.web.browser.tab.Tab`."""

    framed = False

    def __init__(self, deadline: float) -> None:
        self.events = TabEvents()
        self._deadline = deadline
        self._context: Any = None
        self._page: Any = None
        self._devtools: Any = None
        self._script: str | None = None
        self._expired: asyncio.Future[None] | None = None

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
        self._page.on("download", lambda _: self._count("downloads"))
        self._page.on("crash", lambda _: self.fail(PageFailure("renderer crashed")))
        self._devtools = await self._within(self._context.new_cdp_session(self._page))
        self._devtools.on("Emulation.virtualTimeBudgetExpired", lambda _: self._time_passed())
        self._devtools.on("Log.entryAdded", self._logged)
        await self._send("Page.enable")
        await self._send("Log.enable")
        await self._send("Emulation.setFocusEmulationEnabled", enabled=True)
        await self._send("Emulation.setVirtualTimePolicy", policy="pause", initialVirtualTime=CLOCK_START)

    def _logged(self, event: Any) -> None:
        self.events.local += refuses(event["entry"]["text"])

    def fail(self, failure: PageFailure) -> None:
        """From now on everything fails."""
        self.events.failure = self.events.failure or failure
        self._time_passed(failure)

    def _time_passed(self, failure: PageFailure | None = None) -> None:
        if self._expired is not None and not self._expired.done():
            if failure is None:
                self._expired.set_result(None)
            else:
                self._expired.set_exception(failure)

    def _count(self, name: str) -> None:
        setattr(self.events, name, getattr(self.events, name) + 1)

    async def _popup(self, page: Any) -> None:
        self._count("popups")
        with contextlib.suppress(Exception):
            await page.close()

    async def _dialog(self, dialog: Any) -> None:
        self._count("dialogs")
        with contextlib.suppress(Exception):
            await (dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())

    async def _within(self, work: Awaitable[_T]) -> _T:
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

    async def _send(self, method: str, **parameters: Any) -> Any:
        return await self._within(self._devtools.send(method, parameters))

    async def prepare(self, script: str) -> None:
        if self._script is not None:
            await self._send("Page.removeScriptToEvaluateOnNewDocument", identifier=self._script)
        self._script = (await self._send("Page.addScriptToEvaluateOnNewDocument", source=script))["identifier"]

    async def navigate(self, url: str) -> None:
        await self._send("Page.navigate", url=url)  # not page.goto, which waits until it is loaded

    async def evaluate(self, expression: str) -> Any:
        return await self._within(self._page.evaluate(expression))

    async def mouse(self, events: list[Mouse]) -> None:
        send = self._devtools.send
        messages = mouse_messages(events)
        sent = [asyncio.ensure_future(send("Input.dispatchMouseEvent", message)) for message in messages]
        for future in sent:
            future.add_done_callback(heard)
        await self._within(asyncio.gather(*sent[: len(events)]))

    async def key(self, name: str) -> None:
        await self._within(self._page.keyboard.press(name))

    async def type_text(self, text: str) -> None:
        await self._within(self._page.keyboard.type(text))

    async def frame(self, *, picture: bool = False) -> bytes:
        if not picture:
            return b""
        shot = await self._send("Page.captureScreenshot", format="png", optimizeForSpeed=True)
        return base64.b64decode(shot["data"])

    async def advance(self, milliseconds: float) -> None:
        self._expired = asyncio.get_running_loop().create_future()
        self._expired.add_done_callback(heard)
        await self._within(pass_time(self._expired, self._send, self.evaluate, milliseconds))
        self._expired = None

    async def back(self) -> None:
        history = await self._send("Page.getNavigationHistory")
        if history["currentIndex"] > 0:
            entry = history["entries"][history["currentIndex"] - 1]
            await self._send("Page.navigateToHistoryEntry", entryId=entry["id"])

    async def forget(self) -> None:
        await self._send("Page.resetNavigationHistory")
        await self._within(self._context.clear_cookies())

    async def unhang(self) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await self._devtools.send("Runtime.terminateExecution")

    async def close(self) -> None:
        self.events.failure = self.events.failure or PageFailure("browser lost", "the tab was closed")
        if self._context is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(5):
                    await self._context.close()
