"""What the agent sees of a page: a dictionary of parts, in words, in numbers, and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.envs.text_space import plain, text_space
from potentia.envs.web.actions import View
from potentia.envs.web.elements import FLAGS, ROLES, Element, PageState, page_text
from potentia.envs.web.task import WebTask

__all__ = ["PARTS", "Observer"]

PARTS = ("goal", "text", "elements", "fields", "action_mask", "screenshot")
"""The parts that an observation may have. "elements" and "fields" are several arrays each."""

GOAL_BYTES = 256
ELEMENT_BYTES = 48
_GOAL_LENGTH = 1000
_TEXT_LENGTH = 16_000
_ROLE_NUMBERS = {role: index + 1 for index, role in enumerate(ROLES)}
_FAR = 2**15 - 1


class Observer:
    """Turns pages into observations.

    Args:
        task: Its goal and fields are part of what is seen.
        parts: Those of `PARTS` that are wanted, in any order.
        view: The view of actions, which the mask is for.
        rows: E, the rows of the element table.
        fields: K, the candidate texts.

    Raises:
        ValueError: If a part is unknown, or the view has no mask.
    """

    def __init__(self, task: WebTask, parts: Sequence[str], view: View, *, rows: int, fields: int) -> None:
        if unknown := sorted(set(parts) - set(PARTS)):
            raise ValueError(f"observation must be made of {', '.join(PARTS)}, got {', '.join(unknown)}")
        if not parts:
            raise ValueError(f"observation needs at least one part of {', '.join(PARTS)}")
        self.parts = frozenset(parts)
        self._task, self._view, self._rows, self._fields = task, view, rows, fields
        has_mask = view.mask((), (), asks=False, everything=False) is not None
        if "action_mask" in self.parts and not has_mask:
            raise ValueError("this view of actions has no mask: leave 'action_mask' out of the observation")
        self.space = spaces.Dict(self._spaces())

    def _spaces(self) -> dict[str, Any]:
        rows, fields, (width, height) = self._rows, self._fields, self._task.viewport
        found: dict[str, Any] = {}
        if "goal" in self.parts:
            found["goal"] = text_space(_GOAL_LENGTH)
        if "text" in self.parts:
            found["text"] = text_space(_TEXT_LENGTH)
        if "elements" in self.parts:
            found |= {
                "goal_bytes": _bytes(GOAL_BYTES),
                "role": spaces.Box(0, len(ROLES), (rows,), np.uint8),
                "box": spaces.Box(-_FAR - 1, _FAR, (rows, 4), np.int16),
                "flags": spaces.Box(0, 1, (rows, len(FLAGS)), np.uint8),
                "name_bytes": _bytes(rows, ELEMENT_BYTES),
                "value_bytes": _bytes(rows, ELEMENT_BYTES),
            }
        if "fields" in self.parts:
            found["field_bytes"] = _bytes(fields, ELEMENT_BYTES)
        if "action_mask" in self.parts:
            size = len(self._view.mask((), (), asks=False, everything=False))
            found["action_mask"] = spaces.Box(0, 1, (size,), np.int8)
        if "screenshot" in self.parts:
            found["screenshot"] = spaces.Box(0, 255, (height, width, 3), np.uint8)
        return found

    def __call__(self, page: PageState) -> dict[str, Any]:
        """The observation of a page: fresh arrays."""
        task, elements = self._task, page.elements
        seen: dict[str, Any] = {}
        if "goal" in self.parts:
            seen["goal"] = plain(task.goal, _GOAL_LENGTH)
        if "text" in self.parts:
            seen["text"] = plain(page_text(page, self._rows), _TEXT_LENGTH)
        if "elements" in self.parts:
            seen |= self._table(elements)
            seen["goal_bytes"] = padded([task.goal], GOAL_BYTES, 1)[0]
        if "fields" in self.parts:
            seen["field_bytes"] = padded(task.fields, ELEMENT_BYTES, self._fields)
        if "action_mask" in self.parts:
            seen["action_mask"] = self._view.mask(elements, task.fields, task.asks, task.clicks_anything)
        if "screenshot" in self.parts:
            width, height = task.viewport
            blank = np.zeros((height, width, 3), np.uint8)
            seen["screenshot"] = blank if page.screenshot is None else page.screenshot
        return {name: seen[name] for name in self.space}

    def _table(self, elements: Sequence[Element]) -> Mapping[str, Any]:
        rows = self._rows
        shown = elements[:rows]
        role = np.zeros(rows, np.uint8)
        box = np.zeros((rows, 4), np.int16)
        flags = np.zeros((rows, len(FLAGS)), np.uint8)
        if shown:
            count = len(shown)
            role[:count] = [_ROLE_NUMBERS[element.role] for element in shown]
            box[:count] = np.clip([element.box for element in shown], -_FAR, _FAR)
            flags[:count] = [[flag in element.flags for flag in FLAGS] for element in shown]
        return {
            "role": role,
            "box": box,
            "flags": flags,
            "name_bytes": padded([element.name for element in shown], ELEMENT_BYTES, rows),
            "value_bytes": padded([element.value for element in shown], ELEMENT_BYTES, rows),
        }


def padded(texts: Sequence[str], length: int, rows: int) -> np.ndarray[Any, Any]:
    """Texts as UTF-8, ``(rows, length)`` uint8: cut, and padded by zeros."""
    table = np.zeros((rows, length), np.uint8)
    for row, text in enumerate(texts[:rows]):
        data = text.encode()[:length]
        table[row, : len(data)] = np.frombuffer(data, np.uint8)
    return table


def _bytes(*shape: int) -> spaces.Box:
    return spaces.Box(0, 255, shape, np.uint8)
