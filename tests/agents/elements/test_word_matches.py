"""Words in bytes against Python's own strings, and where they stand in a goal, by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.agents.elements.word_matches import bucket, find_phrase, find_words, nearness, same_words, split_words

# What compiled loops call is called here as plain Python, in which NumPy tells that hashes wrap around.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar")


def octets(text: str, length: int = 80) -> np.ndarray:
    return np.frombuffer(text.encode()[:length].ljust(length, b"\0"), np.uint8).copy()


def hashes(text: str, count: int = 24) -> np.ndarray:
    out = np.zeros(count, np.uint64)
    return out[: split_words(octets(text), out)]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text("abAB01 .-\"'é", max_size=24), min_size=2, max_size=2))
def test_texts_are_the_same_if_their_words_are(texts: list[str]) -> None:
    words = (re.findall(r"[a-z0-9é]+", text.lower()) for text in texts)
    one, two = ([re.sub(r"^0+(?=[0-9])", "", word) for word in text] for text in words)
    assert [len(hashes(text)) for text in texts] == [len(one), len(two)]
    assert same_words(hashes(texts[0]), hashes(texts[1])) == (one == two != [])


def test_words_by_hand() -> None:
    assert hashes("SAVE a@b.c").tolist() == hashes(" save: A b-C!").tolist()
    assert len(set(hashes("save saved sav e ave").tolist())) == 5
    assert len(hashes("one two three four", 3)) == 3
    assert same_words(hashes("09/04 at 007"), hashes("9.4. at 7"))
    # FNV-1a of 64 bits of "a" is the published af63dc4c8601ec8c.
    assert hashes("A").tolist() == [0xAF63DC4C8601EC8C]
    assert {bucket(word, 16) for word in hashes("a b c d e f g h i j k l m n o p")} <= set(range(1, 16))


GOAL = 'In the compose form fill To with "a@b.c" and Due date with "Hi"'
#       0  1   2       3    4    5  6     7 8 9  10  11  12   13    14


def test_where_things_stand_in_the_goal_by_hand() -> None:
    goal = hashes(GOAL)
    assert len(goal) == 15
    found = np.zeros(15, np.bool_)
    assert find_phrase(hashes("Due Date:"), goal, found) == 11
    assert np.flatnonzero(found).tolist() == [11]
    assert nearness(found, 2, 14, 15) == (0.5, 0.0)  # "with" stands between it and "Hi"
    assert nearness(found, 2, 7, 10) == (0.0, 0.5)  # "and" stands between a@b.c and it
    assert nearness(found, 2, -1, -1) == (0.0, 0.0)
    assert find_phrase(hashes("date due"), goal, found) == -1
    assert find_phrase(hashes("hi there"), goal, found) == -1
    assert find_phrase(hashes("with"), goal, found) == 6
    assert nearness(found, 1, 14, 15) == (1.0, 0.0)  # the nearer of two
    assert find_words(hashes("Date of birth"), goal, found) == (pytest.approx(1 / 3), pytest.approx(1 / 15))
    assert find_words(hashes("with"), goal, found) == (1.0, pytest.approx(2 / 15))
    assert np.flatnonzero(found).tolist() == [6, 13]
    assert find_words(hashes(""), goal, found) == (0.0, 0.0)
