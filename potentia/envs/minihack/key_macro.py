"""What APPLY does in the stock KeyRoom tasks: with a key beside a closed door, unlock it and open it."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.envs.minihack.stock_game import nethack

BUFFERS = ("inv_strs", "inv_letters")
_ATTEMPTS = 50
_AROUND = (
    (-1, -1, "y"),
    (-1, 0, "k"),
    (-1, 1, "u"),
    (0, -1, "h"),
    (0, 1, "l"),
    (1, -1, "b"),
    (1, 0, "j"),
    (1, 1, "n"),
)


def closed_door_glyphs() -> frozenset[int]:
    """The glyphs that NetHack draws for a closed door, locked or not."""
    game = nethack()
    return frozenset(
        glyph
        for glyph in range(game.GLYPH_CMAP_OFF, game.MAX_GLYPH)
        if game.glyph_is_cmap(glyph) and game.symdef.from_idx(game.glyph_to_cmap(glyph)).explanation == "closed door"
    )


def direction_of(glyphs: np.ndarray, column: int, row: int, wanted: frozenset[int]) -> str | None:
    """The movement key towards the first neighbour, row by row, that shows a wanted glyph."""
    for down, over, key in _AROUND:
        y, x = row + down, column + over
        if 0 <= y < glyphs.shape[0] and 0 <= x < glyphs.shape[1] and int(glyphs[y, x]) in wanted:
            return key
    return None


def use_key(game: Any, buffers: dict[str, np.ndarray], doors: frozenset[int]) -> bool:
    """Applies a carried key to a closed door beside the hero, then pulls at the door until it opens.

    The stock tasks pull without end. Here it is at most 50 times, since a door that the key has *locked* (it
    was closed but not locked) never opens.

    Args:
        game: the stock task.
        buffers: its observation buffers by name, with `BUFFERS` among them.
        doors: `closed_door_glyphs()`.

    Returns:
        Whether the game ended meanwhile.
    """
    letter = _letter_of_key(buffers)
    column, row = (int(value) for value in buffers["blstats"][:2])
    key = direction_of(buffers["glyphs"], column, row, doors)
    if letter is None or key is None:
        return False
    press = game.nethack.step
    for code in (int(nethack().Command.APPLY), letter, ord(key)):
        press(code)
    observation, done = press(ord("y"))
    observation, done = game._perform_known_steps(observation, done, exceptions=True)
    for _ in range(_ATTEMPTS):
        if done:
            break
        observation, done = press(ord(key))
        observation, done = game._perform_known_steps(observation, done, exceptions=True)
        column, row = (int(value) for value in buffers["blstats"][:2])
        if direction_of(buffers["glyphs"], column, row, doors) is None:
            break
    return bool(done)


def _letter_of_key(buffers: dict[str, np.ndarray]) -> int | None:
    for letter, line in zip(buffers["inv_letters"].tolist(), buffers["inv_strs"], strict=True):
        if not letter:
            return None
        if b"key" in line.tobytes():
            return int(letter)
    return None
