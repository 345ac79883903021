"""Gymnasium's wrappers that change a reward: what stands outside of one takes a changed number for the true one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
from gymnasium import wrappers
from gymnasium.vector import VectorRewardWrapper, VectorWrapper
from gymnasium.wrappers import vector as vector_wrappers

__all__ = ["CHANGES", "change_and_advice", "changed_reward", "reward_changers"]

CHANGES = (gym.RewardWrapper, wrappers.NormalizeReward, VectorRewardWrapper, vector_wrappers.NormalizeReward)
"""The classes of wrappers that return another reward than the one inside."""

_SHAPERS = ("ClipReward", "NormalizeReward")
"""Those for which there is a shaper of that name."""


def reward_changers(env: Any) -> Iterator[Any]:
    """The wrappers inside ``env`` that change its reward, outermost first.

    Args:
        env: An environment in any wrappers, single or a vector. Environments in other processes can't be looked into.
    """
    while isinstance(env, gym.Wrapper | VectorWrapper):
        if isinstance(env, CHANGES):
            yield env
        env = env.env
    for one in getattr(env, "envs", ()):
        yield from reward_changers(one)


def changed_reward(env: Any, taken_by: str) -> str:
    """What is wrong with the reward of ``env`` as the true one, and what to do, or "" if nothing is.

    Args:
        env: As for `reward_changers`.
        taken_by: Who takes it for the true one, for the message.

    >>> env = wrappers.ClipReward(gym.make("CartPole-v1"), 0.0, 0.5)
    >>> changed_reward(env, "evaluate").partition(":")[0]
    "ClipReward changes the reward, which evaluate takes for the environment's own"
    """
    found = next(reward_changers(env), None)
    return (
        "" if found is None else ": ".join(change_and_advice([base.__name__ for base in type(found).__mro__], taken_by))
    )


def change_and_advice(names: Sequence[str], taken_by: str) -> tuple[str, str]:
    """What is wrong where a wrapper's reward is taken for the true one, and what to do.

    Args:
        names: The wrapper's class, and perhaps those that it is made from.
        taken_by: As for `changed_reward`.
    """
    shaper = next((f"potentia.shaping.{name}" for name in names if name in _SHAPERS), "a shaper")
    return (
        f"{names[0]} changes the reward, which {taken_by} takes for the environment's own",
        f"leave it out and put {shaper} into the shaping, which keeps both apart; or say the true reward in "
        "info['true_reward']",
    )
