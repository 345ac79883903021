"""What a vector environment's ``reset(seed=, options=)`` is given, read as Gymnasium's own vectors read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["reset_mask", "seeds_of"]


def seeds_of(seed: Any, num_envs: int) -> list[int | None]:
    """One seed for each environment, None where its random numbers go on.

    Args:
        seed: None, an integer, or a list, tuple, range or array of N integers. The integer s stands for s, s + 1, ...
            Some of the N integers may be None.
        num_envs: N.

    Raises:
        TypeError: If it is anything else.
        ValueError: If one is negative, or there are not N.

    >>> seeds_of(7, 3), seeds_of((1, None, 5), 3)
    ([7, 8, 9], [1, None, 5])
    """
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        seeds: list[Any] = [int(seed) + i for i in range(num_envs)]
    elif (isinstance(seed, Sequence) and not isinstance(seed, str | bytes)) or (
        isinstance(seed, np.ndarray) and seed.ndim == 1
    ):
        seeds = list(seed)
    else:
        raise TypeError(f"seed must be None, an integer or {num_envs} integers, got {type(seed).__name__}: {seed!r}")
    for one in seeds:
        if one is not None and not isinstance(one, int | np.integer):
            raise TypeError(f"each seed must be an integer or None, got {type(one).__name__}: {one!r} in {seed!r}")
        if one is not None and one < 0:
            raise ValueError(f"a seed must be at least 0, got {int(one)} in {seed!r}")
    if len(seeds) != num_envs:
        raise ValueError(f"seed must be an integer or {num_envs}, one for each environment, got {len(seeds)}")
    return [None if one is None else int(one) for one in seeds]


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> NDArray[np.bool_] | None:
    """The environments that ``options["reset_mask"]`` wants to begin anew, bool ``(N,)``. None means all.

    Raises:
        ValueError: If it is no bool array of N, or False everywhere.
    """
    if options is None or options.get("reset_mask") is None:
        return None
    mask = np.asarray(options["reset_mask"])
    if mask.shape != (num_envs,) or mask.dtype != np.bool_ or not mask.any():
        raise ValueError(
            f"reset_mask must be a bool array of shape {(num_envs,)} that is not all False, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return mask
