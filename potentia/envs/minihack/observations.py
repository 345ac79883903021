"""Turns NLE's shared buffers into fresh observations, at the cost of a few small copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from potentia.envs.minihack.stock_game import nethack

DEFAULT_KEYS = ("glyphs_crop", "blstats")

BLSTATS_SCALE = np.array(
    [
        # x, y, strength percentage, strength, dexterity, constitution, intelligence, wisdom, charisma, score
        *(78, 20, 125, 25, 25, 25, 25, 25, 25, 10_000),
        # hit points and their maximum, depth, gold, energy and its maximum, armour class, monster level
        *(100, 100, 50, 1_000, 100, 100, 20, 50),
        # experience level and points, turns, hunger, load, dungeon number and level, conditions, alignment
        *(30, 10_000, 5_000, 6, 5, 10, 50, 2**13, 1),
    ],
    dtype=np.float32,
)
"""What each of NLE's 27 bottom-line numbers is divided by before it is clipped to [-1, 1]."""

_CROPPABLE = ("glyphs", "chars", "colors", "specials")
_BLANK = ord(" ")
_LOWEST, _HIGHEST = np.float32(-1), np.float32(1)


def _scaled(blstats: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = blstats.astype(np.float32)
    np.divide(scaled, BLSTATS_SCALE, out=scaled)
    # Two ufuncs: np.clip takes five times as long on 27 numbers.
    np.maximum(scaled, _LOWEST, out=scaled)
    np.minimum(scaled, _HIGHEST, out=scaled)
    return scaled


class Observer:
    """Makes a dictionary observation of the wanted keys.

    `glyphs_crop` (int16), `chars_crop`, `colors_crop` and `specials_crop` (uint8) are squares around the
    hero. The key `blstats` is float32 (27,), scaled into [-1, 1]. Every other key is NLE's buffer of that name,
    copied.

    Args:
        keys: the observation's keys.
        crop: side of the square, odd.

    Raises:
        ValueError: on an unknown key, no key, or an even crop.
    """

    def __init__(self, keys: Sequence[str], crop: int) -> None:
        if crop < 1 or crop % 2 == 0:
            raise ValueError(f"crop must be odd and positive, so that the hero is in its middle; got {crop}")
        known = dict(nethack().OBSERVATION_DESC)
        choices = sorted({*known, *(f"{key}_crop" for key in _CROPPABLE)})
        unknown = [key for key in keys if key not in choices]
        if unknown or not keys:
            raise ValueError(f"observation_keys must be some of {choices}, got {list(keys)}")
        self._crop, self._half = crop, crop // 2
        self._sources = {key: key.removesuffix("_crop") for key in keys}
        self._padding = {
            key: nethack().GLYPH_CMAP_OFF if key == "glyphs_crop" else _BLANK if key == "chars_crop" else 0
            for key in keys
        }
        self.buffers = tuple(dict.fromkeys(self._sources.values()))
        self.space = spaces.Dict({key: self._box(key, known[self._sources[key]]) for key in keys})

    def observe(self, buffers: Mapping[str, NDArray[np.generic]], column: int, row: int) -> dict[str, np.ndarray]:
        """A fresh observation.

        Args:
            buffers: NLE's buffers by name.
            column: the hero's column.
            row: the hero's row.
        """
        observation: dict[str, np.ndarray] = {}
        for key, source in self._sources.items():
            buffer = buffers[source]
            if key == "blstats":
                observation[key] = _scaled(buffer)
            elif key == source:
                observation[key] = buffer.copy()
            else:
                observation[key] = self._cropped(buffer, self._padding[key], column, row)
        return observation

    def _cropped(self, buffer: np.ndarray, padding: int, column: int, row: int) -> np.ndarray:
        rows, columns = buffer.shape
        top, left = row - self._half, column - self._half
        bottom, right = top + self._crop, left + self._crop
        if top >= 0 and left >= 0 and bottom <= rows and right <= columns:
            return buffer[top:bottom, left:right].copy()
        crop = np.full((self._crop, self._crop), padding, buffer.dtype)
        inside = buffer[max(top, 0) : bottom, max(left, 0) : right]
        down, across = max(-top, 0), max(-left, 0)
        crop[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
        return crop

    def _box(self, key: str, description: Mapping[str, Any]) -> spaces.Box:
        dtype = np.dtype(description["dtype"])
        shape = (self._crop, self._crop) if key != self._sources[key] else description["shape"]
        if key == "blstats":
            return spaces.Box(-1.0, 1.0, shape, np.float32)
        low, high = (0, nethack().MAX_GLYPH) if "glyphs" in key else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return spaces.Box(low, high, shape, dtype.type)
