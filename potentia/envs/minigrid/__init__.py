"""MiniGrid's sparse tasks, with captions, state hashes, subgoals and exact distances in their infos."""

from __future__ import annotations

from potentia.envs.minigrid.registration import register

__all__ = ["register"]
