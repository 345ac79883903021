"""Episodes of seeded random play, as records that can be compared and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.testing.environment_actions import RandomActions

__all__ = ["Moment", "digest", "equal", "leaves", "play", "trajectory_hash"]


@dataclass(frozen=True)
class Moment:
    """What an environment returned from one reset or step.

    Attributes:
        observation: The object returned.
        info: The object returned.
        action: The action that led here. It is None at a reset.
        reward: Its reward, 0.0 at a reset.
        terminated: As returned, False at a reset.
        truncated: As returned, False at a reset.
        episode: The number of the episode, from 0.
        time: The number of the step within the episode. It is 0 at a reset.
    """

    observation: Any
    info: dict[str, Any]
    action: Any = None
    reward: Any = 0.0
    terminated: Any = False
    truncated: Any = False
    episode: int = 0
    time: int = 0

    @property
    def first(self) -> bool:
        """Whether this is a reset."""
        return self.time == 0

    @property
    def done(self) -> bool:
        """Whether the episode ended here."""
        return bool(self.terminated or self.truncated)

    @cached_property
    def view(self) -> bytes:
        """A hash of the observation, as it is when this is first asked for."""
        return digest(self.observation)

    def content(self) -> tuple[Any, ...]:
        """All that a learner sees of it."""
        return (self.observation, self.reward, self.terminated, self.truncated, self.info)


def play(env: gym.Env[Any, Any], *, seed: int, episodes: int, max_steps: int, least: int = 0) -> Iterator[Moment]:
    """Play episodes with `RandomActions`, seeded at the first reset only.

    Args:
        env: The environment.
        seed: Of the environment's first reset and of the actions.
        episodes: How many.
        max_steps: An episode that is longer is left.
        least: Goes on beyond ``episodes`` until there were so many steps.

    Yields:
        Every reset and step.
    """
    actions = RandomActions(env, seed)
    episode = steps = 0
    while episode < episodes or steps < least:
        observation, info = env.reset(seed=seed if episode == 0 else None)
        yield Moment(observation, info, episode=episode)
        for time in range(1, max_steps + 1):
            action = actions.draw()
            observation, reward, terminated, truncated, info = env.step(action)
            yield Moment(observation, info, action, reward, terminated, truncated, episode, time)
            if terminated or truncated:
                break
        episode, steps = episode + 1, steps + time


def trajectory_hash(env: gym.Env[Any, Any], *, seed: int, episodes: int = 3, max_steps: int = 1000) -> str:
    """One hash of all observations, rewards, ends and infos of seeded random play.

    Args:
        env: The environment.
        seed: Of the environment and of the actions.
        episodes: How many.
        max_steps: An episode that is longer is left.

    Returns:
        A hexadecimal SHA-256.
    """
    hasher = hashlib.sha256()
    for moment in play(env, seed=seed, episodes=episodes, max_steps=max_steps):
        hasher.update(digest(moment.content()))
    return hasher.hexdigest()


def digest(value: Any) -> bytes:
    """A hash of nested data by type, shape and content, the same in every process."""
    hasher = hashlib.sha256()
    for path, leaf in leaves(value):
        hasher.update(path.encode())
        if isinstance(leaf, np.ndarray) and leaf.dtype != object:
            hasher.update(f"{leaf.dtype}{leaf.shape}".encode() + np.ascontiguousarray(leaf).tobytes())
        elif isinstance(leaf, np.generic):
            hasher.update(f"{leaf.dtype}".encode() + leaf.tobytes())
        else:
            hasher.update(repr(leaf).encode())
    return hasher.digest()


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of nested dicts, tuples and lists with its path."""
    if isinstance(value, dict):
        yield path, sorted(map(str, value))
        for key in sorted(value, key=str):
            yield from leaves(value[key], f"{path}.{key}")
    elif isinstance(value, tuple | list):
        yield path, len(value)
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def equal(one: Any, other: Any) -> bool:
    """Whether nested data are equal in structure and number, NaN being equal to NaN.

    Numbers of different types may be equal, since a batch turns Python's into numpy's.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        return bool(np.array_equal(a, b, equal_nan=True))
    return bool(np.array_equal(a, b))
