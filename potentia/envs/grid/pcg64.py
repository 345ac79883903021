"""NumPy's generator, PCG64 with its bounded integers, as scalar functions: the same seed draws the same numbers.

O'Neill 2014, "PCG: a family of simple fast space-efficient statistically good algorithms" (XSL-RR 128/64). Lemire
2019, "Fast random integer generation in an interval", arXiv 1805.10941, over 32-bit halves of its numbers, as in
``numpy.random.Generator.integers``. A row of state: the high and low half of the state and of the increment, whether a
half of the last number is kept, and that half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.compiling import part

STATE = 6
_HIGH, _LOW = np.uint64(2549297995355413924), np.uint64(4865540595714422341)
_HALF, _32, _58, _63, _64 = (np.uint64(x) for x in (0xFFFFFFFF, 32, 58, 63, 64))
_ONE, _ZERO = np.uint64(1), np.uint64(0)


def pcg64_state(generator: np.random.Generator) -> np.ndarray[Any, Any]:
    """The row of state ``(6,)`` of a generator.

    Raises:
        TypeError: If it is not a PCG64.
    """
    state: Any = generator.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise TypeError(f"the generator must be a PCG64, got {state['bit_generator']}")
    whole, increment = state["state"]["state"], state["state"]["inc"]
    low = (1 << 64) - 1
    row = [whole >> 64, whole & low, increment >> 64, increment & low, state["has_uint32"], state["uinteger"]]
    return np.array(row, np.uint64)


def seeded_state(seed: int | None) -> np.ndarray[Any, Any]:
    """The row of state that ``env.reset(seed=seed)`` starts from in Gymnasium."""
    return pcg64_state(np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))))


def any_states(count: int) -> np.ndarray[Any, Any]:
    """Rows of state ``(count, 6)`` of generators with no seed."""
    rows = np.random.default_rng().integers(0, 2**64, (count, STATE), np.uint64)
    rows[:, 3] |= _ONE  # the increment is odd
    rows[:, 4:] = 0
    return rows


@part(inline="always")
def _product(a, b):  # type: ignore[no-untyped-def]
    """The high and low half of a 128-bit product."""
    a0, a1, b0, b1 = a & _HALF, a >> _32, b & _HALF, b >> _32
    low, first, second = a0 * b0, a0 * b1, a1 * b0
    middle = (low >> _32) + (first & _HALF) + (second & _HALF)
    return a1 * b1 + (first >> _32) + (second >> _32) + (middle >> _32), a * b


@part
def next32(rng, n):  # type: ignore[no-untyped-def]
    """32 random bits from row n. Each number of 64 bits serves twice, its low half first."""
    if rng[n, 4] != _ZERO:
        rng[n, 4] = _ZERO
        return rng[n, 5]
    high, low = rng[n, 0], rng[n, 1]
    carry, new_low = _product(low, _LOW)
    new_high = carry + high * _LOW + low * _HIGH
    total = new_low + rng[n, 3]
    new_high = new_high + rng[n, 2] + (_ONE if total < new_low else _ZERO)
    rng[n, 0], rng[n, 1] = new_high, total
    mixed, turn = new_high ^ total, new_high >> _58
    out = (mixed >> turn) | (mixed << ((_64 - turn) & _63))
    rng[n, 4], rng[n, 5] = _ONE, out >> _32
    return out & _HALF


@part
def integers(rng, n, low, high):  # type: ignore[no-untyped-def]
    """A number in low, ..., high - 1 from row n, as ``Generator.integers(low, high)`` draws it."""
    span = np.uint64(high - low)
    if span == _ONE:
        return np.int64(low)
    product = next32(rng, n) * span
    left = product & _HALF
    if left < span:
        threshold = (_HALF - (span - _ONE)) % span
        while left < threshold:
            product = next32(rng, n) * span
            left = product & _HALF
    return np.int64(low) + np.int64(product >> _32)


@part
def shuffle(rng, n, items, count):  # type: ignore[no-untyped-def]
    """``Generator.shuffle`` of a list: from the last place down, each swaps with one drawn from those up to it.

    Places are drawn from as few bits as they need, again while they are too large, not by Lemire's way.
    """
    for i in range(count - 1, 0, -1):
        bits = np.uint64(1)
        while bits < np.uint64(i):
            bits = bits << _ONE | _ONE
        j = next32(rng, n) & bits
        while j > np.uint64(i):
            j = next32(rng, n) & bits
        items[i], items[np.int64(j)] = items[np.int64(j)], items[i]


def generator_of(row: np.ndarray[Any, Any]) -> np.random.Generator:
    """NumPy's generator in the state of a row. It is the inverse of `pcg64_state`."""
    bits = np.random.PCG64()
    high, low, inc_high, inc_low, kept, half = (int(part) for part in row)
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": high << 64 | low, "inc": inc_high << 64 | inc_low},
        "has_uint32": kept,
        "uinteger": half,
    }
    return np.random.Generator(bits)
