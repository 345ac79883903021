"""PPO for web pages as tables of elements."""

from potentia.agents.elements.element_ppo import ElementPPO, ElementPPOConfig

__all__ = ["ElementPPO", "ElementPPOConfig"]
