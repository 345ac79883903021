"""How often each of many keys was counted: a hash table of arrays, compiled for a CPU, in PyTorch elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from potentia import arrays
from potentia.arrays import host_array
from potentia.compiling import compiled, part
from potentia.shaping._models.keys import EMPTY, Keys, mixed, mixed_one

_SMALLEST = 1024
_PROBES = 32
_MOST = 2**31 - 1


class CountTable:
    """Counts of int64 keys by open addressing: 12 bytes a slot, twice as many slots whenever they get scarce.

    On a CPU compiled loops probe one slot after another, and 7 of 8 slots may be taken. On an accelerator each key
    tries at most 32 slots that its hash names, all keys at once, and half of the slots may be taken: so a key finds no
    room, and is not counted, with a chance of less than 2^-32. How many keys there are is asked of the device only
    when as many may have come as fit, so rarely.

    Once there are ``limit`` keys, no new one is kept: all others share one count. So memory is bounded, and keys that
    never recur, such as noise, are known before long.

    Args:
        device: Where the table is.
        capacity: How many keys there is room for at first.
        limit: How many keys are kept. A batch that reaches it may exceed it.
        compiled: Whether the compiled loops are used. None uses them on a CPU.
    """

    def __init__(
        self,
        device: torch.device | str = "cpu",
        capacity: int = 512,
        limit: int = 1 << 22,
        *,
        compiled: bool | None = None,
    ) -> None:
        self.device, self.limit = torch.device(device), limit
        self.others = torch.zeros((), dtype=torch.int64, device=self.device)
        self.compiled = arrays.on_cpu(self.device) if compiled is None else compiled
        self._make(max(_power(2 * capacity), _PROBES))  # a key must not try a slot twice

    def _make(self, slots: int) -> None:
        # One slot more than is probed: what must not be written goes there.
        self._keys = torch.full((slots + 1,), EMPTY, dtype=torch.int64, device=self.device)
        self._counts = torch.zeros(slots + 1, dtype=torch.int32, device=self.device)
        self._size = 0  # how many there are at most; exact if compiled

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return len(self._keys) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self._keys.nbytes + self._counts.nbytes

    def __len__(self) -> int:
        """How many keys were counted. To know this waits for the device."""
        if not self.compiled:
            self._size = int((self._keys[:-1] != EMPTY).sum())
        return self._size

    @property
    def full(self) -> bool:
        """Whether no new key is kept. The device is asked only when as many may have come."""
        return self._size >= self.limit and len(self) >= self.limit

    def counts(self, keys: Keys) -> Any:
        """How often each of ``keys`` ``(M,)`` was counted, int32 of the same kind of array.

        Of a full table: for keys that are not in it, how often any such key was.
        """
        found = self._kept(keys)
        if not self.full:
            return found
        if isinstance(found, np.ndarray):
            return np.where(found == 0, np.int32(min(int(self.others), _MOST)), found)
        return torch.where(found == 0, self.others.clamp(max=_MOST).int(), found)

    def _kept(self, keys: Keys) -> Any:
        """How often each key was counted, 0 if it is not in the table."""
        if self.compiled:
            return _look_up(self._keys.numpy(), self._counts.numpy(), host_array(keys))
        slots = self._probed(keys := self._here(keys))
        found = self._keys[slots] == keys[:, None]
        return (self._counts[slots] * found).sum(1, dtype=torch.int32)

    def add(self, keys: Keys, mask: Any) -> None:
        """Counts those of ``keys`` ``(M,)`` where ``mask`` ``(M,)`` is True."""
        full = self.full
        if full:
            known = self._kept(keys) > 0
            mask = host_array(mask) if isinstance(known, np.ndarray) else torch.as_tensor(mask, device=self.device)
            self.others = self.others + (mask & ~known).sum()
            mask = mask & known
        if self.compiled:
            unmasked, start = host_array(keys)[host_array(mask)], 0
            while start < len(unmasked):
                start, self._size = _add(self._keys.numpy(), self._counts.numpy(), unmasked, start, self._size)
                if start < len(unmasked):
                    self._resize(2 * self.slots)
            return
        keys = self._here(keys)
        if not full:
            if 2 * (self._size + len(keys)) > self.slots and (need := 2 * (len(self) + len(keys))) > self.slots:
                self._resize(_power(need))
            self._size += len(keys)
        self._insert(keys, torch.ones_like(keys, dtype=torch.int32), torch.as_tensor(mask, device=self.device))

    def _here(self, keys: Keys) -> Tensor:
        return torch.as_tensor(keys, device=self.device)

    def _probed(self, keys: Tensor) -> Tensor:
        """The slots that each key may be in, in order: ``(M, 32)``. The stride is odd, so they differ."""
        hashed = mixed(keys)
        stride = (hashed >> 32) | 1
        return (hashed[:, None] + stride[:, None] * torch.arange(_PROBES, device=self.device)) & (self.slots - 1)

    def _insert(self, keys: Tensor, counts: Tensor, mask: Tensor) -> None:
        slots, trash = self._probed(keys), self.slots
        at = torch.full_like(keys, trash)
        open_ = mask.clone()
        for probe in range(_PROBES):
            slot = slots[:, probe]
            # Several keys may claim a free slot; one gets it, and the others see that and go on.
            claims = open_ & (self._keys[slot] == EMPTY)
            self._keys.scatter_(0, torch.where(claims, slot, trash), keys)
            mine = open_ & (self._keys[slot] == keys)
            at = torch.where(mine, slot, at)
            open_ &= ~mine
        self._keys[trash] = EMPTY
        self._counts.scatter_add_(0, at, counts * (mask & ~open_))

    def _resize(self, slots: int) -> None:
        keys, counts = self._keys[:-1], self._counts[:-1]
        taken = keys != EMPTY
        keys, counts = keys[taken], counts[taken]
        self._make(slots)
        self._load(keys, counts)

    def _load(self, keys: Tensor, counts: Tensor) -> None:
        self._size = len(keys)
        if self.compiled:
            _place(self._keys.numpy(), self._counts.numpy(), keys.numpy(), counts.numpy())
        else:
            self._insert(keys, counts, torch.ones_like(keys, dtype=torch.bool))

    def state_dict(self) -> dict[str, Any]:
        """The keys, in increasing order, and their counts."""
        taken = self._keys != EMPTY
        keys, order = self._keys[taken].cpu().sort()
        return {"keys": keys, "counts": self._counts[taken].cpu()[order], "others": self.others.cpu()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self._make(max(_SMALLEST, _power(2 * len(state["keys"]))))
        self._load(state["keys"].to(self.device), state["counts"].to(self.device))
        self.others = state["others"].to(self.device, copy=True)


def _power(number: int) -> int:
    """The least power of two that is no less."""
    return 1 << (number - 1).bit_length()


@part(inline="always")
def _slot_of(table: np.ndarray[Any, Any], key: int) -> Any:
    """Where the key is, or would be put."""
    last = np.uint64(table.shape[0] - 2)
    slot = mixed_one(np.uint64(key)) & last
    while table[slot] != key and table[slot] != EMPTY:
        slot = (slot + np.uint64(1)) & last
    return slot


@compiled("the counts of states", work=lambda table, counts, keys: 5 * len(keys))
def _look_up(
    table: np.ndarray[Any, Any], counts: np.ndarray[Any, Any], keys: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    found = np.empty(keys.shape[0], np.int32)
    for i in range(keys.shape[0]):
        found[i] = counts[_slot_of(table, keys[i])]  # a free slot has a count of 0
    return found


@compiled("the counting of states", work=lambda table, counts, keys, start, size: 6 * (len(keys) - start))
def _add(
    table: np.ndarray[Any, Any], counts: np.ndarray[Any, Any], keys: np.ndarray[Any, Any], start: int, size: int
) -> tuple[int, int]:
    """Counts keys from ``start`` on until slots get scarce. Returns where it stopped and how many keys there are."""
    most = (table.shape[0] - 1) // 8 * 7
    for i in range(start, keys.shape[0]):
        slot = _slot_of(table, keys[i])
        if table[slot] == EMPTY:
            if size == most:
                return i, size
            table[slot] = keys[i]
            size += 1
        counts[slot] = min(np.int64(counts[slot]) + 1, 2**31 - 1)
    return keys.shape[0], size


@compiled("the counts of states in a new table", work=lambda table, counts, keys, given: 5 * len(keys))
def _place(
    table: np.ndarray[Any, Any], counts: np.ndarray[Any, Any], keys: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any]
) -> None:
    for i in range(keys.shape[0]):
        slot = _slot_of(table, keys[i])
        table[slot], counts[slot] = keys[i], numbers[i]
