"""What a driver must be able to do: the few primitives that both have, and what a tab tells of by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from potentia.envs.web.browser.failure import PageFailure

__all__ = [
    "CLOCK_START",
    "FLAGS",
    "FRAME_FLAGS",
    "STALL",
    "Browser",
    "Mouse",
    "Tab",
    "TabEvents",
    "mouse_messages",
    "pass_time",
    "refuses",
]

CLOCK_START = 1773651600.0
"""Seconds since 1970 at which every page's clock starts: 2026-03-16 09:00 UTC."""

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=BackForwardCache,Translate,OptimizationHints,MediaRouter,AutofillServerCommunication,"
    # Timers put off by the real clock.
    "DeferRendererTasksAfterInput,ThrottleForegroundTimers,AlignWakeUps,"
    # Else Chromium itself refuses some requests to loopback, and the gate would not see and count them.
    "PaintHolding,LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-sandbox",
    "--password-store=basic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Names are never looked up: all that a page asks for goes through its context's proxy, by name.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""How every browser is started."""

FRAME_FLAGS = (
    "--enable-begin-frame-control",
    "--run-all-compositor-stages-before-draw",
    "--disable-new-content-rendering-timeout",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--disable-checker-imaging",
)
"""How a headless shell is started that draws a frame only when it is asked to."""


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


STALL = 1.0
"""Seconds of standing still after which a fetch that was begun and never ended, as Chromium counts, no longer holds up
the clock."""


async def pass_time(
    expired: asyncio.Future[None],
    call: Callable[..., Awaitable[Any]],
    evaluate: Callable[[str], Awaitable[Any]],
    milliseconds: float,
) -> None:
    """Lets virtual time pass, of which requests under way take none.

    Chromium ends each budget on its own, so one is given and no other, however long the page takes to use it up.

    Args:
        expired: Done when Chromium tells that the budget is used up.
        call: Calls a method of the DevTools protocol, with parameters by name.
        evaluate: As `Tab.evaluate`.
        milliseconds: The budget.
    """
    method = "Emulation.setVirtualTimePolicy"
    await call(method, policy="pauseIfNetworkFetchesPending", budget=milliseconds)
    seen: float | None = None
    while not (await asyncio.wait([expired], timeout=STALL))[0]:
        before, seen = seen, await evaluate("Date.now()")
        if seen == before and not expired.done():
            await call(method, policy="advance")
            await expired
            await call(method, policy="pause")
    await expired


def mouse_messages(events: Iterable[Mouse]) -> list[dict[str, Any]]:
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
        popups: Windows that were opened, and closed at once.
        dialogs: Alerts and the like, dismissed at once.
        downloads: Downloads, refused.
        local: Attempts at files of this machine, which Chromium itself refuses.
        navigated: Whether a new document came; who cares takes it back.
        failure: Why it can't be used any more, if so.
    """

    popups: int = 0
    dialogs: int = 0
    downloads: int = 0
    local: int = 0
    navigated: bool = False
    failure: PageFailure | None = field(default=None)


def refuses(message: str) -> bool:
    """Whether a message of Chromium's log tells that it refused an address by itself, such as a local file."""
    return message.startswith("Not allowed to") or "URL scheme" in message


class Tab(Protocol):
    """A page in a browser context of its own, whose clock stands still but for `advance`.

    Every method raises `PageFailure` if the page is gone or does not answer in time.

    Attributes:
        events: What happened without being asked for.
        framed: Whether frames come only when they are asked for, and not sixty times a second of the real clock.
    """

    events: TabEvents
    framed: bool

    async def prepare(self, script: str) -> None:
        """A script that every document runs first, from the next one on; it replaces the one before."""
        ...

    async def navigate(self, url: str) -> None:
        """Leaves for an address: returns when its document has begun, which is there after `advance`."""
        ...

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON has it."""
        ...

    async def mouse(self, events: list[Mouse]) -> None:
        """Trusted events of the mouse, in order; returns when the page has handled them."""
        ...

    async def key(self, name: str) -> None:
        """A trusted stroke of a key: a name of `potentia.envs.web.actions.KEYS`."""
        ...

    async def type_text(self, text: str) -> None:
        """Trusted strokes, a character each; what is on no keyboard is put in as a whole. No new lines."""
        ...

    async def frame(self, *, picture: bool = False) -> bytes:
        """Asks for a frame, where they come only then; Chromium may still think that the page needs none.

        Returns:
            A PNG of the viewport if a picture is wanted; else nothing.
        """
        ...

    async def advance(self, milliseconds: float) -> None:
        """Lets so much virtual time pass; requests under way take none of it."""
        ...

    async def back(self) -> None:
        """Begins to go back in the history, if there is any since `forget`."""
        ...

    async def forget(self) -> None:
        """Forgets the history, cookies and all that pages stored."""
        ...

    async def unhang(self) -> None:
        """Stops the script that runs, if any does; raises nothing."""
        ...

    async def close(self) -> None:
        """Closes the tab and its context; raises nothing."""
        ...


class Browser(Protocol):
    """A running Chromium."""

    @property
    def alive(self) -> bool:
        """Whether it can still open tabs."""
        ...

    async def open(self, proxy: str, viewport: tuple[int, int]) -> Tab:
        """A tab whose every request goes to the proxy ``host:port``.

        Raises:
            PageFailure: If the browser is gone or does not answer in time.
        """
        ...

    async def close(self) -> None:
        """Ends it, with all tabs and processes; raises nothing."""
        ...
