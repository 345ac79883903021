"""What a policy says of a rollout's actions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from potentia.encoders import observation_tensors
from potentia.rollout import Rollout
from potentia.shaping.shaper import Shaper
from potentia.trees import map_tree


def log_probs(shaper: Shaper, rollout: Rollout, policy: Any) -> Tensor:
    """``log pi(action | obs)`` of the unmasked steps, ``(n,)``, in the order of time, then of environments.

    Raises:
        ValueError: If there is no policy.
    """
    require_policy(shaper, policy)
    weight = next(iter(policy.parameters()), None)
    device = None if weight is None else weight.device
    keep = observation_tensors(rollout.mask, device).reshape(-1)
    obs, action = (
        map_tree(lambda leaf: leaf.flatten(0, 1)[keep], observation_tensors(tree, device))
        for tree in (rollout.obs, rollout.action)
    )
    if not bool(keep.any()):
        return torch.zeros(0)
    found: Tensor = policy.log_prob(obs, action)
    return found


def require_policy(shaper: Shaper, policy: Any) -> None:
    """Raises ``ValueError`` if there is no policy for a shaper to learn from."""
    if policy is None:
        raise ValueError(
            f"{shaper.name} needs the learner's policy to learn; call update(rollout, policy=agent.policy), "
            "with an agent that has one"
        )
