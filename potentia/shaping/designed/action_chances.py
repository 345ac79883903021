"""What a learner's policy would do: the probability of each of its actions."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor

from potentia.shaping._models.learned import own_modes
from potentia.trees import Tree, leaves

__all__ = ["action_chances", "numbered_actions"]


def numbered_actions(space: Any, reader: str) -> tuple[int, int]:
    """How many actions there are, and the number of the first.

    Raises:
        TypeError: If the space is not ``Discrete``.
    """
    if not isinstance(space, spaces.Discrete):
        raise TypeError(f"{reader} compares all actions of a state, so they must be Discrete, got {space}")
    return int(space.n), int(space.start)


def action_chances(policy: Any, obs: Tree, num_actions: int, first: int, reader: str) -> Tensor:
    """pi(a | s) of every action, ``(N, A)`` float64.

    Args:
        policy: What an agent's ``policy`` is: it has ``log_prob(obs, action)``.
        obs: A tree of N observations ``(N, ...)``.
        num_actions: A.
        first: The number of the first action.
        reader: The name of the shaper, for messages.

    Raises:
        ValueError: If there is no policy.
    """
    if not hasattr(policy, "log_prob"):
        raise ValueError(
            f"{reader} asks the learner's policy for log_prob(obs, action), got {type(policy).__name__}; call "
            "shaper.update(rollout, policy=agent.policy) with an agent that has one"
        )
    rows = next(leaf for _, leaf in leaves(obs)).shape[0]
    with own_modes(gradients=False):
        found = [policy.log_prob(obs, torch.full((rows,), first + a, dtype=torch.int64)) for a in range(num_actions)]
        return torch.stack([log_prob.detach().double() for log_prob in found], dim=1).exp()
