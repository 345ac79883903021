"""Mistakes in the stack of wrappers around a Stable-Baselines3 model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stable_baselines3 import HerReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import (
    VecCheckNan,
    VecEnv,
    VecEnvWrapper,
    VecExtractDictObs,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
    VecVideoRecorder,
)

from potentia.shaping.fit import Finding
from potentia.shaping.shaper import Shaper
from potentia.wrappers.layers import Layer, Learner, cut_is_an_end, findings_of, relabelled
from potentia.wrappers.own_step import read_class
from potentia.wrappers.stack import changed_in, stacks

_PASSES_REWARDS_ON = (VecCheckNan, VecFrameStack, VecTransposeImage, VecExtractDictObs, VecVideoRecorder)


def check_stack(model: Any, shaper: Shaper | None = None, *, gamma: float | None = None) -> list[Finding]:
    """Looks for shaping that is silently dropped, rescaled, or made for another learner, in a model's environments.

    - ``dropped``: off-policy models store ``VecNormalize.get_original_reward()``, so a reward changed outside of
      `VecNormalize` never reaches them.
    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that scales, clips or otherwise
      changes rewards: a `VecNormalize`, or a Gymnasium reward wrapper.
    - ``gamma``: the wrapper's, `VecNormalize`'s and the model's discount must be one number.
    - ``truncation``: Stable-Baselines3 uses the next value at a cut, so a wrapper must say ``"bootstrap"``. A replay
      without ``handle_timeout_termination`` does not, which is said.
    - ``repeated``, ``limit``, ``changed``, ``doubled``, ``terminal``, ``unknown``: see `potentia.testing.check_stack`.
    - ``relabelled``: hindsight's relabelled samples come unshaped.
    - ``twice``: ``shaper``, if it is given, has a term that a wrapper adds already.
    - ``monitor``: a Monitor outside of what shapes or changes a reward reports that as if it were true.
    - ``unseen``: of environments in other processes only the shaping itself is known, not what stands around it.

    Args:
        model: The model, or a vector of environments alone.
        shaper: What a callback or a replay is to add.
        gamma: The discount factor of whoever learns from a vector of environments.
    """
    env: Any = model if isinstance(model, VecEnv) else model.get_env()
    learner = Learner(gamma) if isinstance(model, VecEnv) else _learner(model)
    outside, env = _outside(env)
    found: dict[Finding, None] = {}
    reports = [layer for layer in outside if layer.role == "reports"]
    for inside in _insides(env):
        found.update(dict.fromkeys(findings_of([*outside, *inside], learner)))
        found.update(dict.fromkeys(changed_in([*reports, *inside])))
    terms = frozenset() if shaper is None else frozenset(shaper.term_names)
    found.update(dict.fromkeys([*_twice(env, terms), *_of_replay(model, env)]))
    if not hasattr(env, "envs"):
        problem = f"{type(env).__name__} hides the wrappers of its environments"
        found[Finding("unseen", problem, "check one in a DummyVecEnv", severe=False)] = None
    return list(found)


def stacks_of_vector(env: VecEnv) -> list[tuple[Layer, ...]]:
    """The wrappers of a vector and of its environments, outermost first: `potentia.wrappers.stack.stacks`."""
    outside, inner = _outside(env)
    return list(dict.fromkeys((*outside, *inside) for inside in _insides(inner)))


def _outside(env: Any) -> tuple[list[Layer], Any]:
    """The wrappers of the whole vector, outermost first, and the vector inside."""
    outside = []
    while isinstance(env, VecEnvWrapper):
        outside.append(_layer(env))
        env = env.venv
    return outside, env


def _learner(model: Any) -> Learner:
    stores = type(model).__name__ if isinstance(model, OffPolicyAlgorithm) else ""
    return Learner(float(model.gamma), "bootstrap" if _sees_cuts(model) else "terminal", stores)


def _sees_cuts(model: Any) -> bool:
    return bool(getattr(getattr(model, "replay_buffer", None), "handle_timeout_termination", True))


def _layer(env: VecEnvWrapper) -> Layer:
    """What is known of a wrapper of a whole vector."""
    name = type(env).__name__
    if isinstance(env, VecNormalize):
        return Layer(name, "changes", gamma=env.gamma) if env.norm_reward else Layer(name, "passes")
    if isinstance(env, VecMonitor):
        return Layer(name, "reports")
    if isinstance(env, _PASSES_REWARDS_ON):
        return Layer(name, "passes")
    return Layer(name, "changes" if read_class(type(env)).changes else "steps")


def _insides(env: VecEnv) -> list[tuple[Layer, ...]]:
    """The stacks of the environments; of those in other processes the shaping alone."""
    if hasattr(env, "envs"):
        return [layers for one in env.envs for layers in stacks(one)]
    told = ("name", "invariant", "gamma", "truncation", "size")
    return [(Layer(role="shapes", tells=True, **{key: one[key] for key in told}),) for one in _shapings(env)] or [()]


def _shapings(env: VecEnv) -> list[dict[str, Any]]:
    """What the shaping wrappers in the environments say of themselves, also in other processes."""
    return list(env.get_attr("shaping")) if env.has_attr("shaping") else []


def _twice(env: VecEnv, terms: frozenset[str]) -> Iterator[Finding]:
    for shaping in _shapings(env):
        if again := terms.intersection(shaping["terms"]):
            problem = f"the terms {sorted(again)} are added by a wrapper already"
            yield Finding("twice", problem, "shape in one place, or rename one")


def _of_replay(model: Any, env: VecEnv) -> Iterator[Finding]:
    """What a replay does to a shaping, or to any reward at a cut."""
    if isinstance(getattr(model, "replay_buffer", None), HerReplayBuffer):
        for shaping in _shapings(env)[:1]:
            yield relabelled(shaping["name"])
    if not _sees_cuts(model):
        yield cut_is_an_end(type(model).__name__)


def raise_severe(findings: list[Finding]) -> None:
    """Raises ``ValueError`` if a finding would make training wrong."""
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise ValueError("; ".join(f"{finding.name}: {finding.message}" for finding in severe))
