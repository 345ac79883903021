"""Learners: they act, and learn from shaped rollouts, with the discount as data."""

from potentia.agents.agent import Agent
from potentia.agents.elements.element_ppo import ElementPPO, ElementPPOConfig
from potentia.agents.evaluate import Evaluation, evaluate
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig
from potentia.agents.ppo import PPO, PPOConfig
from potentia.agents.random_agent import RandomAgent, RandomAgentConfig
from potentia.agents.tabular import QLearning, QLearningConfig

__all__ = [
    "PPO",
    "Agent",
    "ElementPPO",
    "ElementPPOConfig",
    "Evaluation",
    "GridPPO",
    "GridPPOConfig",
    "PPOConfig",
    "QLearning",
    "QLearningConfig",
    "RandomAgent",
    "RandomAgentConfig",
    "evaluate",
]
