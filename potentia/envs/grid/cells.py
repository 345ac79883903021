"""What can stand in a cell, as one byte, and the tables that say how each behaves."""

from __future__ import annotations

from typing import Any

import numpy as np

UNSEEN, EMPTY, WALL, FLOOR, DOOR, KEY, BALL, BOX, GOAL, LAVA = range(10)
"""MiniGrid's kinds of objects, by its numbers. The tenth, the agent, is not a cell."""
RED, GREEN, BLUE, PURPLE, YELLOW, GREY = range(6)
OPEN, CLOSED, LOCKED = range(3)

_COLORS = range(6)
_PLAIN = [(UNSEEN, 0, 0), (EMPTY, 0, 0)]
_PLAIN += [(kind, color, 0) for kind in (WALL, FLOOR, GOAL, LAVA) for color in _COLORS]
_PLAIN += [(DOOR, color, state) for color in _COLORS for state in (OPEN, CLOSED, LOCKED)]
_PLAIN += [(kind, color, 0) for kind in (KEY, BALL, BOX) for color in _COLORS]
# A box that hides a key or a ball looks like one that hides nothing.
_HIDING = [((BOX, color, 0), (kind, inside, 0)) for color in _COLORS for kind in (KEY, BALL) for inside in _COLORS]

LOOKS: tuple[tuple[int, int, int], ...] = (*_PLAIN, *(look for look, _ in _HIDING))
"""What the agent sees of each code: object, colour, state."""
SIZE = 256
"""The tables' length. Codes are less."""

_FIRST = {look: code for code, look in reversed(list(enumerate(LOOKS)))}
_WITHIN = {pair: len(_PLAIN) + index for index, pair in enumerate(_HIDING)}


def code(kind: int, color: int = 0, state: int = 0, inside: tuple[int, int] | None = None) -> int:
    """The code of an object, for a box with the kind and colour of what it hides.

    Raises:
        ValueError: If there is no such object.
    """
    look = (int(kind), int(color), int(state))
    try:
        return _FIRST[look] if inside is None else _WITHIN[look, (int(inside[0]), int(inside[1]), 0)]
    except KeyError:
        hides = "" if inside is None else f" that hides {inside}"
        raise ValueError(f"no cell can hold the object (kind, colour, state) = {look}{hides}") from None


def _table(of: Any) -> np.ndarray[Any, Any]:
    table = np.zeros(SIZE, np.uint8)
    table[: len(LOOKS)] = [of(*look) for look in LOOKS]
    return table


def _toggled() -> np.ndarray[Any, Any]:
    """``(SIZE, SIZE)``: what becomes of a cell that is toggled, for each thing that the agent may carry."""
    table = np.repeat(np.arange(SIZE, dtype=np.uint8)[:, None], SIZE, axis=1)
    for cell, (kind, color, state) in enumerate(LOOKS):
        if kind == DOOR and state == LOCKED:
            table[cell, code(KEY, color)] = code(DOOR, color, OPEN)
        elif kind == DOOR:
            table[cell] = code(DOOR, color, OPEN if state == CLOSED else CLOSED)
        elif kind == BOX:
            table[cell] = EMPTY
    for (_, inside), cell in _WITHIN.items():
        table[cell] = code(*inside)
    return table


_SEE_THROUGH = _table(lambda kind, color, state: kind != WALL and not (kind == DOOR and state != OPEN))
LOOK = np.zeros(SIZE, np.uint32)
"""Object, colour and state in the bytes from the lowest up. Bit 24: light passes."""
LOOK[: len(LOOKS)] = [kind | color << 8 | state << 16 for kind, color, state in LOOKS]
LOOK |= _SEE_THROUGH.astype(np.uint32) << 24
ENTER = _table(lambda kind, color, state: kind in (EMPTY, FLOOR, GOAL, LAVA) or (kind == DOOR and state == OPEN))
PICK_UP = _table(lambda kind, color, state: kind in (KEY, BALL, BOX))
TOGGLED = _toggled()
KIND = _table(lambda kind, color, state: kind)
