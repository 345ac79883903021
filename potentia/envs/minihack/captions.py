"""One line of text for each state: the game's own message, or else what the hero can see."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.minihack.stock_game import nethack

_NAMED_THINGS = 4
_CAPTIONS_KEPT = 4096
# Which potion is which differs from game to game and its glyph would give it away, so these go by their
# class.
_UNIDENTIFIED = {4: "ring", 5: "amulet", 8: "potion", 9: "scroll", 10: "spellbook", 11: "wand"}
_UNREMARKABLE = (
    "stone",
    "wall",
    "dark part of a room",
    "floor of a room",
    "corridor",
    "lit corridor",
    "doorway",
)


def message_text(message: NDArray[np.uint8]) -> str:
    """The game's message as a string on one line, without padding.

    Args:
        message: NLE's message buffer, (256,), ended by a zero byte.
    """
    raw = message.tobytes()
    return " ".join(raw[: raw.find(b"\0")].decode("ascii", "replace").split())


class Surroundings:
    """Describes what is in sight: the nearest of each remarkable kind, with distance and direction."""

    def __init__(self) -> None:
        names = glyph_names()
        self._remarkable = np.array([name is not None for name in names])
        self._names = names
        self._said: dict[tuple[int, int, bytes, bytes], str] = {}

    def describe(self, glyphs: NDArray[np.int16], column: int, row: int) -> str:
        """For example "staircase down 3 east; closed door 1 north", or "nothing in sight".

        Args:
            glyphs: the whole map as seen, (21, 79).
            column: the hero's column.
            row: the hero's row.
        """
        flat = glyphs.ravel()
        found = np.flatnonzero(self._remarkable.take(flat))
        seen = flat[found]
        key = (column, row, found.tobytes(), seen.tobytes())
        if key not in self._said:
            if len(self._said) >= _CAPTIONS_KEPT:
                self._said.clear()
            self._said[key] = self._sentence(found, seen, glyphs.shape[1], column, row)
        return self._said[key]

    def _sentence(self, found: NDArray[Any], seen: NDArray[Any], width: int, column: int, row: int) -> str:
        things: list[tuple[int, int, str, str]] = []
        for place, glyph in zip(found.tolist(), seen.tolist(), strict=True):
            down, east = place // width - row, place % width - column
            if (down, east) != (0, 0):
                things.append((max(abs(down), abs(east)), place, str(self._names[glyph]), _direction(down, east)))
        nearest: dict[str, str] = {}
        for steps, _, name, where in sorted(things):
            nearest.setdefault(name, f"{name} {steps} {where}")
        return "; ".join([*nearest.values()][:_NAMED_THINGS]) or "nothing in sight"


def _direction(down: int, east: int) -> str:
    """The compass point of a displacement. It is diagonal if its smaller part is at least half of the larger."""
    vertical = "" if 2 * abs(down) < abs(east) else "south" if down > 0 else "north"
    horizontal = "" if 2 * abs(east) < abs(down) else "east" if east > 0 else "west"
    return vertical + horizontal


@functools.cache
def glyph_names() -> tuple[str | None, ...]:
    """The name of every glyph, or None for what is not worth a word (floor, walls, the dark)."""
    return tuple(_glyph_name(glyph) for glyph in range(nethack().MAX_GLYPH + 1))


def _glyph_name(glyph: int) -> str | None:
    game = nethack()
    if glyph >= game.MAX_GLYPH or glyph == game.NO_GLYPH:
        return None
    name: str | None = None
    if game.glyph_is_cmap(glyph):
        name = game.symdef.from_idx(game.glyph_to_cmap(glyph)).explanation
    elif game.glyph_is_monster(glyph):
        name = game.permonst(game.glyph_to_mon(glyph)).mname
    elif game.glyph_is_body(glyph):
        name = "corpse"
    elif game.glyph_is_normal_object(glyph):
        kind = game.objclass(game.glyph_to_obj(glyph))
        name = _UNIDENTIFIED.get(ord(kind.oc_class)) or game.OBJ_DESCR(kind) or game.OBJ_NAME(kind)
    return None if not name or name in _UNREMARKABLE else name
