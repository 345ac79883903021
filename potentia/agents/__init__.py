"""Learners: they act, and learn from shaped rollouts, with the discount as data."""

from potentia.agents.agent import Agent
from potentia.agents.asaf import ASAF, ASAFConfig
from potentia.agents.elements.element_ppo import ElementPPO, ElementPPOConfig
from potentia.agents.evaluate import Evaluation, evaluate
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig
from potentia.agents.loop import Collector, EnvCollector, EpisodeCollector, Iteration, Loop
from potentia.agents.ppo import PPO, PPOConfig
from potentia.agents.random_agent import RandomAgent, RandomAgentConfig
from potentia.agents.sac import SAC, SACConfig
from potentia.agents.search import (
    CMAMAE,
    CMAME,
    SERENE,
    STAX,
    TAXONS,
    MAPElites,
    NoveltySearch,
    NoveltySearchConfig,
    RandomSearch,
    RibsConfig,
    SearchConfig,
    SERENEConfig,
    STAXConfig,
    TAXONSConfig,
)
from potentia.agents.tabular import QLearning, QLearningConfig

__all__ = [
    "ASAF",
    "CMAMAE",
    "CMAME",
    "PPO",
    "SAC",
    "SERENE",
    "STAX",
    "TAXONS",
    "ASAFConfig",
    "Agent",
    "Collector",
    "ElementPPO",
    "ElementPPOConfig",
    "EnvCollector",
    "EpisodeCollector",
    "Evaluation",
    "GridPPO",
    "GridPPOConfig",
    "Iteration",
    "Loop",
    "MAPElites",
    "NoveltySearch",
    "NoveltySearchConfig",
    "PPOConfig",
    "QLearning",
    "QLearningConfig",
    "RandomAgent",
    "RandomAgentConfig",
    "RandomSearch",
    "RibsConfig",
    "SACConfig",
    "SERENEConfig",
    "STAXConfig",
    "SearchConfig",
    "TAXONSConfig",
    "evaluate",
]
