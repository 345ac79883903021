"""Mistakes in a stack of wrappers: whatever stands outside of a shaping wrapper sees its reward as the world's."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import gymnasium as gym
from gymnasium import wrappers
from gymnasium.vector import VectorEnv, VectorObservationWrapper, VectorWrapper
from gymnasium.wrappers import vector as vector_wrappers

from potentia.reward_wrappers import CHANGES, changed_reward
from potentia.rollout import Truncation
from potentia.shaping.fit import Finding
from potentia.wrappers.shape_reward import ShapeReward
from potentia.wrappers.shape_vector_reward import ShapeVectorReward

_REPEATS = (wrappers.AtariPreprocessing, wrappers.MaxAndSkipObservation)
_REPORTS = (wrappers.RecordEpisodeStatistics, vector_wrappers.RecordEpisodeStatistics)
_PASSES_ON = (
    gym.ObservationWrapper, gym.ActionWrapper, VectorObservationWrapper, wrappers.OrderEnforcing,
    wrappers.PassiveEnvChecker, wrappers.Autoreset, wrappers.RecordVideo, wrappers.HumanRendering,
    wrappers.FrameStackObservation, wrappers.NormalizeObservation, wrappers.TimeAwareObservation,
    wrappers.RenderCollection, vector_wrappers.DictInfoToList, vector_wrappers.NormalizeObservation,
)  # fmt: skip


def check_stack(
    env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
    *,
    gamma: float | None = None,
    truncation: Truncation | None = None,
) -> list[Finding]:
    """Looks for wrappers outside of the shaping that spoil it, and for a learner that it was not made for.

    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that clips, scales or otherwise
      changes rewards.
    - ``repeated``: an action repeat outside sums terms without their discount.
    - ``limit``: with ``truncation="terminal"`` a time limit outside is an end that the shaping does not see, so a
      potential's debt is never paid.
    - ``gamma``, ``truncation``: the learner's are other than the wrapper's.
    - ``changed``: a wrapper inside of the shaping, or of an environment without any, changes the reward that is then
      taken for the true one. This is not severe.
    - ``monitor``: statistics outside of the shaping report shaped returns as if they were true. This is not severe.
    - ``unknown``: a wrapper outside that this function does not know has a ``step`` of its own. This is not severe.

    Args:
        env: The environment that the learner steps, single or vector. Of a vector of environments in this process
            each is looked at. Those in other processes can't be.
        gamma: The learner's discount factor. None if it is not to be compared.
        truncation: What the learner does where an episode is cut. None if it is not to be compared.

    Returns:
        One finding for each kind of mistake of each wrapper. Empty if there is none.
    """
    found: dict[Finding, None] = {}
    if message := untrue_reward(env, "whoever reads it"):
        found[Finding("changed", message, severe=False)] = None
    for outside, shaping in _shapings(env, []):
        for finding in _around(shaping, outside):
            found[finding] = None
        if gamma is not None and gamma != shaping.gamma:
            message = f"{shaping.shaper.name} was wrapped with gamma={shaping.gamma}, the learner has {gamma}"
            found[Finding("gamma", f"{message}: use one number")] = None
        if truncation is not None and truncation != shaping.truncation:
            does = {"bootstrap": "uses the next value", "terminal": "sees an end"}[truncation]
            found[
                Finding(
                    "truncation",
                    f"{shaping.shaper.name} was wrapped with truncation={shaping.truncation!r}, but the learner {does} "
                    f"where an episode is cut: wrap with truncation={truncation!r}",
                )
            ] = None
    return list(found)


def untrue_reward(env: Any, taken_by: str, info: Container[str] = ()) -> str:
    """What is wrong with the reward of ``env`` as the true one, and what to do, or "" if nothing is.

    What stands outside of a shaping does not matter, since the shaping says the reward inside of it in
    ``info["true_reward"]``. An environment without shaping may say that itself.

    Args:
        env: An environment, single or a vector. Environments in other processes can't be looked into.
        taken_by: Who takes it for the true one, for the message.
        info: Keys of its info.
    """
    insides = [shaping.env for _, shaping in _shapings(env, [])]
    if not insides and "true_reward" not in info:
        insides = [env]
    return next((message for inside in insides if (message := changed_reward(inside, taken_by))), "")


Shaping = ShapeReward | ShapeVectorReward


def _shapings(env: Any, outside: list[Any]) -> Iterator[tuple[list[Any], Shaping]]:
    """Each shaping wrapper inside, with the wrappers that stand outside of it, outermost first."""
    while isinstance(env, gym.Wrapper | VectorWrapper):
        if isinstance(env, ShapeReward | ShapeVectorReward):
            yield list(outside), env
        outside = [*outside, env]
        env = env.env
    for one in getattr(env, "envs", ()):
        yield from _shapings(one, outside)


def _around(shaping: Shaping, outside: list[Any]) -> Iterator[Finding]:
    name, invariant = shaping.shaper.name, shaping.shaper.contract.guarantee == "policy_invariant"
    for wrapper in outside:
        kind = type(wrapper).__name__
        if isinstance(wrapper, CHANGES):
            if invariant:
                yield rescaled(kind, name)
        elif isinstance(wrapper, _REPEATS):
            if invariant:
                message = f"{kind} stands outside of {name} and sums its terms without their discount"
                yield Finding("repeated", f"{message}: put it inside")
        elif isinstance(wrapper, wrappers.TimeLimit):
            if shaping.truncation == "terminal":
                message = f"TimeLimit stands outside of {name}, which does not see the ends that the learner sees"
                yield Finding("limit", f"{message} (truncation='terminal'): put it inside")
        elif isinstance(wrapper, _REPORTS) or kind == "Monitor":  # Stable-Baselines3's
            message = f"{kind} stands outside of {name} and reports shaped returns as if they were true"
            yield Finding("monitor", f"{message}: put it inside, or read info['true_return']", severe=False)
        elif not isinstance(wrapper, (*_PASSES_ON, ShapeReward, ShapeVectorReward)) and _steps(wrapper):
            message = f"{kind} stands outside of {name} and has a step of its own"
            yield Finding(
                "unknown", f"{message}: if it changes rewards or repeats actions, put it inside", severe=False
            )


def rescaled(outside: str, name: str) -> Finding:
    """The finding that something outside changes the terms of a policy-invariant shaper."""
    message = f"{outside} stands outside of {name} and changes its terms, which then no longer telescope"
    return Finding("rescaled", f"{message}: put it inside")


def _steps(wrapper: Any) -> bool:
    return type(wrapper).step not in (gym.Wrapper.step, VectorWrapper.step)
