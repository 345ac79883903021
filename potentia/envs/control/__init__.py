"""Worlds of real numbers at the speed of the hardware: rules are compiled functions of one row of numbers.

What is named here is imported when it is first used, so that to register the ids costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from potentia.envs.control.registration import register

if TYPE_CHECKING:
    from potentia.envs.control.catalogue import WORLDS, find_rules
    from potentia.envs.control.cuda_env import CudaControlVectorEnv, CudaPolicyVectorEnv
    from potentia.envs.control.env import ControlEnv
    from potentia.envs.control.network import Network
    from potentia.envs.control.policies import PolicyEnv, PolicyVectorEnv
    from potentia.envs.control.rules import Area, Rules, world
    from potentia.envs.control.vector import ControlVectorEnv
    from potentia.envs.control.worlds import ControlWorlds

__all__ = [
    "WORLDS", "Area", "ControlEnv", "ControlVectorEnv", "ControlWorlds", "CudaControlVectorEnv", "CudaPolicyVectorEnv",
    "Network", "PolicyEnv", "PolicyVectorEnv", "Rules", "find_rules", "register", "world",
]  # fmt: skip

_HOMES = {
    "WORLDS": "catalogue",
    "find_rules": "catalogue",
    "CudaControlVectorEnv": "cuda_env",
    "CudaPolicyVectorEnv": "cuda_env",
    "ControlEnv": "env",
    "Network": "network",
    "PolicyEnv": "policies",
    "PolicyVectorEnv": "policies",
    "Area": "rules",
    "Rules": "rules",
    "world": "rules",
    "ControlVectorEnv": "vector",
    "ControlWorlds": "worlds",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
