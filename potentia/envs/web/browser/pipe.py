"""Chromium driven directly over its DevTools pipe: the fast driver."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable
from itertools import groupby
from typing import Any

from potentia.envs.web.actions import KEYS
from potentia.envs.web.browser.connection import Connection
from potentia.envs.web.browser.failure import PageFailure
from potentia.envs.web.browser.flags import FLAGS, FRAME_FLAGS
from potentia.envs.web.browser.injected import Scripts
from potentia.envs.web.browser.tab import Json, Tab

__all__ = ["PipeBrowser"]


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
        self.follow_workers("", filter=[{"type": "shared_worker"}, {"exclude": True}])
        if self.framed:
            call = self.connection.call
            target = await call("Target.createTarget", url="about:blank", enableBeginFrameControl=True)
            session = await call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            await call("HeadlessExperimental.beginFrame", session["sessionId"])
            await call("Target.closeTarget", targetId=target["targetId"])

    def follow_workers(self, session: str, **how: Any) -> None:
        """Workers wait for us before they run anything: those of a page, of a worker, or those that pages share."""
        how |= {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        self.connection.send("Target.setAutoAttach", session, **how)

    async def frame(self, session: str, **parameters: Any) -> Json:
        """A frame of a page. Frames take turns, since two at once make Chromium's process of graphics fail."""
        async with self._frames:
            return await self.connection.call("HeadlessExperimental.beginFrame", session, **parameters)

    async def open(self, proxy: str, viewport: tuple[int, int], scripts: Scripts) -> PipeTab:
        """A tab in a context of its own."""
        proxies = {"proxyServer": proxy, "proxyBypassList": "<-loopback>"}
        made = await self.connection.call("Target.createBrowserContext", disposeOnDetach=True, **proxies)
        tab = PipeTab(self, made["browserContextId"], scripts)
        self._tabs = {key: kept for key, kept in self._tabs.items() if kept.events.failure is None}
        self._tabs[tab.context] = tab
        try:
            await tab.start(*viewport)
        except PageFailure:
            await tab.close()
            raise
        return tab

    async def close(self) -> None:
        """Ends it."""
        await self.connection.close()

    def _hear(self, method: str, parameters: Json) -> None:
        """Windows opened by a page, shared workers, downloads and crashes are told to the browser, not to the page."""
        target: Json = parameters.get("targetInfo", {})
        tab = self._tabs.get(target.get("browserContextId", ""))
        if method == "Target.targetCreated":
            if tab is not None and target["type"] == "page" and tab.target not in ("", target["targetId"]):
                self.connection.send("Target.closeTarget", targetId=target["targetId"])
        elif method == "Target.attachedToTarget":
            self.connection.send("Log.enable", parameters["sessionId"])
            if tab is not None:
                tab.set_up_worker(parameters["sessionId"])
        elif method == "Target.detachedFromTarget":
            self.connection.listen(parameters["sessionId"], None)
        elif method == "Potentia.lost":
            for tab in self._tabs.values():
                tab.fail(PageFailure("browser lost"))
        elif method in ("Target.targetCrashed", "Browser.downloadWillBegin"):
            crashed = method == "Target.targetCrashed"
            named = parameters["targetId" if crashed else "frameId"]  # a page's main frame bears its target's name
            for tab in self._tabs.values():
                if tab.target == named and crashed:
                    tab.fail(PageFailure("renderer crashed"))
                elif tab.target == named:
                    tab.events.downloads += 1


class PipeTab(Tab):
    """A tab of a `PipeBrowser`, in the browser context of that name."""

    def __init__(self, browser: PipeBrowser, context: str, scripts: Scripts) -> None:
        super().__init__(scripts)
        self.framed = browser.framed
        self.context, self.target = context, ""
        self._browser, self._connection, self._session = browser, browser.connection, ""

    async def start(self, width: int, height: int) -> None:
        """Opens the page and stops its clock."""
        call, send = self._connection.call, self._connection.send
        target = await call(
            "Target.createTarget", url="about:blank", browserContextId=self.context, width=width, height=height,
            enableBeginFrameControl=self.framed
        )  # fmt: skip
        self.target = target["targetId"]
        session = await call("Target.attachToTarget", targetId=self.target, flatten=True)
        self._session = session["sessionId"]
        self._connection.listen(self._session, self.hear)
        send("Inspector.enable", self._session)
        send("Browser.setDownloadBehavior", behavior="deny", browserContextId=self.context, eventsEnabled=True)
        self._browser.follow_workers(self._session)
        await self._set_up(width, height)

    def hear(self, method: str, parameters: Json) -> None:
        if method == "Page.javascriptDialogOpening":
            self.events.dialogs += 1
            self._send("Page.handleJavaScriptDialog", accept=parameters["type"] == "beforeunload")
        elif method == "Inspector.targetCrashed":
            self.fail(PageFailure("renderer crashed"))
        elif method == "Target.attachedToTarget":
            self.set_up_worker(parameters["sessionId"])
        elif method == "Target.detachedFromTarget":
            self._connection.listen(parameters["sessionId"], None)
        else:
            super().hear(method, parameters)

    def set_up_worker(self, session: str) -> None:
        """Puts chance and time into a worker that waits, and lets it go."""
        send = self._connection.send
        self._connection.listen(session, self.hear)
        self._browser.follow_workers(session)
        send("Runtime.evaluate", session, expression=f"({self._scripts.worker}).{self._begin}")
        send("Runtime.runIfWaitingForDebugger", session)

    def fail(self, failure: PageFailure) -> None:
        super().fail(failure)
        self._connection.fail(self._session, self.events.failure or failure)

    def _send(self, method: str, **parameters: Any) -> asyncio.Future[Json]:
        return self._connection.send(method, self._session, **parameters)

    async def _within(self, work: Awaitable[Any]) -> Any:
        return await self._connection.within(asyncio.ensure_future(work))

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
        if not self.framed:
            return await super().frame(picture=picture)
        if self.events.failure is not None:
            raise self.events.failure
        wanted: Json = (
            {"screenshot": {"format": "png", "optimizeForSpeed": True}} if picture else {"noDisplayUpdates": True}
        )
        return base64.b64decode((await self._browser.frame(self._session, **wanted)).get("screenshotData", ""))

    async def close(self) -> None:
        self.fail(PageFailure("browser lost", "the tab was closed"))
        try:
            async with asyncio.timeout(min(5.0, self._connection.deadline)):
                await self._connection.send("Target.disposeBrowserContext", browserContextId=self.context)
        except TimeoutError:
            # Whatever the pages do, the browser's own process answers this, unless it is stopped.
            self._connection.lose()
        except PageFailure:
            pass
