"""What a reference solution does next, as a line of text: a call, and the boxes that must be seen for it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from potentia.envs.action_text import ActionCall, parse_action

Box = tuple[float, float, float, float]
"""x, y, width, height, in pixels of the page: (x, y) is the corner at the top left."""


@dataclass(frozen=True)
class Reference:
    """The next action of a reference solution.

    Attributes:
        call: The action.
        boxes: Where its targets are. None if the action has no target, or the page no layout.
    """

    call: ActionCall
    boxes: tuple[Box, ...] = ()


def parse_reference(text: str) -> Reference | None:
    r"""Reads a reference: an action (see `potentia.envs.action_text`), then, in a second line, boxes as JSON.

    Returns None for "", which says that there is no reference here.

    Raises:
        ValueError: If the text is none of these.

    >>> parse_reference('click(3)\n[[10, 20, 80, 24]]')
    Reference(call=ActionCall(name='click', arguments=(3,)), boxes=((10.0, 20.0, 80.0, 24.0),))
    """
    if not text:
        return None
    action, _, boxes = text.partition("\n")
    return Reference(parse_action(action), parse_boxes(boxes) if boxes.strip() else ())


def parse_boxes(text: str) -> tuple[Box, ...]:
    """Reads boxes: a JSON list of lists of four numbers, ``[[x, y, width, height], ...]``, with widths and heights > 0.

    Raises:
        ValueError: If it is anything else.
    """
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"boxes must be JSON, [[x, y, width, height], ...]: {type(error).__name__}") from error
    if not isinstance(rows, list):
        raise ValueError(f"boxes must be a list, [[x, y, width, height], ...], got {type(rows).__name__}")
    return tuple(_box(row) for row in rows)


def _box(row: Any) -> Box:
    numbers = isinstance(row, list) and len(row) == 4 and all(type(value) in (int, float) for value in row)
    try:
        box = tuple(float(value) for value in row) if numbers else ()
    except OverflowError:
        box = ()
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise ValueError("a box must be four finite numbers, [x, y, width, height], with a width and a height above 0")
    return box


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def inside(x: float, y: float, box: Box) -> bool:
    """Whether a point lies in a box, its rim included."""
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
