"""The ids of the enumerable worlds, and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.exact.chain import chain
from potentia.envs.exact.deep_sea import deep_sea
from potentia.envs.exact.frozen_lake import frozen_lake
from potentia.envs.exact.key_rooms import key_rooms
from potentia.envs.exact.loop_trap import loop_trap
from potentia.envs.exact.model import TransitionModel
from potentia.envs.exact.progress_chain import progress_chain
from potentia.envs.exact.random_mdp import random_mdp
from potentia.envs.exact.room import room
from potentia.envs.exact.two_way_chain import two_way_chain
from potentia.envs.exact.vector import TabularVectorEnv
from potentia.envs.exact.world import TabularWorld

__all__ = ["MODELS", "WORLDS", "find_model", "make_vector_world", "make_world", "register"]

MODELS: dict[str, Callable[..., TransitionModel]] = {
    "chain": chain,
    "deep_sea": deep_sea,
    "frozen_lake": frozen_lake,
    "key_rooms": key_rooms,
    "loop_trap": loop_trap,
    "progress_chain": progress_chain,
    "random_mdp": random_mdp,
    "room": room,
    "two_way_chain": two_way_chain,
}

WORLDS: dict[str, dict[str, Any]] = {
    "Chain-v0": {"model": "chain"},
    "DeepSea-v0": {"model": "deep_sea"},
    "LoopTrap-v0": {"model": "loop_trap"},
    "RandomMDP-v0": {"model": "random_mdp"},
    "ProgressChain-v0": {"model": "progress_chain"},
    "KeyRooms-v0": {"model": "key_rooms"},
    "Room-v0": {"model": "room"},
    "TwoWayChain-v0": {"model": "two_way_chain"},
    "FrozenLake8x8-v0": {"model": "frozen_lake"},
    "FrozenLake8x8Deterministic-v0": {"model": "frozen_lake", "slippery": False, "time_limit": 14},
}

_ENVIRONMENT = ("observation", "info_keys", "render_mode")
_VECTOR = (*_ENVIRONMENT, "max_episode_steps", "autoreset_mode")


def find_model(name: str, **options: Any) -> TransitionModel:
    """The model under an id.

    Args:
        name: The id: ``"potentia/Room-v0"``.
        options: What the function that makes the model takes.

    Raises:
        ValueError: If it is no enumerable world of this library.

    >>> find_model("potentia/Chain-v0", length=5).num_states
    5
    """
    world = name.removeprefix("potentia/")
    if world not in WORLDS:
        raise ValueError(f"wanted the id of an enumerable world, among {tuple(WORLDS)}, got {name!r}")
    own = {key: value for key, value in {**WORLDS[world], **options}.items() if key != "model"}
    return MODELS[WORLDS[world]["model"]](**own)


def make_world(model: str, **kwargs: Any) -> TabularWorld:
    """One environment over the named model.

    Args:
        model: A key of `MODELS`.
        kwargs: ``observation`` and ``info_keys`` of `TabularWorld`. All others go to the model.

    Returns:
        The environment.
    """
    own = {key: kwargs.pop(key) for key in _ENVIRONMENT if key in kwargs}
    return TabularWorld(MODELS[model](**kwargs), **own)


def make_vector_world(model: str, num_envs: int = 1, **kwargs: Any) -> TabularVectorEnv:
    """A batch of environments over the named model.

    Args:
        model: A key of `MODELS`.
        num_envs: How many.
        kwargs: As for `make_world`, and ``autoreset_mode`` and ``max_episode_steps`` of `TabularVectorEnv`.

    Returns:
        The vector environment.
    """
    own = {key: kwargs.pop(key) for key in _VECTOR if key in kwargs}
    return TabularVectorEnv(MODELS[model](**kwargs), num_envs, **own)


def register() -> None:
    """Register the ids that are not registered yet."""
    for name, kwargs in WORLDS.items():
        if (identifier := f"potentia/{name}") not in registry:
            register_id(
                id=identifier,
                entry_point="potentia.envs.exact.registration:make_world",
                vector_entry_point="potentia.envs.exact.registration:make_vector_world",
                kwargs=dict(kwargs),
            )
