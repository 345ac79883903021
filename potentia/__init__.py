"""Potentia: a gym for reward shaping.

Sparse-reward worlds (`potentia.envs`, registered with Gymnasium as ``potentia/<World>-v0``), shaping layers whose
guarantees are declared and checked (`potentia.shaping`), drivers for any Gymnasium environment (`potentia.wrappers`),
learners (`potentia.agents`), the laws for anybody's classes (`potentia.testing`), and studies of what a shaping is
worth (`potentia.study`, on the command line ``potentia``).
"""

from potentia.envs import register_envs
from potentia.rollout import Rollout, concatenate

__version__ = "0.1.0"
__all__ = ["Rollout", "concatenate", "register_envs"]

register_envs()
