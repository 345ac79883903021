"""The space of real texts."""

from __future__ import annotations

import functools
import re

from gymnasium import spaces

__all__ = ["plain", "text_space", "well_formed"]

_FIRST, _LAST = 32, 0x2000
_OTHERS = frozenset("\n\t")
_FOREIGN = re.compile(f"[^{chr(_FIRST)}-{chr(_LAST - 1)}\n\t]")
_PLAIN = bytes(range(_FIRST, 0x80)) + "".join(_OTHERS).encode()
_HALF = re.compile("[\ud800-\udfff]")


@functools.cache
def _characters() -> frozenset[str]:
    return frozenset(map(chr, range(_FIRST, _LAST))) | _OTHERS


def text_space(length: int) -> spaces.Text:
    """Texts of up to ``length`` characters of the alphabets below U+2000, with spaces, tabs and new lines."""
    return spaces.Text(length, min_length=0, charset=_characters())


def well_formed(text: str) -> str:
    """A text with U+FFFD for each half of a pair of surrogates that stands alone, which no encoding can write.

    >>> well_formed("half " + chr(0xD83D)) == "half " + chr(0xFFFD)
    True
    """
    return _HALF.sub("\ufffd", text)


def plain(text: str, length: int) -> str:
    """A text as a member of ``text_space(length)``: cut, and with "?" for each character that is none of its."""
    text = text[:length]
    if text.isascii() and not text.encode().translate(None, _PLAIN):  # ten times as fast, and most texts are
        return text
    return _FOREIGN.sub("?", text)
