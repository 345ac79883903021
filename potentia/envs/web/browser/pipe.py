"""Chromium driven directly over its DevTools pipe: the fast driver."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from itertools import groupby
from typing import Any

from potentia.envs.web.actions import KEYS
from potentia.envs.web.browser.connection import Connection, Json
from potentia.envs.web.browser.failure import PageFailure, heard
from potentia.envs.web.browser.tab import (
    CLOCK_START,
    FLAGS,
    FRAME_FLAGS,
    Mouse,
    TabEvents,
    mouse_messages,
    pass_time,
    refuses,
)

__all__ = ["PipeBrowser"]

_PATIENCE = 0.1
"""Seconds within which a page that was not left has usually handled an event."""


class PipeBrowser:
    """See `potentia.envs.web.browser.tab.Browser`.

    Args:
        executable: Chromium's path.
        deadline: Seconds that anything may take.
        headed: Whether it is to show a window.
        framed: Whether it is to draw frames only when it is asked to, which a headless shell can. A page then costs
            half the processor time, a picture a fifth of the time, and what comes with frames is deterministic.
    """

    def __init__(self, executable: str, deadline: float, *, headed: bool = False, framed: bool = False) -> None:
        shown = () if headed else ("--headless",)
        flags = [*shown, *FLAGS, *(FRAME_FLAGS if framed else ()), "--proxy-server=127.0.0.1:9", "about:blank"]
        self.connection = Connection(executable, flags, deadline)
        self.framed = framed
        self._tabs: dict[str, PipeTab] = {}
        self._frames = asyncio.Lock()
        self.connection.listen("", self._hear)

    @property
    def alive(self) -> bool:
        """Whether it can still open tabs."""
        return self.connection.open

    async def start(self) -> None:
        """Waits until it answers.

        Raises:
            PageFailure: If it does not, or can't draw frames when it is asked to and should.
        """
        await self.connection.call("Target.setDiscoverTargets", discover=True)
        if self.framed:
            call = self.connection.call
            target = await call("Target.createTarget", url="about:blank", enableBeginFrameControl=True)
            session = await call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            await call("HeadlessExperimental.beginFrame", session["sessionId"])
            await call("Target.closeTarget", targetId=target["targetId"])

    async def frame(self, session: str, **parameters: Any) -> Json:
        """A frame of a page; they take turns, since two at once make Chromium's process of graphics fail."""
        async with self._frames:
            return await self.connection.call("HeadlessExperimental.beginFrame", session, **parameters)

    async def open(self, proxy: str, viewport: tuple[int, int]) -> PipeTab:
        """A tab in a context of its own."""
        call = self.connection.call
        context = await call(
            "Target.createBrowserContext", proxyServer=proxy, proxyBypassList="<-loopback>", disposeOnDetach=True
        )
        tab = PipeTab(self, context["browserContextId"], viewport)
        self._tabs = {key: kept for key, kept in self._tabs.items() if kept.events.failure is None}
        self._tabs[tab.context] = tab
        try:
            await tab.start()
        except PageFailure:
            await tab.close()
            raise
        return tab

    async def close(self) -> None:
        """Ends it."""
        await self.connection.close()

    def _hear(self, method: str, parameters: Json) -> None:
        """Windows opened by a page, downloads and crashes are told to the browser, not to the page."""
        if method == "Target.targetCreated":
            target = parameters["targetInfo"]
            tab = self._tabs.get(target.get("browserContextId", ""))
            if tab is not None and target["type"] == "page" and tab.target not in ("", target["targetId"]):
                tab.events.popups += 1
                self.connection.send("Target.closeTarget", targetId=target["targetId"])
        elif method == "Target.targetCrashed":
            for tab in self._tabs.values():
                if tab.target == parameters["targetId"]:
                    tab.fail(PageFailure("renderer crashed"))
        elif method == "Browser.downloadWillBegin":
            for tab in self._tabs.values():
                if tab.target == parameters["frameId"]:  # a page's main frame bears its target's name
                    tab.events.downloads += 1
        elif method == "Potentia.lost":
            for tab in self._tabs.values():
                tab.fail(PageFailure("browser lost"))


class PipeTab:
    """See `potentia.envs.web.browser.tab.Tab`."""

    def __init__(self, browser: PipeBrowser, context: str, viewport: tuple[int, int]) -> None:
        self.events, self.framed = TabEvents(), browser.framed
        self.context, self.target = context, ""
        self._browser, self._connection = browser, browser.connection
        self._viewport, self._session = viewport, ""
        self._script: asyncio.Future[Json] | None = None
        self._expired: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Opens the page and stops its clock."""
        width, height = self._viewport
        call, send = self._connection.call, self._connection.send
        target = await call(
            "Target.createTarget", url="about:blank", browserContextId=self.context, width=width, height=height,
            enableBeginFrameControl=self.framed
        )  # fmt: skip
        self.target = target["targetId"]
        session = await call("Target.attachToTarget", targetId=self.target, flatten=True)
        self._session = session["sessionId"]
        self._connection.listen(self._session, self._hear)
        policy = {"policy": "pause", "initialVirtualTime": CLOCK_START}
        sent = [
            send("Page.enable", self._session),
            send("Inspector.enable", self._session),
            send("Log.enable", self._session),
            send("Emulation.setDeviceMetricsOverride", self._session, width=width, height=height, deviceScaleFactor=1,
                 mobile=False),
            send("Emulation.setFocusEmulationEnabled", self._session, enabled=True),
            send("Browser.setDownloadBehavior", behavior="deny", browserContextId=self.context, eventsEnabled=True),
            send("Emulation.setVirtualTimePolicy", self._session, **policy),
        ]  # fmt: skip
        await self._connection.within(asyncio.gather(*sent))

    def fail(self, failure: PageFailure) -> None:
        """From now on everything fails."""
        self.events.failure = self.events.failure or failure
        self._connection.fail(self._session, failure)
        if self._expired is not None and not self._expired.done():
            self._expired.set_exception(failure)

    def _hear(self, method: str, parameters: Json) -> None:
        if method == "Emulation.virtualTimeBudgetExpired":
            if self._expired is not None and not self._expired.done():
                self._expired.set_result(None)
        elif method == "Page.javascriptDialogOpening":
            self.events.dialogs += 1
            accept = parameters["type"] == "beforeunload"
            self._send("Page.handleJavaScriptDialog", accept=accept)
        elif method == "Page.frameNavigated" and "parentId" not in parameters["frame"]:
            self.events.navigated = True
        elif method == "Log.entryAdded":
            self.events.local += refuses(parameters["entry"]["text"])
        elif method == "Inspector.targetCrashed":
            self.fail(PageFailure("renderer crashed"))

    def _send(self, method: str, **parameters: Any) -> asyncio.Future[Json]:
        return self._connection.send(method, self._session, **parameters)

    async def _call(self, method: str, **parameters: Any) -> Json:
        if self.events.failure is not None:
            raise self.events.failure
        return await self._connection.call(method, self._session, **parameters)

    async def prepare(self, script: str) -> None:
        if self._script is not None:
            known = await self._connection.within(self._script)
            self._send("Page.removeScriptToEvaluateOnNewDocument", identifier=known["identifier"])
        self._script = self._send("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def navigate(self, url: str) -> None:
        await self._call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        result = await self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise PageFailure("page unreadable", str(details.get("exception", {}).get("description", details["text"])))
        return result["result"].get("value")

    async def mouse(self, events: list[Mouse]) -> None:
        await self._input("dispatchMouseEvent", mouse_messages(events), len(events))

    async def _input(self, method: str, events: list[Json], awaited: int | None = None) -> None:
        """Sends events and waits until the page has handled the first ``awaited`` of them, or all.

        A page that was left meanwhile may never say that it did.
        """
        if self.events.failure is not None:
            raise self.events.failure
        sent = [self._send(f"Input.{method}", **event) for event in events][:awaited]
        if sent:
            await asyncio.wait(sent, timeout=_PATIENCE)
        if not self.events.navigated:
            await self._connection.within(asyncio.gather(*sent))

    async def key(self, name: str) -> None:
        await self._strokes([(name, *KEYS[name])])

    async def type_text(self, text: str) -> None:
        for on_keyboard, characters in groupby(text, str.isascii):
            if self.events.navigated:  # by what was typed: the new page takes no keys before it is drawn
                break
            if on_keyboard:
                await self._strokes([(c, ord(c.upper()) if c.isalnum() else 0, c) for c in characters])
            else:
                await self._input("insertText", [{"text": "".join(characters)}])

    async def _strokes(self, strokes: list[tuple[str, int, str]]) -> None:
        """Keys go down and up one after another: their names, codes, and what they put in."""
        events: list[Json] = []
        for key, code, text in strokes:
            named: Json = {"key": key, "windowsVirtualKeyCode": code}
            events.append({"type": "keyDown" if text else "rawKeyDown", "text": text, **named})
            events.append({"type": "keyUp", **named})
        await self._input("dispatchKeyEvent", events)

    async def frame(self, *, picture: bool = False) -> bytes:
        if self.events.failure is not None:
            raise self.events.failure
        how = {"format": "png", "optimizeForSpeed": True}
        if self.framed:
            wanted: Json = {"screenshot": how} if picture else {"noDisplayUpdates": True}
            shot = (await self._browser.frame(self._session, **wanted)).get("screenshotData", "")
        else:
            shot = (await self._call("Page.captureScreenshot", **how))["data"] if picture else ""
        return base64.b64decode(shot)

    async def advance(self, milliseconds: float) -> None:
        self._expired = asyncio.get_running_loop().create_future()
        self._expired.add_done_callback(heard)
        await self._connection.within(
            asyncio.ensure_future(pass_time(self._expired, self._call, self.evaluate, milliseconds))
        )
        self._expired = None

    async def back(self) -> None:
        history = await self._call("Page.getNavigationHistory")
        if history["currentIndex"] > 0:
            entry = history["entries"][history["currentIndex"] - 1]
            await self._call("Page.navigateToHistoryEntry", entryId=entry["id"])

    async def forget(self) -> None:
        history = self._send("Page.resetNavigationHistory")
        cookies = self._connection.send("Storage.clearCookies", browserContextId=self.context)
        await self._connection.within(asyncio.gather(history, cookies))

    async def unhang(self) -> None:
        with contextlib.suppress(PageFailure, TimeoutError):
            async with asyncio.timeout(1):
                await self._send("Runtime.terminateExecution")

    async def close(self) -> None:
        self.fail(self.events.failure or PageFailure("browser lost", "the tab was closed"))
        with contextlib.suppress(PageFailure, TimeoutError):
            async with asyncio.timeout(5):
                await self._connection.send("Target.disposeBrowserContext", browserContextId=self.context)
