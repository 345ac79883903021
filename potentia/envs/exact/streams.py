"""One random stream an environment, the same whether it runs alone or in a batch of thousands."""

from __future__ import annotations

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

__all__ = ["UniformStream", "UniformStreams"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53
_WORD = 2**64 - 1


class UniformStreams:
    """Counter-based uniform numbers: u = mix(key + counter * golden) / 2^64, elementwise over N streams.

    The SplitMix64 generator (Steele, Lea and Flood 2014, OOPSLA). Its state is one word a stream, so a batch
    of environments draws with a few array operations what the single environments would draw one by one.
    """

    def __init__(self, size: int) -> None:
        self._state: NDArray[np.uint64] = np.zeros(size, dtype=np.uint64)

    def seed(self, index: int, generator: np.random.Generator) -> None:
        """Start stream ``index`` anew from a key drawn from ``generator``."""
        self._state[index] = generator.integers(0, 2**64, dtype=np.uint64)

    def seed_from(self, index: int, seed: int | None) -> None:
        """Start stream ``index`` as a single environment reset with ``seed`` would."""
        self.seed(index, seeding.np_random(seed)[0])

    def draw(self, where: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Next number in [0, 1) of each stream, shape (N,).

        Args:
            where: Shape (N,): the streams that advance. The numbers of the others are not to be used.
        """
        step = _GOLDEN if where is None else np.where(where, _GOLDEN, np.uint64(0))
        self._state += step
        z = self._state.copy()
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        z ^= z >> np.uint64(31)
        return (z >> np.uint64(11)).astype(np.float64) * _TO_UNIT


class UniformStream:
    """One stream of `UniformStreams` in plain Python: for one number faster than arrays of length 1.

    Attributes:
        state: The word from which all numbers to come follow.
    """

    def __init__(self) -> None:
        self.state = 0

    def seed(self, generator: np.random.Generator) -> None:
        """Start anew from a key drawn from ``generator``."""
        self.state = int(generator.integers(0, 2**64, dtype=np.uint64))

    def draw(self) -> float:
        """Next number in [0, 1)."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _WORD
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
        z ^= z >> 31
        return (z >> 11) * _TO_UNIT
