"""Texts as vectors, for learners that can't read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.text.game import text_hash

__all__ = ["KeptVectors", "Vector", "hashed_words"]

Vector = NDArray[np.float32]

_KEPT = 10_000

_WORD = re.compile(r"[a-z0-9]+")


def hashed_words(text: str, width: int) -> Vector:
    """The words of a text in ``width`` numbers: each word adds its sign at its place, and the length is made 1.

    Weinberger et al. 2009, arXiv 0902.2206. Place and sign are those of a hash that is equal in each process. A text
    without words is 0.

    >>> hashed_words("take the key", 8).round(2).tolist() == hashed_words("The key: take!", 8).round(2).tolist()
    True
    """
    vector = np.zeros(width, np.float32)
    for word in _WORD.findall(text.lower()):
        place = text_hash(word)
        vector[(place >> 1) % width] += 1.0 if place & 1 else -1.0
    length = float(np.sqrt(vector @ vector))
    return vector / length if length else vector


class KeptVectors:
    """Vectors of texts, each made once and kept, up to 10,000 of them.

    Args:
        width: W.
        encoder: From a text and W to float32 ``(W,)``: a pure function. None is `hashed_words`.
    """

    def __init__(self, width: int, encoder: Callable[[str, int], Any] | None) -> None:
        self.width, self.encoder = width, encoder or hashed_words
        self._kept: dict[str, Vector] = {}

    def __call__(self, text: str) -> Vector:
        """The vector itself, which must not be changed.

        Raises:
            ValueError: If the encoder gives one of another shape.
        """
        if text not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            vector = np.asarray(self.encoder(text, self.width), np.float32)
            if vector.shape != (self.width,):
                raise ValueError(f"the encoder must give vectors of shape ({self.width},), got {vector.shape}")
            self._kept[text] = vector
        return self._kept[text]
