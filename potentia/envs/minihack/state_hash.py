"""A stable 63-bit number for the true state of a game."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from potentia.envs.minihack.hidden_state import HiddenState
from potentia.envs.minihack.oracles import Question

# Score and turn counter grow on their own: with them no state would ever come back.
_NOT_STATE = [9, 20]
_MASK = (1 << 63) - 1


class StateHash:
    """Hashes what the true state consists of, seen or not.

    In: terrain and doors, the hero's place and bottom-line numbers without score and turn counter, what is
        carried, objects, monsters with their hit points, traps, and the command whose question is open. Out:
        what the hero remembers, the turn counter, the random number generators, and how hungry the hero is
        within one stage of hunger.
    """

    def __init__(self) -> None:
        self._map = b""
        self._map_digest = b""

    def __call__(
        self, state: HiddenState, blstats: NDArray[np.int64], question: Question | None, *, solved: bool
    ) -> int:
        """The hash.

        Args:
            state: the true state, refreshed.
            blstats: NLE's bottom-line numbers, (27,).
            question: what the game is waiting to be told, if anything.
            solved: whether the task has been solved in this state.
        """
        if state.map is not self._map:
            self._map = state.map
            self._map_digest = hashlib.blake2b(state.map, digest_size=16).digest()
        numbers = blstats.copy()
        numbers[_NOT_STATE] = 0
        rest = f"{question and tuple(question)},{solved}".encode("ascii")
        return stable_hash(self._map_digest, numbers.tobytes(), state.fingerprint(), rest)


def stable_hash(*parts: bytes) -> int:
    """A non-negative 63-bit hash of some bytes, the same in every process."""
    digest = hashlib.blake2b(b"".join(parts), digest_size=8).digest()
    return int.from_bytes(digest, "little") & _MASK
