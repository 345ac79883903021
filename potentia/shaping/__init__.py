"""Reward-shaping layers: each maps a `potentia.Rollout` to a rollout, under a declared contract."""

from potentia.shaping.compose import Chain, Scale
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream

__all__ = ["Carry", "Chain", "Contract", "Scale", "Shaper", "Stream"]
