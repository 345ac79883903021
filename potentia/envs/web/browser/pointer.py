"""The mouse on a page: where it is, and whether its button is down."""

from __future__ import annotations

from typing import Literal

from potentia.envs.web.browser.tab import Mouse, Tab

__all__ = ["Pointer"]

_STEPS = 5
"""Of a move with the button down: what is dragged must see that it is."""


class Pointer:
    """A mouse with one button. Points are CSS pixels from the viewport's corner.

    Args:
        tab: The page.
    """

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._at = (0.0, 0.0)
        self._held = False

    async def move(self, x: float, y: float) -> None:
        """Goes there."""
        (from_x, from_y), steps = self._at, _STEPS if self._held else 1
        for step in range(1, steps + 1):
            self._at = from_x + (x - from_x) * step / steps, from_y + (y - from_y) * step / steps
            await self._tab.mouse([Mouse("move", *self._at, self._held)])

    async def turn(self, kind: Literal["down", "up"]) -> None:
        """The button goes down, or up, where the mouse is."""
        self._held = kind == "down"
        await self._tab.mouse([Mouse(kind, *self._at)])

    async def release(self) -> None:
        """The button is up."""
        if self._held:
            await self.turn("up")

    async def click(self, x: float, y: float) -> None:
        """Goes there, down and up, all at once."""
        await self._tab.mouse([Mouse("move", x, y, self._held), Mouse("down", x, y), Mouse("up", x, y)])
        self._at, self._held = (x, y), False
