"""Small enumerable worlds whose tensors, optimum and anchors are known exactly."""

from __future__ import annotations

from potentia.envs.exact.chain import chain
from potentia.envs.exact.deep_sea import deep_sea
from potentia.envs.exact.frozen_lake import frozen_lake
from potentia.envs.exact.key_rooms import key_rooms
from potentia.envs.exact.loop_trap import critical_bonus, loop_trap
from potentia.envs.exact.model import TransitionModel
from potentia.envs.exact.progress_chain import progress_chain, progress_gammas
from potentia.envs.exact.random_mdp import random_mdp
from potentia.envs.exact.registration import find_model, register
from potentia.envs.exact.room import room
from potentia.envs.exact.solve import Optimum, optimum, policy_values, return_within, shortest_distance
from potentia.envs.exact.two_way_chain import two_way_chain
from potentia.envs.exact.vector import TabularVectorEnv
from potentia.envs.exact.world import TabularWorld

__all__ = [
    "Optimum",
    "TabularVectorEnv",
    "TabularWorld",
    "TransitionModel",
    "chain",
    "critical_bonus",
    "deep_sea",
    "find_model",
    "frozen_lake",
    "key_rooms",
    "loop_trap",
    "optimum",
    "policy_values",
    "progress_chain",
    "progress_gammas",
    "random_mdp",
    "register",
    "return_within",
    "room",
    "shortest_distance",
    "two_way_chain",
]
