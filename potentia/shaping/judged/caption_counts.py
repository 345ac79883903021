"""Bonuses of captions that shrink with how often the episode has shown them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping._models.keys import state_keys
from potentia.shaping._models.visits import no_visits, visit
from potentia.shaping.columns import each_step, text_column
from potentia.shaping.shaper import Carry

COUNTED = frozenset({"info:caption", "info:next_caption", "terminated", "truncated"})
"""The columns that `caption_counts` reads."""


def no_captions(num_envs: int) -> Carry:
    """Nothing was seen yet."""
    return {"visits": no_visits(num_envs), "running": np.zeros(num_envs, bool)}


def caption_counts(rollout: Rollout, carry: Carry, reader: str) -> tuple[np.ndarray[Any, Any], Carry]:
    """How often the caption of ``next_obs`` has occurred in its episode, this time and that of the reset included.

    Args:
        rollout: Experience ``(T, B)``.
        carry: What the call before returned, or ``()``. It may be changed in place.
        reader: The name of the shaper, for messages.

    Returns:
        The counts ``(T, B)``, from 1 on, and the carry.
    """
    carry = carry or no_captions(rollout.num_envs)
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    running, begins = np.array(host_array(carry["running"])), np.zeros(mask.shape, bool)
    for t in range(rollout.num_steps):
        begins[t] = mask[t] & ~running
        running = np.where(mask[t], ~done[t], running)
    # The caption of a reset is a visit of its own, before that of the first step.
    shape = (2 * rollout.num_steps, rollout.num_envs)
    keys, live, ends = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape, bool)
    for place, column in enumerate(("caption", "next_caption")):
        keys[place::2] = host_array(state_keys(text_column(rollout, column, reader))).reshape(mask.shape)
    live[::2], live[1::2], ends[1::2] = begins, mask, done
    before, visits = visit(keys.ravel(), live, ends, carry["visits"])
    return before[1::2] + 1, {"visits": visits, "running": running}


def add_by_count(
    rollout: Rollout, carry: Carry, reward: Callable[[int, int], float], beta: float, name: str
) -> tuple[Rollout, Carry]:
    """The rollout with the term ``name``: ``reward(t, b) / N ** beta``, N by `caption_counts`."""
    counts, carry = caption_counts(rollout, carry, name)
    numbers = each_step(rollout, lambda t, b: (reward(t, b),), 1)[..., 0]
    return rollout.add(name, like_column(numbers / counts**beta, rollout.discount)), carry


def reward_of_captions(
    rollout: Rollout, rewards: Callable[[Sequence[str]], list[float]], reader: str
) -> Callable[[int, int], float]:
    """The reward of the caption of ``next_obs`` at each unmasked step. Different captions are asked for once."""
    captions = text_column(rollout, "next_caption", reader)
    texts = sorted(set(captions[host_array(rollout.mask)].tolist()))
    found = dict(zip(texts, rewards(texts), strict=True))
    return lambda t, b: found[str(captions[t, b])]
