"""Potentia: a gym for reward shaping."""

from potentia.rollout import Rollout, concatenate

__all__ = ["Rollout", "concatenate"]
