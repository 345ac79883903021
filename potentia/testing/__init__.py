"""The laws, for anybody's classes: `check_shaper` for shaping layers, `check_env` for worlds, and process rewards."""

from potentia.testing.environments import check_env
from potentia.testing.process_rewards import check_process_reward
from potentia.testing.shapers import check_shaper

__all__ = ["check_env", "check_process_reward", "check_shaper"]
