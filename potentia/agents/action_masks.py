"""Masks of possible actions in observations: what they are, and how a distribution obeys them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from potentia.arrays import array_namespace
from potentia.rollout import Array

ACTION_MASK = "action_mask"
"""The key of a ``Dict`` observation that says which actions are possible. Every value other than 0 means yes."""


def choice_counts(action_space: spaces.Space[Any]) -> list[int]:
    """How many actions each choice of a ``Discrete`` or ``MultiDiscrete`` space has. Other spaces give ``[]``."""
    if isinstance(action_space, spaces.Discrete):
        return [int(action_space.n)]
    if isinstance(action_space, spaces.MultiDiscrete):
        counts: list[int] = np.asarray(action_space.nvec).reshape(-1).tolist()
        return counts
    return []


def has_mask(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> bool:
    """Whether observations have a mask.

    Raises:
        ValueError: If they have one that does not fit the actions.
    """
    if not isinstance(observation_space, spaces.Dict) or ACTION_MASK not in observation_space.spaces:
        return False
    mask, counts = observation_space[ACTION_MASK], choice_counts(action_space)
    fits = isinstance(mask, spaces.Box) and np.issubdtype(mask.dtype, np.integer) and mask.shape == (sum(counts),)
    if not counts or not fits:
        raise ValueError(
            f"the observation's {ACTION_MASK!r} must be a Box of integers, one for each action of a Discrete space or, "
            f"one choice after the other, of a MultiDiscrete space, got {mask} for {action_space}; rename the key if "
            "it is no mask"
        )
    return True


def without_mask(observation_space: spaces.Space[Any]) -> spaces.Space[Any]:
    """The space of what a network sees: a mask is no feature.

    Raises:
        ValueError: If nothing is left.
    """
    if not isinstance(observation_space, spaces.Dict) or ACTION_MASK not in observation_space.spaces:
        return observation_space
    rest = {key: space for key, space in observation_space.spaces.items() if key != ACTION_MASK}
    if not rest:
        raise ValueError(f"an observation must have more than its {ACTION_MASK!r}, got {observation_space}")
    return spaces.Dict(rest)


def possible(mask: Array, counts: list[int]) -> Array:
    """Which actions may be drawn, ``(N, sum(counts))`` bool.

    Where a mask leaves a choice no action, all are possible. Such observations are met by right: what follows the last
    step of an episode is acted on, without effect, where environments begin anew in the step after.
    """
    xp = array_namespace(mask)
    some, start, parts = mask != 0, 0, []
    for count in counts:
        part = some[..., start : start + count]
        parts.append(part | ~xp.any(part, axis=-1, keepdims=True))
        start += count
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)


def rule_out(logits: Tensor, mask: Tensor, counts: list[int]) -> Tensor:
    """``logits`` where an action is possible, elsewhere the least number there is: probability and gradient exactly 0.

    Huang and Ontanon 2020, "A closer look at invalid action masking in policy gradient algorithms", arXiv 2006.14171.
    The least number rather than minus infinity: ``p log p`` and the ratio of two probabilities of 0 stay numbers.

    Args:
        logits: ``(N, sum(counts))``.
        mask: ``(N, sum(counts))``.
        counts: The actions of each choice.
    """
    return logits.masked_fill(~possible(mask, counts), torch.finfo(logits.dtype).min)
