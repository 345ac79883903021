"""Words in padded bytes, as numbers, and where they stand in a goal: what a network need not learn to spell."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.compiling import part

Array = np.ndarray[Any, Any]

_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_HALF, _ONE = np.uint64(32), np.uint64(1)
_ZERO, _NINE = ord("0"), ord("9")

# A number for each byte: 0 for what separates words, the same for a capital and its small letter. Bytes from 128 on are
# parts of letters in UTF-8.
_LETTERS = np.array([byte if byte >= 128 or chr(byte).isalnum() else 0 for byte in bytes(range(256)).lower()], np.uint8)


@part
def split_words(text: Array, out: Array) -> int:
    """Hashes of the runs of letters and digits, without regard to ASCII capitals and leading zeros.

    Returns how many there are.

    FNV-1a of 64 bits: Fowler, Noll, Vo and Eastlake, "The FNV non-cryptographic hash algorithm".

    Args:
        text: ``(L,)`` uint8, UTF-8 padded by 0.
        out: ``(W,)`` uint64, filled from the front. Further words are dropped.
    """
    count, inside, number = 0, False, _OFFSET
    for place, byte in enumerate(text):
        letter = _LETTERS[byte]
        if not inside and byte == _ZERO and place + 1 < len(text) and _ZERO <= text[place + 1] <= _NINE:
            continue  # the day 09 is the day 9
        if letter != 0:
            if not inside and count == len(out):
                break
            number = ((number if inside else _OFFSET) ^ np.uint64(letter)) * _PRIME
            inside = True
            out[count] = number
        elif inside:
            count, inside = count + 1, False
    return count + 1 if inside else count


@part
def bucket(word: Any, count: int) -> int:
    """Which of the vectors ``1 ... count - 1`` a word has. 0 is no word."""
    return int(_ONE + (word ^ (word >> _HALF)) % np.uint64(count - 1))


@part
def same_words(one: Array, other: Array) -> bool:
    """Whether two texts are the same words in the same order. Texts without words are never the same."""
    place = 0
    while place < min(len(one), len(other)) and one[place] == other[place]:
        place += 1
    return place == len(one) == len(other) > 0


@part
def find_phrase(phrase: Array, goal: Array, begins: Array) -> int:
    """Marks where all words of a phrase stand in the goal one after another. Returns the first such place, or -1.

    Args:
        phrase: ``(n,)`` words.
        goal: ``(g,)`` words.
        begins: ``(g,)`` bool, set to whether the phrase begins there.
    """
    first = -1
    for place in range(len(goal)):
        begins[place] = same_words(phrase, goal[place : place + len(phrase)])
        if begins[place] and first < 0:
            first = place
    return first


@part
def find_words(phrase: Array, goal: Array, found: Array) -> tuple[float, float]:
    """Marks the goal's words that are in a phrase.

    Returns the share of the phrase's words in the goal, and the reverse.

    Args:
        phrase: ``(n,)`` words.
        goal: ``(g,)`` words.
        found: ``(g,)`` bool, set to whether the phrase has the word.
    """
    found[:] = False
    shared = 0
    for word in phrase:
        known = False
        for place in range(len(goal)):
            if goal[place] == word:
                found[place] = known = True
        shared += known
    return shared / max(len(phrase), 1), found.sum() / max(len(goal), 1)


@part
def nearness(found: Array, length: int, begin: int, end: int) -> tuple[float, float]:
    """``1 / (1 + words between)`` to what was found nearest before, and nearest after, a span of the goal, or 0.

    Args:
        found: ``(g,)`` bool: where something of ``length`` words begins in the goal.
        length: The number of words of what was found.
        begin: The first word of the span. It is negative if the span is nowhere.
        end: The word after it.
    """
    if begin < 0:
        return 0.0, 0.0
    before, after = 0.0, 0.0
    for place in range(len(found)):
        if found[place]:
            if place + length <= begin:
                before = max(before, 1.0 / (1 + begin - place - length))
            elif place >= end:
                after = max(after, 1.0 / (1 + place - end))
    return before, after
