"""What a MiniWoB++ goal names: the texts that may have to be typed or chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["named_texts"]

_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”')
_DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")
_TIME = re.compile(r"\b(\d{1,2}):(\d{2}) ?([AP]M)\b")
# Not the "3" of "3rd", the "0" of "0-9" or a digit within a word.
_NUMBER = re.compile(r"(?<![\w.-])[$]?-?\d+(?:\.\d+)?(?![\w-])")
_ROUTE = re.compile(r"\bfrom: (.+?) to: (.+?) on \d")
_LISTED = re.compile(
    r"^(?:select|check|choose|click|find|enter|pick)\b(?: on| the)*(?: (?:words|items|options|boxes))?(.*)", re.I
)
_CHOSEN = re.compile(r"\bchoose (.+?) from the dropdown", re.I)
_ENDS = re.compile(r"\b(?:and (?:then )?(?:click|press|hit|submit)|then|(?:as|from|with|in|into|on) the)\b", re.I)
_CASE = re.compile(r"\b(upper|lower) case\b")


def named_texts(goal: str, given: Iterable[str] = (), stressed: Iterable[str] = ()) -> tuple[str, ...]:
    """The texts that a goal names, without repetition, the likeliest first.

    First come those given. The quoted ones follow, in the case asked for. The two ends of a route are next, then what
    to choose from a list. Stressed texts follow, unless they say what a quoted one is. Then come dates and times, in
    words and as form controls hold them. What is listed after the first verb counts if nothing else was found. Numbers
    come last.

    >>> named_texts('Enter "bob" into the text field and press Submit.')
    ('bob',)
    >>> named_texts("Select G2e, HHC and click Submit.")
    ('G2e', 'HHC')
    >>> named_texts("Enter 1:17 PM as the time and press submit.")
    ('1:17 PM', '13:17')
    """
    quoted = [first or second for first, second in _QUOTED.findall(goal)]
    if case := _CASE.search(goal):
        quoted = [text.upper() if case[1] == "upper" else text.lower() for text in quoted] + quoted
    rest = _QUOTED.sub(" ", goal)
    stressed = [text for text in stressed if f'{text} "' not in goal]  # such as: the username "bob"
    route = _ROUTE.search(rest)
    found = [*given, *quoted, *(route.groups() if route else ()), *_CHOSEN.findall(rest), *stressed, *_moments(rest)]
    if not found:
        found += _listed(rest)
    found += _NUMBER.findall(_TIME.sub(" ", _DATE.sub(" ", rest)))
    return tuple(dict.fromkeys(text.strip() for text in found if text.strip()))


def _moments(text: str) -> Iterator[str]:
    """Dates and times: as they stand, then as YYYY-MM-DD and HH:MM."""
    for found in _DATE.finditer(text):
        yield from (found[0], f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}")
    for found in _TIME.finditer(text):
        hour = int(found[1]) % 12 + (12 if found[3] == "PM" else 0)
        yield from (found[0], f"{hour:02d}:{found[2]}")


def _listed(text: str) -> list[str]:
    """What follows the verb, up to the next thing to do."""
    listed = _LISTED.match(text.strip())
    if listed is None:
        return []
    clause = _ENDS.split(listed[1], maxsplit=1)[0]
    parts = (part.strip(" .:;") for part in re.split(r",(?! *\d+\))|\band\b", clause))
    return [part for part in parts if 0 < len(part) <= 40]
