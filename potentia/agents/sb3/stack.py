"""Mistakes in the stack of wrappers around a Stable-Baselines3 model."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecCheckNan,
    VecEnvWrapper,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
)

from potentia.shaping.fit import Finding
from potentia.shaping.shaper import Shaper
from potentia.wrappers import ShapeReward

_PASSES_REWARDS_ON = (VecMonitor, VecCheckNan, VecFrameStack, VecTransposeImage)


def check_stack(model: Any, shaper: Shaper | None = None) -> list[Finding]:
    """Looks for shaping that is silently dropped, rescaled, or made for another learner, in a model's environments.

    - ``dropped``: off-policy models store ``VecNormalize.get_original_reward()``, so a reward changed outside of
      `VecNormalize` never reaches them.
    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that scales, clips or otherwise
      changes rewards: a `VecNormalize`, or a Gymnasium reward wrapper.
    - ``gamma``: the wrapper's, `VecNormalize`'s and the model's discount must be one number.
    - ``truncation``: Stable-Baselines3 uses the next value at a cut, so a wrapper must say ``"bootstrap"``.
    - ``twice``: ``shaper``, if it is given, has a term that a wrapper adds already.
    - ``monitor``: a Monitor outside of the shaping reports shaped returns as if they were true.
    - ``unseen``: environments in other processes can't be looked at.
    """
    found: list[Finding] = []
    env: Any = model.get_env()
    normalizer = model.get_vec_normalize_env()
    outside, monitored = True, False
    while isinstance(env, VecEnvWrapper):
        outside = outside and env is not normalizer
        monitored = monitored or isinstance(env, VecMonitor)
        changes = not isinstance(env, (*_PASSES_REWARDS_ON, VecNormalize))
        if normalizer is not None and outside and changes and isinstance(model, OffPolicyAlgorithm):
            message = f"{type(env).__name__} stands outside of VecNormalize, whose original reward is what"
            found.append(Finding("dropped", f"{message} {type(model).__name__} stores: put it inside"))
        env = env.venv
    if normalizer is not None and normalizer.norm_reward and normalizer.gamma != model.gamma:
        found.append(
            Finding("gamma", f"VecNormalize has gamma={normalizer.gamma}, the model {model.gamma}: use one number")
        )
    if not isinstance(env, DummyVecEnv):
        found.append(
            Finding("unseen", f"{type(env).__name__} hides its environments; check one in a DummyVecEnv", severe=False)
        )
        return found
    terms = frozenset() if shaper is None else frozenset(shaper.term_names)
    for one in env.envs:
        found += [finding for finding in _inside(one, model, normalizer, monitored, terms) if finding not in found]
    return found


def _inside(
    env: gym.Env[Any, Any], model: Any, normalizer: VecNormalize | None, monitored: bool, terms: frozenset[str]
) -> list[Finding]:
    found: list[Finding] = []
    scaler = "VecNormalize" if normalizer is not None and normalizer.norm_reward else ""
    while isinstance(env, gym.Wrapper):
        monitored = monitored or isinstance(env, Monitor)
        if isinstance(env, gym.RewardWrapper | gym.wrappers.NormalizeReward):
            scaler = type(env).__name__
        if isinstance(env, ShapeReward):
            name = env.shaper.name
            again = terms.intersection(env.shaper.term_names)
            if again:
                message = f"the terms {sorted(again)} are added by a wrapper already: shape in one place, or rename one"
                found.append(Finding("twice", message))
            if env.gamma != model.gamma:
                found.append(
                    Finding("gamma", f"{name} was wrapped with gamma={env.gamma}, the model has {model.gamma}")
                )
            if env.truncation != "bootstrap":
                message = f"{name} was wrapped with truncation={env.truncation!r}, but SB3 bootstraps at a cut"
                found.append(Finding("truncation", f"{message}: wrap with truncation='bootstrap'"))
            invariant = env.shaper.contract.guarantee == "policy_invariant"
            if invariant and scaler:
                message = f"{scaler} stands outside of {name} and changes its terms, which then no longer telescope"
                found.append(Finding("rescaled", f"{message}: shape outside of it (ShapingCallback, shape_replay do)"))
            if monitored:
                message = f"a Monitor outside of {name} reports shaped returns"
                found.append(Finding("monitor", f"{message}: put it inside, or read info['true_reward']", severe=False))
        env = env.env
    return found


def raise_severe(findings: list[Finding]) -> None:
    """Raises ``ValueError`` if a finding would make training wrong."""
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise ValueError("; ".join(f"{finding.name}: {finding.message}" for finding in severe))
