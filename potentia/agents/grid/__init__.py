"""PPO for MiniGrid's images, and its loop on one device."""

from potentia.agents.grid.device_ppo import DevicePPO, DevicePPOConfig
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig

__all__ = ["DevicePPO", "DevicePPOConfig", "GridPPO", "GridPPOConfig"]
