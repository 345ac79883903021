"""Random numbers of the control worlds: one word of state a world, drawn from inside compiled loops."""

from __future__ import annotations

import numpy as np
from gymnasium.utils import seeding

from potentia.compiling import part

__all__ = ["between", "seed_row", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(bits) for bits in (30, 27, 31, 11))
_TO_UNIT = 2.0**-53


@part
def uniform(draws):  # type: ignore[no-untyped-def]
    """The next number in [0, 1) of a row of state ``(1,)`` uint64: SplitMix64 (Steele, Lea and Flood 2014, OOPSLA)."""
    draws[0] += _GOLDEN
    z = draws[0]
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    z = z ^ (z >> _31)
    return np.float64(z >> _11) * _TO_UNIT


@part
def between(draws, low, high):  # type: ignore[no-untyped-def]
    """The next number in [low, high)."""
    return low + (high - low) * uniform(draws)


def seed_row(row: np.ndarray, seed: int | None) -> None:
    """Starts a row of state anew, as a Gymnasium environment's ``reset(seed=seed)`` seeds its generator."""
    row[0] = seeding.np_random(seed)[0].integers(0, 2**64, dtype=np.uint64)
