"""Keys that tell states apart: the bytes of an observation, or the signs of random projections of it (SimHash)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from potentia.trees import Tree, leaves


def state_keys(tree: Tree, hash_bits: int | None = None, seed: int = 0) -> list[bytes]:
    """One key for each of the ``T * B`` entries of a tree of arrays ``(T, B, ...)``, in row-major order.

    Two entries have one key if and only if their bytes are equal (``hash_bits=None``), or if their projections have the
    same signs: sign(A x), A of shape ``(hash_bits, D)`` with standard normal entries (Charikar 2002; Tang et al. 2017,
    arXiv 1611.04717, eq. 2). Observations that hold text are told apart by the text.
    """
    columns = [_rows(leaf) for _, leaf in leaves(tree)]
    if hash_bits is None:
        parts = [_bytes(rows) for rows in columns]
    else:
        flat = np.concatenate([_numbers(rows) for rows in columns], axis=1)
        # Behind the mask there may be NaN, which has no sign.
        signs = np.nan_to_num(flat) @ _projection(flat.shape[1], hash_bits, seed) > 0
        parts = [_bytes(np.packbits(signs, axis=1))]
    return parts[0] if len(parts) == 1 else [b"".join(part) for part in zip(*parts, strict=True)]


def _rows(leaf: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(leaf.cpu() if hasattr(leaf, "cpu") else leaf)
    return array.reshape(array.shape[0] * array.shape[1], -1)


def _bytes(rows: np.ndarray[Any, Any]) -> list[bytes]:
    if rows.dtype.kind in "OU":
        return ["\x00".join(map(str, row)).encode() for row in rows.tolist()]
    if rows.dtype.kind == "f":
        rows = rows + 0.0  # -0.0 and 0.0 are one state
    size = rows.shape[1] * rows.itemsize
    data = rows.tobytes()
    return [data[start : start + size] for start in range(0, len(data), size)] if size else [b""] * len(rows)


def _numbers(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if rows.dtype.kind in "OU":
        raise TypeError("text has no random projections: use hash_bits=None, or a key function that returns numbers")
    return rows.astype(np.float64)


@lru_cache(maxsize=16)
def _projection(size: int, bits: int, seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((size, bits))
