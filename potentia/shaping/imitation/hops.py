"""Hops: how much of the way that is left a state is ahead of another, or how much of the way done it is behind."""

from __future__ import annotations

from typing import Any, Literal

from potentia.arrays import array_namespace
from potentia.rollout import Array

Fusion = Literal["consistent", "mean", "incremental", "forward", "backward"]
FUSIONS: tuple[Fusion, ...] = ("consistent", "mean", "incremental", "forward", "backward")

_EPSILON = 1e-6


def oracle_hop(before: Array, after: Array) -> Array:
    """``(q - p) / (1 - p)`` if q >= p, else ``(q - p) / p``: the hop from a progress p to a progress q, in [-1, 1].

    Tan et al. 2025, "Robo-Dopamine", arXiv 2512.23703. Ahead it is the share of what was left to do. Back it is the
    share of what was done that is lost.

    Args:
        before: p in [0, 1], any shape.
        after: q in [0, 1], the same shape.

    >>> import numpy as np
    >>> oracle_hop(np.array([0.5, 0.5, 1.0, 0.0]), np.array([0.75, 0.25, 1.0, 0.0])).tolist()
    [0.5, -0.5, 0.0, 0.0]
    """
    xp = array_namespace(after)
    way = xp.where(after >= before, 1.0 - before, before)
    some = way > 0
    return xp.where(some, (after - before) / xp.where(some, way, xp.ones_like(way)), xp.zeros_like(way))


def advanced(progress: Array, hop: Array) -> Array:
    """The progress after a hop: ``p + (1 - p) h`` if h >= 0, else ``p + p h``. It undoes `oracle_hop`.

    >>> import numpy as np
    >>> advanced(np.array([0.5, 0.5]), np.array([0.5, -0.5])).tolist()
    [0.75, 0.25]
    """
    return progress + array_namespace(progress).where(hop >= 0, 1.0 - progress, progress) * hop


def fused(fusion: Fusion, progress: Any, first: Any, hops: tuple[Any, Any, Any], alpha: float) -> Any:
    """The progress on arrival, ``(B,)``, from three estimates of it.

    Args:
        fusion: ``"consistent"`` goes from the last progress half of the way to the mean of the second and third
            estimate and half of the way by the hop of the step, both less the more these two disagree: times
            exp(-alpha * d^2), where d is their difference by their mean. ``"mean"`` is the mean of the three. Else one.
        progress: That of the last state.
        first: That of the episode's first state.
        hops: From the last state, from the first one, and from the goal: they give the estimates ``"incremental"``,
            ``"forward"`` and ``"backward"``.
        alpha: As above.
    """
    step, onward, back = hops
    incremental, forward, backward = advanced(progress, step), advanced(first, onward), at_distance(back)
    if fusion == "consistent":
        xp, mean = array_namespace(progress), (forward + backward) / 2
        weight = xp.exp(-alpha * ((backward - forward) / (mean + _EPSILON)) ** 2)
        found = progress + weight / 2 * ((mean - progress) + (incremental - progress))
    elif fusion == "mean":
        found = (incremental + forward + backward) / 3
    else:
        found = {"incremental": incremental, "forward": forward, "backward": backward}[fusion]
    return array_namespace(found).clip(found, 0.0, 1.0)


def at_distance(back: Array) -> Array:
    """The progress of a state that a hop from the goal leads to, ``1 + h``, of that state alone."""
    return array_namespace(back).clip(1.0 + back, 0.0, 1.0)
