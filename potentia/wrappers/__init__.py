"""Thin drivers that put a shaper around any Gymnasium environment, texts as vectors, and policies as actions."""

from potentia.wrappers.completion import Completion
from potentia.wrappers.policy_as_action import PolicyAsAction
from potentia.wrappers.shape_reward import ShapeReward
from potentia.wrappers.shape_vector_reward import ShapeVectorReward
from potentia.wrappers.text_to_vector import TextToVector

__all__ = ["Completion", "PolicyAsAction", "ShapeReward", "ShapeVectorReward", "TextToVector"]
