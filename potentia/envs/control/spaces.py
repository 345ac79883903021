"""The Gymnasium spaces of a control world, and its actions as rows of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.arrays import is_tensor
from potentia.envs.control.rules import Rules

__all__ = ["action_rows", "action_space_of", "action_words", "observation_space_of"]


def observation_space_of(rules: Rules) -> spaces.Box:
    """The space of one observation, float32."""
    return spaces.Box(np.array(rules.observation_low, np.float32), np.array(rules.observation_high, np.float32))


def action_space_of(rules: Rules) -> spaces.Box | spaces.Discrete:
    """The space of one action: float32 within the bounds, or one of several choices."""
    if rules.discrete:
        return spaces.Discrete(len(rules.actions))
    return spaces.Box(np.array(rules.action_low, np.float32), np.array(rules.action_high, np.float32))


def action_rows(rules: Rules, actions: Any, num_envs: int) -> Any:
    """Actions of N worlds as ``(N, A)`` float64, clipped to the bounds.

    Raises:
        ValueError: If their shape is another, or one is no number or no choice.
    """
    rows = np.asarray(actions.cpu() if is_tensor(actions) else actions)
    wanted = (num_envs,) if rules.discrete else (num_envs, len(rules.actions))
    if rows.shape != wanted:
        raise ValueError(f"actions of {rules.name} must have shape {wanted}, got {rows.shape}")
    if rules.discrete:
        if rows.dtype.kind not in "iu" or ((rows < 0) | (rows >= len(rules.actions))).any():
            raise ValueError(f"actions of {rules.name} must be integers in 0..{len(rules.actions) - 1}, got {rows}")
        return rows.astype(np.float64)[:, None]
    rows = rows.astype(np.float64)
    if np.isnan(rows).any():
        raise ValueError(f"actions of {rules.name} must be numbers, got {rows[np.isnan(rows).any(axis=1)][0]}")
    return np.clip(rows, rules.action_low, rules.action_high)


def action_words(rules: Rules, action: Any) -> str:
    """An action in words."""
    if rules.discrete:
        return rules.actions[int(action)]
    return ", ".join(f"{name} {float(value):.3g}" for name, value in zip(rules.actions, action, strict=True))
