"""PPO for MiniGrid's images, and its loop on one device."""

from potentia.agents.grid.device_collector import DeviceCollector, device_loop, stays_on_device
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig

__all__ = ["DeviceCollector", "GridPPO", "GridPPOConfig", "device_loop", "stays_on_device"]
