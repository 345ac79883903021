"""A hash of the true state of a MiniGrid game, kept up to date cell by cell."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

__all__ = ["StateHash"]

_WORD = 2**64 - 1
_CARRIED = 1 << 20
_AGENT = 1 << 21
_MISSION = 1 << 22


@lru_cache(maxsize=1 << 18)
def _mix(place: int, token: int) -> int:
    """64 well mixed bits of a place and what is there: SplitMix64's finaliser, the same in every process."""
    z = (place * 0x9E3779B97F4A7C15 + token * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & _WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


@lru_cache(maxsize=4096)
def _mission_token(mission: str) -> int:
    return int.from_bytes(hashlib.blake2b(mission.encode(), digest_size=8).digest(), "little")


def _token(thing: Any) -> int:
    """A number for what lies in a cell: kind, colour, state and, for a box, its contents; 0 for nothing."""
    if thing is None:
        return 0
    kind, color, state = thing.encode()
    inside = _token(thing.contains) if thing.contains is not None else 0
    return int(1 + state + 4 * (color + 8 * (kind + 16 * inside)))


class StateHash:
    """h = XOR over all cells of mix(cell, content), and of agent, load and mission (Zobrist 1970).

    The number of steps taken is not part of it, so that the same situation has the same hash at any time.

    Args:
        game: The MiniGrid environment, just reset.
    """

    def __init__(self, game: Any) -> None:
        self._game = game
        self._tokens = [_token(thing) for thing in game.grid.grid]
        self._cells = _mix(_MISSION, _mission_token(game.mission))
        for cell, token in enumerate(self._tokens):
            if token:
                self._cells ^= _mix(cell, token)

    def refresh(self, cell: int) -> None:
        """Take note of a cell, by its index in MiniGrid's list, that may have changed."""
        token = _token(self._game.grid.grid[cell])
        if token != (before := self._tokens[cell]):
            self._cells ^= (_mix(cell, before) if before else 0) ^ (_mix(cell, token) if token else 0)
            self._tokens[cell] = token

    def value(self) -> int:
        """The hash of the present state, a signed 64-bit number."""
        game = self._game
        x, y = game.agent_pos
        pose = (int(y) * game.width + int(x)) * 4 + int(game.agent_dir)
        bits = self._cells ^ _mix(_AGENT, pose) ^ _mix(_CARRIED, _token(game.carrying))
        return bits - 2**64 if bits >= 2**63 else bits
