"""What Numba's cache on disk needs to know.

It knows neither how a function was to be compiled nor what it calls in other files, but it knows the values that the
function encloses. So each compiled loop is made by a function and encloses a key, which differs with both.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_RULES = (
    "cells.py",
    "description.py",
    "distance.py",
    "pcg64.py",
    "rules.py",
    "worlds.py",
    "levels/*.py",
    "../light.py",
)


def _digest() -> int:
    """A number that changes with any of the rules' sources."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for pattern in _RULES for path in sorted(folder.glob(pattern))]
    return int.from_bytes(hashlib.sha256(b"".join(texts)).digest()[:4], "big")


SOURCES = _digest()
