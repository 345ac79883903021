"""ALFWorld's language: what a command means, and how an object is described."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["HELP", "described", "understand"]

HELP = """Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""
"""What ALFWorld 0.4.2 answers to "help" (MIT License, Copyright (c) 2020 Mohit Shridhar and others)."""

_ALONE = ("look", "inventory", "help")
_ON_A_PLACE = ("go to", "open", "close")
_LINKS = {
    "take": ("from",),
    "move": ("to",),
    "put": ("in/on", "in", "on", "into"),
    "clean": ("with",),
    "heat": ("with",),
    "cool": ("with",),
    "slice": ("with",),
}
_NONE = ("", -1, -1)

Meaning = tuple[str, int, int]


def understand(command: str, places: Sequence[str], objects: Sequence[str]) -> Meaning:
    """The verb of a command and the numbers of the one or two things that it names, or "" if it says nothing.

    "move" is "put", and "examine" is "examine place" where that is what it names.

    >>> understand("Put apple 1 in/on  fridge 1", ["fridge 1"], ["apple 1"])
    ('put', 0, 0)
    >>> understand("eat apple 1", ["fridge 1"], ["apple 1"])
    ('', -1, -1)
    """
    words = command.lower().split()
    if len(words) == 6:
        return _two(words, places, objects)
    if len(words) == 1 and words[0] in _ALONE:
        return words[0], -1, -1
    verb, name = " ".join(words[:-2]), " ".join(words[-2:])
    if name in places and verb in (*_ON_A_PLACE, "examine"):
        return "examine place" if verb == "examine" else verb, places.index(name), -1
    return (verb, objects.index(name), -1) if name in objects and verb in ("use", "examine") else _NONE


def _two(words: list[str], places: Sequence[str], objects: Sequence[str]) -> Meaning:
    """Such as "take apple 1 from fridge 1"."""
    verb, first, second = words[0], " ".join(words[1:3]), " ".join(words[4:])
    others = objects if verb == "slice" else places
    if words[3] not in _LINKS.get(verb, ()) or first not in objects or second not in others:
        return _NONE
    return "put" if verb == "move" else verb, objects.index(first), others.index(second)


def described(name: str, hot: bool, cool: bool, clean: bool, sliced: bool) -> str:
    """What one sees of an object.

    >>> described("apple 1", False, True, True, False)
    'This is a cool and clean apple 1.'
    """
    if cool and not clean and not sliced:
        return f"This is a cold {name}."  # ALFWorld's word for it
    states = " and ".join(word for word, is_so in (("hot", hot), ("cool", cool), ("clean", clean)) if is_so)
    words = [*filter(None, (states,)), *(["sliced"] if sliced else []), name]
    return f"This is a {' '.join(words)}." if len(words) > 1 else f"There's nothing special about {name}."
