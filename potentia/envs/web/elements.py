"""A page as an agent sees it: rows of elements, each with a role, a name, a value, flags and a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["FLAGS", "ROLES", "Element", "PageState", "page_text"]

ROLES = (
    "link", "button", "textbox", "checkbox", "radio", "combobox", "option", "heading", "cell", "listitem", "label",
    "text", "image", "shape", "slider", "other",
)  # fmt: skip
"""What an element is. In arrays a role is 1 + its index, and 0 stands for an empty row."""

FLAGS = ("interactive", "editable", "checked", "disabled", "focused", "visible")
"""What is true of an element. ``visible`` means that some of it lies within the viewport."""


@dataclass(frozen=True)
class Element:
    """A row of the element table.

    Attributes:
        role: One of `ROLES`.
        name: Its accessible name, or its own text.
        value: A control's value, which for a combobox is the chosen option's text.
        flags: Those of `FLAGS` that are true.
        box: x, y, width, height in CSS pixels from the viewport's corner, or zeros where there is no layout.
    """

    role: str
    name: str
    value: str = ""
    flags: frozenset[str] = frozenset()
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class PageState:
    """What was observed of a page at once.

    Attributes:
        url: Its address.
        title: Its title.
        elements: All rows, in document order.
        probe: What the task's own expression gave in the page, or None without one.
        screenshot: ``(H, W, 3)`` uint8, if it was asked for.
    """

    url: str
    title: str
    elements: Sequence[Element]
    probe: Any = None
    screenshot: np.ndarray[Any, Any] | None = field(default=None, compare=False)

    def find(self, role: str, name: str) -> int | None:
        """The first row with this role and name, or None."""
        for index, element in enumerate(self.elements):
            if element.role == role and element.name == name:
                return index
        return None


_SHOWN_FLAGS: Mapping[str, str] = {"checked": "checked", "disabled": "disabled", "focused": "focused"}


def page_text(state: PageState, rows: int | None = None) -> str:
    """The page in words, a line an element: ``[3] textbox 'To' = 'ann@example.org' (focused)``."""
    lines = [f"{state.title} <{state.url}>"]
    for index, element in enumerate(state.elements[:rows]):
        line = f"[{index}] {element.role} {element.name!r}"
        if element.value:
            line += f" = {element.value!r}"
        if shown := [word for flag, word in _SHOWN_FLAGS.items() if flag in element.flags]:
            line += f" ({', '.join(shown)})"
        lines.append(line)
    return "\n".join(lines)
