"""Mistakes in the stack of wrappers around a Stable-Baselines3 model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecCheckNan,
    VecEnv,
    VecEnvWrapper,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
)

from potentia.shaping.fit import Finding
from potentia.shaping.shaper import Shaper
from potentia.wrappers.stack import check_stack as check_wrappers
from potentia.wrappers.stack import rescaled

_PASSES_REWARDS_ON = (VecMonitor, VecCheckNan, VecFrameStack, VecTransposeImage)


def check_stack(model: Any, shaper: Shaper | None = None) -> list[Finding]:
    """Looks for shaping that is silently dropped, rescaled, or made for another learner, in a model's environments.

    - ``dropped``: off-policy models store ``VecNormalize.get_original_reward()``, so a reward changed outside of
      `VecNormalize` never reaches them.
    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that scales, clips or otherwise
      changes rewards: a `VecNormalize`, or a Gymnasium reward wrapper.
    - ``gamma``: the wrapper's, `VecNormalize`'s and the model's discount must be one number.
    - ``truncation``: Stable-Baselines3 uses the next value at a cut, so a wrapper must say ``"bootstrap"``.
    - ``repeated``, ``limit``, ``unknown``: see `potentia.testing.check_stack`, which looks at each environment's own
      wrappers.
    - ``relabelled``: hindsight's relabelled samples come unshaped.
    - ``twice``: ``shaper``, if it is given, has a term that a wrapper adds already.
    - ``monitor``: a Monitor outside of the shaping reports shaped returns as if they were true.
    - ``unseen``: of environments in other processes only the shaping itself is known, not what stands around it.
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
    if isinstance(getattr(model, "replay_buffer", None), HerReplayBuffer):
        found += _relabelled(env)
    terms = frozenset() if shaper is None else frozenset(shaper.term_names)
    scaler = "VecNormalize" if normalizer is not None and normalizer.norm_reward else ""
    for shaping in _shapings(env):
        found += [finding for finding in _around(shaping, model, scaler, monitored, terms) if finding not in found]
    if isinstance(env, DummyVecEnv):
        for one in env.envs:
            found += [finding for finding in check_wrappers(one) if finding not in found]
    else:
        message = f"{type(env).__name__} hides the wrappers of its environments; check one in a DummyVecEnv"
        found.append(Finding("unseen", message, severe=False))
    return found


def _shapings(env: VecEnv) -> list[dict[str, Any]]:
    """What the shaping wrappers in the environments say of themselves, also in other processes."""
    return list(env.get_attr("shaping")) if env.has_attr("shaping") else []


def _around(
    shaping: dict[str, Any], model: Any, scaler: str, monitored: bool, terms: frozenset[str]
) -> Iterator[Finding]:
    """What is wrong with a shaping under this model, and inside of these wrappers of a whole vector."""
    name = shaping["name"]
    if again := terms.intersection(shaping["terms"]):
        message = f"the terms {sorted(again)} are added by a wrapper already: shape in one place, or rename one"
        yield Finding("twice", message)
    if shaping["gamma"] != model.gamma:
        yield Finding("gamma", f"{name} was wrapped with gamma={shaping['gamma']}, the model has {model.gamma}")
    if shaping["truncation"] != "bootstrap":
        message = f"{name} was wrapped with truncation={shaping['truncation']!r}, but SB3 bootstraps at a cut"
        yield Finding("truncation", f"{message}: wrap with truncation='bootstrap'")
    if shaping["policy_invariant"] and scaler:
        yield rescaled(scaler, name)
    if monitored:
        message = f"VecMonitor stands outside of {name} and reports shaped returns as if they were true"
        yield Finding("monitor", f"{message}: put it inside, or read info['true_return']", severe=False)


def _relabelled(env: VecEnv) -> Iterator[Finding]:
    for shaping in _shapings(env)[:1]:
        yield Finding(
            "relabelled",
            f"HerReplayBuffer asks the innermost environment for the rewards of relabelled goals, which then lack the "
            f"terms of {shaping['name']}: use a replay without hindsight, or hindsight without shaping",
        )


def raise_severe(findings: list[Finding]) -> None:
    """Raises ``ValueError`` if a finding would make training wrong."""
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise ValueError("; ".join(f"{finding.name}: {finding.message}" for finding in severe))
