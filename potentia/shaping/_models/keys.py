"""Keys of 64 bits that tell states apart: a number itself, a hash of bytes, or the signs of random projections."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from potentia import arrays
from potentia.compiling import compiled, part
from potentia.trees import Tree, leaves

Keys = np.ndarray[Any, Any] | Tensor
"""int64, ``(T * B,)``: a NumPy array, or a tensor on an accelerator."""

EMPTY = -(2**63)
"""No state has this key: it marks what is free in a table."""

_FIRST, _SECOND, _STEP = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15


def state_keys(tree: Tree, hash_bits: int | None = None, seed: int = 0) -> Keys:
    """One key for each of the ``T * B`` entries of a tree of arrays ``(T, B, ...)``, in row-major order.

    With ``hash_bits=None`` two entries have one key if their bytes are equal. One integer an entry is its own key.
    Anything else is hashed to 64 bits, so that among n states some two share a key with a chance of about n^2 / 2^65:
    3e-8 for a million. Else they have one key if their projections have the same signs: sign(A x), A of shape
    ``(hash_bits, D)`` with standard normal entries (Charikar 2002, and Tang et al. 2017, arXiv 1611.04717, eq. 2).
    Observations that hold text are told apart by the text. Keys of tensors on an accelerator stay there.
    """
    columns = [_rows(leaf) for _, leaf in leaves(tree)]
    if hash_bits is not None:
        return _simhash(columns, hash_bits, seed)
    if len(columns) == 1:
        return _own_key(columns[0])
    keys = [_own_key(rows) for rows in columns]
    stacked = torch.stack(keys, 1) if isinstance(keys[0], Tensor) else np.stack(keys, 1)  # type: ignore[arg-type]
    return _hash(stacked)


def mixed(keys: Tensor) -> Tensor:
    """A bijection of int64 in which each bit depends on all: the finish of SplitMix64 (Steele et al. 2014)."""
    keys = (keys ^ _shifted(keys, 30)) * _signed(_FIRST)
    keys = (keys ^ _shifted(keys, 27)) * _signed(_SECOND)
    return keys ^ _shifted(keys, 31)


@part(inline="always")
def mixed_one(key: np.uint64) -> np.uint64:
    """`mixed` of one number, compiled."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(_FIRST)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(_SECOND)
    return key ^ (key >> np.uint64(31))


def _rows(leaf: Any) -> Any:
    """``(T * B, numbers an entry)``: a tensor if it is on an accelerator, else a NumPy array."""
    if isinstance(leaf, Tensor) and arrays.on_cpu(leaf):
        leaf = leaf.detach().numpy()
    array = leaf if isinstance(leaf, Tensor) else np.asarray(leaf)
    return array.reshape(array.shape[0] * array.shape[1], math.prod(array.shape[2:]))


def _own_key(rows: Any) -> Keys:
    if isinstance(rows, Tensor):
        if rows.shape[1] == 1 and not rows.is_floating_point():
            return _not_empty(rows[:, 0].long())
        return _hash(_tensor_words(rows))
    if rows.dtype.kind in "OU":
        texts = ["\x00".join(map(str, row)) for row in rows.tolist()]
        return np.fromiter(map(_text_key, texts), np.int64, len(texts))
    if rows.shape[1] == 1 and rows.dtype.kind in "iub":
        return _not_empty(rows[:, 0].astype(np.int64))
    return _hash(_words(rows))


def _not_empty(keys: Any) -> Keys:
    """The one number that marks a free place stands for its neighbour."""
    found: Keys = keys + (keys == EMPTY)
    return found


@lru_cache(maxsize=1 << 20)
def _text_key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _words(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bytes of each row as whole words of 64 bits, with zeros behind."""
    if rows.dtype.kind == "f":
        rows = rows + 0.0  # -0.0 and 0.0 are one state
    data = np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), rows.shape[1] * rows.dtype.itemsize)
    padding = -data.shape[1] % 8
    return np.pad(data, ((0, 0), (0, padding))).view(np.int64) if padding else data.view(np.int64)


def _tensor_words(rows: Tensor) -> Tensor:
    rows = rows + 0.0 if rows.is_floating_point() else rows
    data = rows.contiguous().view(torch.uint8).reshape(len(rows), rows.shape[1] * rows.element_size())
    return nn.functional.pad(data, (0, -data.shape[1] % 8)).view(torch.int64)


def _hash(words: Any) -> Keys:
    """``mix(sum_i mix(word_i + (i + 1) c))`` of each row: the order of the words matters, their number is fixed."""
    if not isinstance(words, Tensor):
        return _not_empty(_hash_rows(words.view(np.uint64)).view(np.int64))
    steps = torch.arange(1, words.shape[1] + 1, device=words.device) * _signed(_STEP)
    return _not_empty(mixed(mixed(words + steps).sum(1)))


@compiled("the keys of states", work=lambda words: 3 * words.size)
def _hash_rows(words: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    keys = np.empty(words.shape[0], np.uint64)
    for row in range(words.shape[0]):
        total, step = np.uint64(0), np.uint64(0)
        for i in range(words.shape[1]):
            step += np.uint64(_STEP)
            total += mixed_one(words[row, i] + step)
        keys[row] = mixed_one(total)
    return keys


def _shifted(keys: Tensor, by: int) -> Tensor:
    """Shifted to the right, with zeros from the left."""
    shifted: Tensor = (keys >> by) & (2 ** (64 - by) - 1)
    return shifted


def _signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _simhash(columns: list[Any], bits: int, seed: int) -> Keys:
    if isinstance(columns[0], Tensor):
        flat = torch.cat([rows.double() for rows in columns], 1).nan_to_num()
        projection = torch.from_numpy(_projection(flat.shape[1], bits, seed)).to(flat.device)
        return ((flat @ projection > 0).long() << torch.arange(bits, device=flat.device)).sum(1)
    numbers = np.concatenate([_numbers(rows) for rows in columns], axis=1)
    # Behind the mask there may be NaN, which has no sign.
    signs = np.nan_to_num(numbers) @ _projection(numbers.shape[1], bits, seed) > 0
    keys: np.ndarray[Any, Any] = (signs.astype(np.int64) << np.arange(bits)).sum(1)
    return keys


def _numbers(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if rows.dtype.kind in "OU":
        raise TypeError("text has no random projections: use hash_bits=None, or a key function that returns numbers")
    return rows.astype(np.float64)


@lru_cache(maxsize=16)
def _projection(size: int, bits: int, seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((size, bits))
