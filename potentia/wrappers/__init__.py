"""Thin drivers that put a shaper around any Gymnasium environment. They hold no maths."""

from potentia.wrappers.shape_reward import ShapeReward
from potentia.wrappers.shape_vector_reward import ShapeVectorReward

__all__ = ["ShapeReward", "ShapeVectorReward"]
