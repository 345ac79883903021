"""A short English sentence of what a MiniGrid agent sees and carries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CaptionWriter", "describe_view"]

_KIND = {4: "door", 5: "key", 6: "ball", 7: "box", 8: "goal", 9: "lava"}
_COLOR = ("red", "green", "blue", "purple", "yellow", "grey")
_DOOR_STATE = ("open", "closed", "locked")
_WALL = 2
_MAX_KEPT = 50_000


def describe_view(image: NDArray[np.uint8]) -> str:
    """Describe a partial view.

    Args:
        image: MiniGrid's encoding (object, colour, state) of the view, (V, V, 3) uint8, with the agent in the
            middle of the last row, looking towards the first.

    Returns:
        What is carried and what is seen, nearest first, with its place relative to the agent.
    """
    size = image.shape[0]
    middle, last = size // 2, size - 1
    kind, color, _ = (int(v) for v in image[middle, last])
    carried = f"You carry a {_COLOR[color]} {_KIND[kind]}." if kind in _KIND else "You carry nothing."
    seen: list[tuple[int, int, int, str]] = []
    for column, row in np.argwhere(image[:, :, 0] >= min(_KIND)).tolist():
        if (column, row) == (middle, last):
            continue
        ahead, right = last - row, column - middle
        kind, color, state = (int(v) for v in image[column, row])
        seen.append((ahead + abs(right), ahead, right, f"{_name(kind, color, state)} {_place(ahead, right)}"))
    sentences = [carried]
    if image[middle, last - 1, 0] == _WALL:
        sentences.append("A wall is in front of you.")
    sentences.append("You see " + ", ".join(text for *_, text in sorted(seen)) + "." if seen else "You see nothing.")
    return " ".join(sentences)


def _name(kind: int, color: int, state: int) -> str:
    if kind == 9:
        return "lava"
    if kind == 4:
        return f"{'an' if state == 0 else 'a'} {_DOOR_STATE[state]} {_COLOR[color]} door"
    return f"a {_COLOR[color]} {_KIND[kind]}"


def _place(ahead: int, right: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    if right:
        parts.append(f"{abs(right)} to the {'right' if right > 0 else 'left'}")
    return " and ".join(parts)


class CaptionWriter:
    """`describe_view` that remembers: the same views come again and again."""

    def __init__(self) -> None:
        self._kept: dict[bytes, str] = {}

    def __call__(self, image: NDArray[Any]) -> str:
        """The caption of a view."""
        view = image.tobytes()
        caption = self._kept.get(view)
        if caption is None:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            caption = self._kept[view] = describe_view(image)
        return caption
