"""What a MiniWoB++ goal names: the texts that may have to be typed or chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["named_texts"]

_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”')
_PRECISE = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}|\d{1,2}:\d{2}\s?[AP]M|[$]?-?\d+(?:\.\d+)?%?")
_LISTED = re.compile(r"^(?:select|check|choose|click|find|enter|pick)\b(?: on| the)*(?: (?:words|items|options|boxes))?(.*)", re.I)
_ENDS = re.compile(r"\b(?:and (?:then )?(?:click|press|hit)|then|from the|in the|into the|on the)\b", re.I)


def named_texts(goal: str, given: Iterable[str] = ()) -> tuple[str, ...]:
    """The texts that a goal names, without repetition: those given, the quoted ones, dates, times and numbers, and where
    nothing is quoted, what is listed after the first verb.

    >>> named_texts('Enter "bob" into the text field and press Submit.')
    ('bob',)
    >>> named_texts("Select G2e, HHC and click Submit.")
    ('G2e', 'HHC')
    """  # noqa: D205 - one sentence
    found = [text for text in given if text]
    quoted = [first or second for first, second in _QUOTED.findall(goal)]
    found += quoted
    rest = _QUOTED.sub(" ", goal)
    if not quoted and (listed := _LISTED.match(rest.strip())):
        said = _ENDS.split(listed[1], maxsplit=1)[0]
        parts = (part.strip(" .:;") for part in re.split(r",|\band\b", said))
        found += [part for part in parts if 0 < len(part) <= 40]
    found += _PRECISE.findall(rest)
    return tuple(dict.fromkeys(found))
