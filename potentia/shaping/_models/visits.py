"""How often each environment has been in a state within its episode, for many environments at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from potentia.compiling import compiled, part
from potentia.shaping._models.keys import Keys, mixed_one

Visits = dict[str, Any]
"""For each environment a small hash table: ``key``, ``count`` and ``episode`` ``(B, S)``, and ``now`` ``(B, 2)``: the
number of the running episode, and how many states it has seen. A slot is free if its episode is another. ``most``
``(B,)`` is what the host knows: how many states the episode has seen at most."""

_SMALLEST = 16


def no_visits(num_envs: int) -> Visits:
    """Empty tables."""
    shape = (num_envs, _SMALLEST)
    return {
        "key": np.zeros(shape, np.int64),
        "count": np.zeros(shape, np.int32),
        "episode": np.zeros(shape, np.int32),
        "now": np.tile(np.array([1, 0], np.int32), (num_envs, 1)),
        "most": np.zeros(num_envs, np.int32),
    }


def visit(keys: Keys, mask: Any, done: Any, visits: Visits) -> tuple[Any, Visits]:
    """How often each state was visited before in its episode ``(T, B)`` int32, and the tables after it.

    Args:
        keys: ``(T * B,)``, row-major.
        mask: ``(T, B)``: what is False is no visit.
        done: ``(T, B)``: the episode ends with this step.
        visits: The tables before. Compiled loops change them in place.
    """
    if isinstance(keys, Tensor):
        return _visit_tensors(keys.reshape(mask.shape), mask, done, visits)
    steps, envs = mask.shape
    before, env = np.zeros((steps, envs), np.int32), 0
    t = 0
    while t < steps:
        t, env = _visit(
            keys.reshape(steps, envs), mask, done, before, t, env, *(visits[name] for name in _NAMES)
        )  # fmt: skip
        if t < steps:
            visits = _grown(visits)
    return before, visits


_NAMES = ("key", "count", "episode", "now")


def _grown(visits: Visits) -> Visits:
    """The same in tables of twice the size."""
    old = [visits[name] for name in _NAMES]
    envs, slots = old[0].shape
    new = [np.zeros((envs, 2 * slots), part.dtype) for part in old[:3]]
    _move(*old, *new)
    return visits | dict(zip(_NAMES, new, strict=False))


@part(inline="always")
def _slot_of(keys: np.ndarray[Any, Any], episodes: np.ndarray[Any, Any], key: int, episode: int) -> Any:
    """Where the key is in one environment's table, or would be put."""
    last = np.uint64(keys.shape[0] - 1)
    slot = mixed_one(np.uint64(key)) & last
    while episodes[slot] == episode and keys[slot] != key:
        slot = (slot + np.uint64(1)) & last
    return slot


@compiled("the counts of states within episodes", work=lambda keys, *_: 8 * keys.size)
def _visit(  # type: ignore[no-untyped-def]
    keys, mask, done, before, t, env, key, count, episode, now
):
    """Goes on from step t, environment env, until a table is three quarters full. Returns where it stopped."""
    most = key.shape[1] * 3 // 4
    first = env
    for step in range(t, keys.shape[0]):
        for b in range(first, keys.shape[1]):
            if mask[step, b]:
                slot = _slot_of(key[b], episode[b], keys[step, b], now[b, 0])
                if episode[b, slot] != now[b, 0]:
                    if now[b, 1] == most:
                        return step, b
                    key[b, slot], episode[b, slot], count[b, slot] = keys[step, b], now[b, 0], 0
                    now[b, 1] += 1
                before[step, b] = count[b, slot]
                count[b, slot] += 1
                if done[step, b]:
                    now[b, 0] += 1
                    now[b, 1] = 0
        first = 0
    return keys.shape[0], 0


@compiled("the counts within episodes in new tables", work=lambda key, *_: key.size)
def _move(key, count, episode, now, new_key, new_count, new_episode):  # type: ignore[no-untyped-def]
    for b in range(key.shape[0]):
        for old in range(key.shape[1]):
            if episode[b, old] == now[b, 0]:
                slot = _slot_of(new_key[b], new_episode[b], key[b, old], now[b, 0])
                new_key[b, slot], new_count[b, slot] = key[b, old], count[b, old]
                new_episode[b, slot] = now[b, 0]


def _visit_tensors(keys: Tensor, mask: Tensor, done: Tensor, visits: Visits) -> tuple[Tensor, Visits]:
    """All environments at once, step by step: a state is looked for in all slots, and put into a free one.

    How many states the episodes have seen is asked of the device only when one of them may have filled its table.
    """
    most = np.array(visits["most"])
    key, count, episode, now = (torch.as_tensor(visits[name], device=keys.device) for name in _NAMES)
    before = torch.zeros(mask.shape, dtype=torch.int32, device=keys.device)
    for t in range(keys.shape[0]):
        if most.max() >= key.shape[1]:
            most = now[:, 1].cpu().numpy().copy()
            if 2 * most.max() >= key.shape[1]:
                key, count, episode = (nn.functional.pad(part, (0, key.shape[1])) for part in (key, count, episode))
        most += 1
        real, running = mask[t], now[:, 0]
        live = episode == running[:, None]
        here = live & (key == keys[t, :, None])
        known = here.any(1)
        slot = torch.where(known, here.int().argmax(1), (~live).int().argmax(1))[:, None]
        before[t] = torch.where(known & real, count.gather(1, slot)[:, 0], 0)
        for table, new in ((key, keys[t]), (count, before[t] + 1), (episode, running)):
            table.scatter_(1, slot, torch.where(real, new, table.gather(1, slot)[:, 0])[:, None])
        ends = done[t] & real
        seen = torch.where(ends, 0, now[:, 1] + (real & ~known))
        now = torch.stack([running + ends, seen], 1).int()
    return before, {"key": key, "count": count, "episode": episode, "now": now, "most": most}
