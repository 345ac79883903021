"""The value of a state as it was when the state was entered: what makes a potential that changes telescope."""

from __future__ import annotations

import numpy as np

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.shaper import Carry


def no_arrivals(num_envs: int) -> Carry:
    """The carry at the start of episodes, ``(B,)``: NaN, no state was entered yet."""
    return np.full(num_envs, np.nan)


def as_of_arrival(before: Array, after: Array, rollout: Rollout, carry: Carry) -> tuple[Array, Carry]:
    """The values of ``obs`` as they were when these were entered, and the carry after the rollout.

    Devlin and Kudenko 2012, "Dynamic potential-based reward shaping", equation 5: if F = discount * potential(s', t')
    - potential(s, t) uses for s the value of the time t at which s was entered, the terms of an episode telescope even
    though the potential changes. Within one rollout the potential stands still. So only the first step of each column
    can start from another value than ``before``: the value that the last rollout ended with.

    Args:
        before: The present values of ``obs``, ``(T, B)``.
        after: The present values of ``next_obs``, ``(T, B)``.
        rollout: Experience ``(T, B)``.
        carry: What the previous call returned, or ``()``.

    Returns:
        The values of ``obs`` on arrival ``(T, B)``, and for each environment the value of the state that it is in,
        ``(B,)``: NaN where an episode begins.
    """
    if rollout.num_steps == 0:
        return before, carry
    xp = array_namespace(before)
    held = held_like(carry, before)
    steps = xp.cumulative_sum(xp.astype(rollout.mask, xp.int32), axis=0)
    first = rollout.mask & (steps == 1)
    before = xp.where(first & ~xp.isnan(held), held, before)
    total = steps[-1, :]
    last = rollout.mask & (steps == total) & (total > 0)
    nan = xp.full_like(held, xp.nan)
    leaving = xp.where(rollout.done, nan, after)
    # One row of each column is its last step; all others count 0.
    latest = xp.sum(xp.where(last, leaving, xp.zeros_like(after)), axis=0)
    return before, xp.where(total > 0, latest, held)


def held_like(carry: Carry, example: Array) -> Array:
    """The carry ``(B,)`` as the same kind of array as the columns of a rollout, NaN if it is still ``()``."""
    xp = array_namespace(example)
    if isinstance(carry, tuple):
        return xp.full_like(example[0, :], xp.nan)
    if type(carry) is not type(example):
        carry = xp.asarray(carry, device=getattr(example, "device", None))
    return carry if carry.dtype == example.dtype else xp.astype(carry, example.dtype)
