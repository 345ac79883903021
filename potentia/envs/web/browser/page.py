"""A page in a browser with the five verbs of a backend: open, reset_page, act, observe, close."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from potentia.envs.web.actions import Action
from potentia.envs.web.browser.failure import PageFailure, heard
from potentia.envs.web.browser.gate import Gate
from potentia.envs.web.browser.injected import scripts_of
from potentia.envs.web.browser.pointer import Pointer
from potentia.envs.web.browser.pool import Lease
from potentia.envs.web.browser.tab import Tab
from potentia.envs.web.elements import FLAGS, Element, PageState
from potentia.envs.web.images import read_png
from potentia.envs.web.task import Opening, WebTask

__all__ = ["BrowserPage", "read_row"]

LOAD = 600.0
"""Virtual milliseconds that pass after a page was asked for, those of requests not counted."""
_ODD = 0.377
"""Virtual milliseconds that an action takes besides its pace. Timers of pages last whole milliseconds. Were a timer
due when an action ends, it would be luck on which side of the end it falls."""
FRAME = 20.0
"""Virtual milliseconds that a picture may need. The step after it is shorter by as much. A new line takes as many."""
_LIFE = 500
_FRAMES = 1000
_WAITS = 3
"""Deadlines after which a step or a load is given up, though each answer came in time."""


class BrowserPage:
    """A tab of a shared browser, behind a `Gate` of its own.

    Args:
        task: Whose pages it shows.
        lease: Where the browser is had from.
        rows: The number of elements read.
        trusted: Whether actions are events of the browser, which pages can't tell from a person's. Else actions are
            made by script, which is faster.
    """

    def __init__(self, task: WebTask, lease: Lease, *, rows: int, trusted: bool = True) -> None:
        self._task, self._lease, self._rows, self._trusted = task, lease, rows, trusted
        self._scripts = scripts_of(task)
        self._tab: Tab | None = None
        self._pointer: Pointer
        self._gate: Gate | None = None
        self._seen: PageState | None = None
        self._url = ""
        self._elapsed = self._ahead = self._pace = 0.0
        self._episodes = 0
        self._counted = 0
        self._watches = False
        self._failures = 0  # since the page was last read

    def __getstate__(self) -> Any:
        """Refuses.

        Raises:
            TypeError: Always: what a browser holds can't be had twice.
        """
        raise TypeError(
            "an environment with a browser can't be copied or pickled: make another one with the same options and "
            "reset it with the same seed, or use the backend 'html', which can be copied"
        )

    @property
    def blocked(self) -> int:
        """See `Backend`."""
        return self._attempts() - self._counted

    @contextlib.asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """See `Backend`. A page that failed is not left to go on. After more failures than one the browser is fresh."""
        seconds = _WAITS * self._lease.deadline
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            failure = PageFailure("script timeout", f"not done within {seconds:g} s")
            await self._give_up(failure)
            raise failure from error
        except PageFailure as failure:
            await self._give_up(failure)
            raise

    async def _give_up(self, failure: PageFailure) -> None:
        self._failures += 1
        if (tab := self._tab) is not None:
            tab.events.failure = tab.events.failure or failure
            await tab.close()

    async def open(self) -> None:
        """A gate and a tab. A tab that can't serve another episode is replaced."""
        if self._gate is None:
            self._gate = Gate(self._task.handle, lambda: self._task.hosts)
        if self._tab is not None and self._spent(self._tab):
            await self._drop()
        if self._tab is None:
            if self._failures > 1:  # a fresh tab did not help: it may be the browser
                await self._lease.renew()
            try:
                browser = await self._lease.browser()
                self._tab = await browser.open(self._gate.address, self._task.viewport, self._scripts)
            except PageFailure:
                self._failures += 1
                raise
            self._url, self._elapsed, self._ahead, self._episodes = "", 0.0, 0.0, 0
            self._pointer = Pointer(self._tab)

    async def reset_page(self, opening: Opening) -> None:
        """A fresh load, or where it is proven to be the same, a new beginning in the page."""
        await self._load(opening)
        if self._the_tab().events.lasting and self._episodes:  # it may have met what an earlier episode left
            await self._drop()
            await self.open()
            await self._load(opening)
        self._url = opening.url
        self._episodes += 1
        self._counted = self._attempts()

    async def act(self, action: Action) -> None:
        """One action, and the time that its consequences take."""
        tab = self._the_tab()
        await self._do(tab, action)
        if self._watches:
            await self._draw(tab)
        await self._wait(tab, self._pace + _ODD)

    async def observe(self, *, screenshot: bool = False) -> PageState:
        """Reads the page, all rows in one call."""
        tab = self._the_tab()
        table = await tab.read(f"window.__potentia ? __potentia.observe({self._rows}) : null")
        picture = await self._picture(tab) if screenshot else None
        url = "" if table is not None else await tab.read("location.href")
        self._failures = 0
        if (gate := self._gate) is not None and gate.errors:
            raise RuntimeError("the application failed while it answered a request") from gate.errors.pop()
        if table is None:
            self._seen = PageState(url, "", (), None, picture)
            return self._seen
        url, title, rows, probed, self._watches, lasts = json.loads(table)
        tab.events.lasting |= lasts
        self._seen = PageState(url, title, [read_row(row) for row in rows], probed, picture)
        return self._seen

    async def close(self) -> None:
        """Closes the tab and the gate, and gives the browser back."""
        await self._drop()
        if self._gate is not None:
            self._gate.close()
            self._gate = None
        await self._lease.release()

    async def _load(self, opening: Opening) -> None:
        tab, self._pace, self._ahead = self._the_tab(), opening.pace, 0.0
        await self._pointer.release()
        if part := self._elapsed % 1:  # clocks begin at a whole millisecond
            await self._pass(1 - part)
        if opening.soft and self._url == opening.url:
            await self._park()
        else:
            if tab.events.leaving:
                tab.events.leaving = False
                await tab.evaluate("__potentia.leave()")
            await tab.prepare(self._beginning(opening))
            await tab.navigate(opening.url)
            await self._advance(LOAD)
            await self._draw(tab)
            # A new document takes the mouse to be at its corner until it moves.
            await asyncio.gather(self._park(), tab.forget())
        if opening.script:
            await tab.evaluate(f"__potentia.{self._beginning(opening)};{opening.script}")
            await self._advance(self._pace + _ODD)

    def _the_tab(self) -> Tab:
        if self._tab is None:
            raise PageFailure("browser lost", "the page is not open")
        if self._tab.events.failure is not None:
            raise self._tab.events.failure
        return self._tab

    async def _drop(self) -> None:
        if self._tab is not None:
            tab, self._tab = self._tab, None
            await tab.close()

    def _spent(self, tab: Tab) -> bool:
        """Whether it can't serve another episode: it failed, has what would survive into it, or has served many."""
        events = tab.events
        unfit = events.failure is not None or events.lasting
        return unfit or self._episodes >= _LIFE or events.documents >= tab.life

    def _attempts(self) -> int:
        events = self._tab.events if self._tab is not None else None
        told = 0 if events is None else events.popups + events.dialogs + events.downloads + events.refused
        return told + (self._gate.blocked if self._gate is not None else 0)

    async def _advance(self, milliseconds: float) -> None:
        """Lets time pass, less what pictures took since the last time."""
        milliseconds, self._ahead = milliseconds - self._ahead, 0.0
        await self._pass(milliseconds)

    async def _pass(self, milliseconds: float) -> None:
        """Lets time pass, which the browser counts in whole microseconds, of which it drops parts."""
        self._elapsed = round(self._elapsed + milliseconds, 3)
        await self._the_tab().advance(round(milliseconds, 3) + 0.25e-3)

    async def _wait(self, tab: Tab, milliseconds: float) -> None:
        """Lets time pass, and what is drawn then."""
        await self._advance(milliseconds)
        if self._watches or tab.events.navigated:
            await self._draw(tab)

    def _beginning(self, opening: Opening) -> str:
        """Of the page's chance and time, which begins now."""
        return f"begin({opening.seed & 0x7FFFFFFF}, {self._elapsed:.15g})"

    async def _draw(self, tab: Tab, *, picture: bool = False) -> bytes:
        """One frame, with what comes with it (scroll events, observers, the first focus), and perhaps a picture of it.

        Before its first frame a page takes no events. Chromium learns a little later than the page that it needs one,
        so frames are asked for until the page has seen one. Does nothing where frames come by the real clock.
        """
        tab.events.navigated = False
        if not tab.framed:
            return b""
        await tab.read("window.__potentia && __potentia.ask()")
        for _ in range(_FRAMES):
            shot = await tab.frame(picture=picture)
            if await tab.read("!window.__potentia || __potentia.drawn()") and bool(shot) == picture:
                return shot
        raise PageFailure("page unreadable", "it draws nothing")

    async def _park(self) -> None:
        """Takes the mouse to the corner, so that where the last episode left it changes nothing."""
        await self._pointer.move(1.0, 1.0)

    async def _picture(self, tab: Tab) -> np.ndarray[Any, Any]:
        """What is seen. Where frames come by the real clock, they may wait for the page's clock to go on."""
        if tab.framed:
            return read_png(await self._draw(tab, picture=True))
        shot = asyncio.ensure_future(tab.frame(picture=True))
        shot.add_done_callback(heard)
        await asyncio.sleep(0)
        while self._ahead + FRAME < self._pace and not shot.done():
            self._ahead += FRAME
            await self._pass(FRAME)
            await asyncio.wait([shot], timeout=0.5)
        return read_png(await shot)

    async def _do(self, tab: Tab, action: Action) -> None:
        kind, row = action.kind, action.row
        if kind == "click":
            await self._click(tab, row)
        elif kind == "fill":
            await self._fill(tab, row, action.text)
        elif kind == "type":
            await self._type(tab, action.text)
        elif kind == "press":
            await tab.key(action.text)
        elif kind == "scroll":
            await tab.read(f"__potentia.scroll({0.8 if action.text == 'down' else -0.8})")
        elif kind == "back":
            await tab.back()
        elif kind == "click_at":
            await self._pointer.click(*action.point)
        elif kind in ("move_at", "down_at", "up_at"):
            await self._pointer.move(*action.point)
            if kind != "move_at":
                await self._pointer.turn("down" if kind == "down_at" else "up")
        elif kind == "drag":
            await self._drag(tab, row, action.target)

    def _element(self, row: int) -> Element | None:
        """What was last seen in a row."""
        return self._seen.elements[row] if self._seen is not None and 0 <= row < len(self._seen.elements) else None

    def _seen_place(self, element: Element) -> tuple[float, float] | None:
        """The middle of an element that was seen whole, or None if it was not: no time has passed since."""
        x, y, width, height = element.box
        right, bottom = self._task.viewport
        whole = width > 0 < height and x >= 0 <= y and x + width <= right and y + height <= bottom
        return (x + width / 2, y + height / 2) if whole else None

    async def _brought(self, tab: Tab, row: int) -> tuple[float, float] | None:
        """The middle of what is seen of a row, brought into view, or None if it has no place."""
        place = await tab.read(f"__potentia.place({row})")
        return None if place is None else (place[0], place[1])

    async def _drag(self, tab: Tab, row: int, target: int) -> None:
        """One row onto another. Where not both are seen, the page is scrolled while the button is down."""
        if (first := self._element(row)) is None or (last := self._element(target)) is None:
            return
        begin, end = self._seen_place(first), self._seen_place(last)
        scrolls = begin is None or end is None
        if scrolls:
            begin = await self._brought(tab, row)
        if begin is None:
            return
        await self._pointer.move(*begin)
        await self._pointer.turn("down")
        if scrolls:
            end = await self._brought(tab, target)
        if end is not None:
            await self._pointer.move(*end)
        await self._pointer.release()

    async def _click(self, tab: Tab, row: int) -> None:
        if (element := self._element(row)) is None:
            return
        if element.role == "option":
            await tab.read(f"__potentia.choose({row})")
        elif not self._trusted:
            await tab.read(f"__potentia.press({row})")
        elif (place := self._seen_place(element) or await self._brought(tab, row)) is not None:
            await self._pointer.click(*place)

    async def _fill(self, tab: Tab, row: int, text: str) -> None:
        if (element := self._element(row)) is None or "editable" not in element.flags:
            return
        if self._trusted:
            await self._click(tab, row)
            ready = await tab.read(f"__potentia.ready({row})")
            if ready == "type":
                await (self._type(tab, text) if text else tab.key("Delete"))
                return
            if ready == "no":
                return
        await tab.read(f"__potentia.put({row}, {json.dumps(text)})")

    async def _type(self, tab: Tab, text: str) -> None:
        """Types, and lets a new line, by which forms are sent, do what it does before what follows it is typed."""
        first, *others = text.split("\n")
        await tab.type_text(first)
        for line in others:
            await tab.key("Enter")
            await self._wait(tab, FRAME + _ODD)
            await tab.type_text(line)


def read_row(row: list[Any]) -> Element:
    """A row as the page's script writes it."""
    role, name, value, bits, x, y, width, height = row
    return Element(role, name, value, _flags(bits), (x, y, width, height))


@functools.cache
def _flags(bits: int) -> frozenset[str]:
    return frozenset(flag for index, flag in enumerate(FLAGS) if bits >> index & 1)
