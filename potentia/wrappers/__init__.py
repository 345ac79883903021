"""Thin drivers that put a shaper around any Gymnasium environment, and texts as vectors. They hold no maths."""

from potentia.wrappers.shape_reward import ShapeReward
from potentia.wrappers.shape_vector_reward import ShapeVectorReward
from potentia.wrappers.text_to_vector import TextToVector

__all__ = ["ShapeReward", "ShapeVectorReward", "TextToVector"]
