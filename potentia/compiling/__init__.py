"""Loops over arrays, written as plain Python, which Numba compiles for this machine when that is worth it.

A loop decorated with `compiled` runs as the Python that it is until so much time went into it that compiling pays, or
until what an earlier process compiled is worth loading. So nobody waits for a compiler before the first result, and
Numba is not even imported before it is needed. A function that such a loop calls is decorated with `part`; it stays an
ordinary function.
"""

from __future__ import annotations

from potentia.compiling.linking import dispatcher, linked, part, prange
from potentia.compiling.loops import Compiled, compiled, patience

__all__ = ["Compiled", "compiled", "dispatcher", "linked", "part", "patience", "prange"]
