"""The laws, for anybody's classes: shaping layers, worlds, process rewards, and stacks of wrappers."""

from potentia.testing.environments import check_env
from potentia.testing.judge_questions import judge_questions
from potentia.testing.process_rewards import check_process_reward
from potentia.testing.shapers import check_shaper
from potentia.wrappers.stack import check_stack

__all__ = ["check_env", "check_process_reward", "check_shaper", "check_stack", "judge_questions"]
