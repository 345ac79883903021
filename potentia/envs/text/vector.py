"""Several text worlds as a vector: Gymnasium's own, in one process or in one each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

__all__ = ["make_vector"]


def make_vector(
    make: Callable[..., gym.Env[Any, Any]],
    num_envs: int = 1,
    *,
    processes: bool = False,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **kwargs: Any,
) -> VectorEnv[Any, Any, Any]:
    """N worlds made by ``make(**kwargs)``. Observations are tuples of N texts, as Gymnasium batches texts.

    In processes no memory is shared: Gymnasium's shared memory gives a constant for texts (seen in 1.2 and 1.4).

    Args:
        make: Makes one world.
        num_envs: N.
        processes: Whether each world has a process of its own. It pays where a step takes more than about 0.3 ms.
        autoreset_mode: When an episode that ended begins anew.
        kwargs: Go to ``make``.

    Raises:
        ValueError: If N is less than 1.
    """
    if num_envs < 1:
        raise ValueError(f"num_envs must be at least 1, got {num_envs}")
    makers = [partial(make, **kwargs)] * num_envs
    mode = AutoresetMode(autoreset_mode)
    if processes:
        return AsyncVectorEnv(makers, shared_memory=False, autoreset_mode=mode)
    return SyncVectorEnv(makers, autoreset_mode=mode)
