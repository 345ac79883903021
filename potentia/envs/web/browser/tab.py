"""A page in a browser, by Chromium's DevTools protocol: what both drivers have in common."""

from __future__ import annotations

import asyncio
import base64
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from potentia.envs.web.browser.failure import PageFailure, heard
from potentia.envs.web.browser.injected import Scripts

__all__ = [
    "CLOCK_START",
    "STALL",
    "Browser",
    "Json",
    "Mouse",
    "Tab",
    "TabEvents",
    "mouse_messages",
    "pass_time",
    "refuses",
]

Json = dict[str, Any]

CLOCK_START = 1773651600.0
"""Seconds since 1970 at which every page's clock starts: 2026-03-16 09:00 UTC."""

STALL = 1.0
"""Seconds of standing still after which a fetch that was begun and never ended, as Chromium counts, no longer holds up
the clock."""

_PATIENCE = 0.1
"""Seconds within which a page that was not left has usually handled an event."""

_WORLD = "potentia"
_WITHIN = frozenset(("http", "https", "about", "blob", "data", "javascript"))
"""Schemes of addresses that the gate answers or refuses, or that lead nowhere."""

_REFUSALS = (
    "cannot load potentia-refused:",
    "Not allowed to", "URL scheme", "ERR_UNKNOWN_URL_SCHEME", "FTP is not supported", "protocol schemes",
    "Unsafe attempt to load", "embedded credentials",
)  # fmt: skip
"""How Chromium's log tells that it refused an address by itself, such as a local file. Also how the walls around a page
tell what it tried."""

_LASTS, _LEAVES = "potentia-lasts:", "potentia-leaves:"


@dataclass(frozen=True)
class Mouse:
    """One event of the mouse, in CSS pixels.

    Attributes:
        kind: What happens.
        x: From the left.
        y: From the top.
        held: Of a move: whether the button is down meanwhile.
    """

    kind: Literal["move", "down", "up"]
    x: float
    y: float
    held: bool = False


async def pass_time(
    expired: asyncio.Future[None],
    call: Callable[..., Awaitable[Any]],
    read: Callable[[str], Awaitable[Any]],
    milliseconds: float,
) -> None:
    """Lets virtual time pass, of which requests under way take none.

    Chromium ends each budget on its own, so one is given and no other, however long the page takes to use it up.

    Args:
        expired: Done when Chromium tells that the budget is used up.
        call: Calls a method of the DevTools protocol, with parameters by name.
        read: As `Tab.read`.
        milliseconds: The budget.
    """
    method = "Emulation.setVirtualTimePolicy"
    await call(method, policy="pauseIfNetworkFetchesPending", budget=milliseconds)
    seen: float | None = None
    while not (await asyncio.wait([expired], timeout=STALL))[0]:
        before, seen = seen, await read("Date.now()")
        if seen == before and not expired.done():
            await call(method, policy="advance")
            await expired
            await call(method, policy="pause")
    await expired


def refuses(message: str) -> bool:
    """Whether a message of Chromium's log tells of an attempt to leave that the gate does not see."""
    return any(sign in message for sign in _REFUSALS)


def mouse_messages(events: Iterable[Mouse]) -> list[Json]:
    """The parameters of ``Input.dispatchMouseEvent`` for events of the mouse with its left button.

    They are to be sent together: a move is answered only when the next event has come, or a frame, which may wait for
    the page's clock. So a move at the end is followed by itself, which nobody needs to wait for.
    """
    messages = []
    events = list(events)
    events += [event for event in events[-1:] if event.kind == "move"]
    for event in events:
        held = event.kind == "down" or event.held
        pressing = held or event.kind == "up"
        messages.append(
            {
                "type": {"move": "mouseMoved", "down": "mousePressed", "up": "mouseReleased"}[event.kind],
                "x": event.x,
                "y": event.y,
                "button": "left" if pressing else "none",
                "buttons": int(held),
                "clickCount": int(event.kind != "move"),
            }
        )
    return messages


@dataclass
class TabEvents:
    """What happened to a tab without being asked for.

    Attributes:
        popups: Windows that a page wanted to open.
        dialogs: Alerts and the like, dismissed at once.
        downloads: Downloads, refused.
        refused: Addresses that Chromium refuses by itself, such as local files, and uses of what is not there.
        navigated: Whether a new document came. Who cares sets it back.
        documents: How many came.
        lasting: Whether a page touched what outlasts it.
        leaving: Whether a page has something to do when it is left.
        failure: Why it can't be used any more, if so.
    """

    popups: int = 0
    dialogs: int = 0
    downloads: int = 0
    refused: int = 0
    navigated: bool = False
    documents: int = 0
    lasting: bool = False
    leaving: bool = False
    failure: PageFailure | None = field(default=None)


class Tab(ABC):
    """A page in a browser context of its own, whose clock stands still but for `advance`.

    Every method raises `PageFailure` if the page is gone or does not answer in time.

    Args:
        scripts: What its documents and workers run first.

    Attributes:
        events: What happened without being asked for.
        framed: Whether frames come only when they are asked for, and not sixty times a second of the real clock.
        life: How many documents it shows, before another tab should take its place.
    """

    heard_of = (
        "Emulation.virtualTimeBudgetExpired", "Log.entryAdded", "Page.frameNavigated", "Page.frameRequestedNavigation",
        "Page.windowOpen",
    )  # fmt: skip
    """The events that `hear` is to be told of."""

    framed = False
    life = 10_000

    def __init__(self, scripts: Scripts) -> None:
        self.events = TabEvents()
        self._scripts = scripts
        self._begin = "begin(0, 0)"
        self._prepared: asyncio.Future[Json] | None = None
        self._expired: asyncio.Future[None] | None = None
        self._world: int | None = None

    @abstractmethod
    def _send(self, method: str, **parameters: Any) -> asyncio.Future[Json]:
        """Begins to call a method of the protocol. Nobody need wait for the result."""

    @abstractmethod
    async def _within(self, work: Awaitable[Any]) -> Any:
        """What it gives before the deadline."""

    @abstractmethod
    async def key(self, name: str) -> None:
        """A trusted stroke of a key: a name of `potentia.envs.web.actions.KEYS`."""

    @abstractmethod
    async def type_text(self, text: str) -> None:
        """Trusted strokes, a character each. What is on no keyboard is put in as a whole. No new lines."""

    @abstractmethod
    async def close(self) -> None:
        """Closes the tab and its context. It raises nothing."""

    async def _call(self, method: str, **parameters: Any) -> Any:
        if self.events.failure is not None:
            raise self.events.failure
        return await self._within(self._send(method, **parameters))

    async def _set_up(self, width: int, height: int) -> None:
        """Makes a new tab ready: its clock stands still, and its first document is yet to come."""
        self._frame: str = (await self._call("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        script = "Page.addScriptToEvaluateOnNewDocument"
        sent = [
            self._send("Page.enable"),
            self._send("Log.enable"),
            self._send(script, source=self._scripts.page),
            self._send(script, source=self._scripts.reader, worldName=_WORLD),
            self._send(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            ),
            self._send("Emulation.setFocusEmulationEnabled", enabled=True),
            self._send("Emulation.setVirtualTimePolicy", policy="pause", initialVirtualTime=CLOCK_START),
        ]
        await self._within(asyncio.gather(*sent))

    def hear(self, method: str, parameters: Json) -> None:
        """Takes in an event of the protocol."""
        if method == "Emulation.virtualTimeBudgetExpired":
            if self._expired is not None and not self._expired.done():
                self._expired.set_result(None)
        elif method == "Page.frameNavigated":
            if "parentId" not in parameters["frame"]:
                self.events.navigated, self._world = True, None
                self.events.documents += 1
        elif method == "Page.frameRequestedNavigation":
            self.events.refused += parameters["url"].partition(":")[0].lower() not in _WITHIN
        elif method == "Page.windowOpen":
            self.events.popups += 1
        elif method == "Log.entryAdded":
            text = parameters["entry"]["text"]
            if _LASTS in text:
                self.events.lasting = True
            elif _LEAVES in text:
                self.events.leaving = True
            else:
                self.events.refused += refuses(text)

    def fail(self, failure: PageFailure) -> None:
        """From now on everything fails."""
        self.events.failure = self.events.failure or failure
        if self._expired is not None and not self._expired.done():
            self._expired.set_exception(failure)

    async def prepare(self, begin: str) -> None:
        """``begin(seed, shift)``: how chance and time begin in the documents and workers to come. The past goes."""
        self._begin = begin
        self._send("Page.resetNavigationHistory")
        if self._prepared is not None:
            known = await self._within(self._prepared)
            self._send("Page.removeScriptToEvaluateOnNewDocument", identifier=known["identifier"])
        self._prepared = self._send("Page.addScriptToEvaluateOnNewDocument", source=f"__potentia.{begin}")

    async def navigate(self, url: str) -> None:
        """Leaves for an address: returns when its document has begun, which is there after `advance`."""
        await self._call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression of the page's own, as JSON has it."""
        return _value(await self._call("Runtime.evaluate", expression=expression, returnByValue=True))

    async def read(self, expression: str) -> Any:
        """The value of a JavaScript expression of the reader's, with whose variables the page can't meddle."""
        for again in (True, False):
            if self._world is None:
                # The scripts run when the page's own world is made, which a page without any of its own puts off.
                self._send("Runtime.evaluate", expression="0")
                made = await self._call("Page.createIsolatedWorld", frameId=self._frame, worldName=_WORLD)
                self._world = made["executionContextId"]
            try:
                said = await self._call(
                    "Runtime.evaluate", expression=expression, contextId=self._world, returnByValue=True
                )
            except PageFailure as failure:
                if not (again and "context" in str(failure)):  # of a document that was left meanwhile
                    raise
                self._world = None
            else:
                return _value(said)

    async def mouse(self, events: list[Mouse]) -> None:
        """Trusted events of the mouse, in order. It returns when the page has handled them."""
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
        left = [answer for answer in sent if not answer.done() or answer.exception() is not None]
        if left and not self.events.navigated:
            await self._within(asyncio.gather(*left))

    async def frame(self, *, picture: bool = False) -> bytes:
        """Asks for a frame, where they come only then. Chromium may still think that the page needs none.

        Returns:
            A PNG of the viewport if a picture is wanted, else nothing.
        """
        if not picture:
            return b""
        shot = await self._call("Page.captureScreenshot", format="png", optimizeForSpeed=True)
        return base64.b64decode(shot["data"])

    async def advance(self, milliseconds: float) -> None:
        """Lets so much virtual time pass. Requests under way take none of it."""
        self._expired = asyncio.get_running_loop().create_future()
        self._expired.add_done_callback(heard)
        await self._within(pass_time(self._expired, self._call, self.read, milliseconds))
        self._expired = None

    async def back(self) -> None:
        """Begins to go back in the history, if there is any since `forget`."""
        history = await self._call("Page.getNavigationHistory")
        if history["currentIndex"] > 0:
            entry = history["entries"][history["currentIndex"] - 1]
            await self._call("Page.navigateToHistoryEntry", entryId=entry["id"])

    async def forget(self) -> None:
        """Forgets where it was before."""
        await self._call("Page.resetNavigationHistory")


def _value(result: Json) -> Any:
    if "exceptionDetails" in result:
        details = result["exceptionDetails"]
        raise PageFailure("page unreadable", str(details.get("exception", {}).get("description", details["text"])))
    return result["result"].get("value")


class Browser(Protocol):
    """A running Chromium."""

    @property
    def alive(self) -> bool:
        """Whether it can still open tabs."""
        ...

    async def open(self, proxy: str, viewport: tuple[int, int], scripts: Scripts) -> Tab:
        """A tab whose every request goes to the proxy ``host:port``.

        Raises:
            PageFailure: If the browser is gone or does not answer in time.
        """
        ...

    async def close(self) -> None:
        """Ends the browser, with all tabs and processes. It raises nothing."""
        ...
