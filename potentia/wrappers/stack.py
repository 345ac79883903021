"""Mistakes in a stack of wrappers: whatever stands outside of a shaping wrapper sees its reward as the world's."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import gymnasium as gym
from gymnasium import wrappers
from gymnasium.envs.registration import WrapperSpec
from gymnasium.vector import AsyncVectorEnv, VectorEnv, VectorObservationWrapper, VectorWrapper
from gymnasium.wrappers import vector as vector_wrappers

from potentia.reward_wrappers import CHANGES, change_and_advice, changed_reward
from potentia.rollout import Truncation
from potentia.shaping.fit import Finding
from potentia.shaping.shaper import Shaper
from potentia.wrappers.form import ShaperForm
from potentia.wrappers.layers import Layer, Learner, Role, findings_of, shaping_layer
from potentia.wrappers.own_step import read_class
from potentia.wrappers.shape_reward import ShapeReward
from potentia.wrappers.shape_vector_reward import ShapeVectorReward

_NORMALIZES = (wrappers.NormalizeReward, vector_wrappers.NormalizeReward)
_REPEATS = (wrappers.AtariPreprocessing, wrappers.MaxAndSkipObservation)
_REPORTS = (wrappers.RecordEpisodeStatistics, vector_wrappers.RecordEpisodeStatistics)
_PASSES_ON = (
    gym.ObservationWrapper, gym.ActionWrapper, VectorObservationWrapper, wrappers.OrderEnforcing,
    wrappers.PassiveEnvChecker, wrappers.Autoreset, wrappers.RecordVideo, wrappers.HumanRendering,
    wrappers.FrameStackObservation, wrappers.NormalizeObservation, wrappers.TimeAwareObservation,
    wrappers.RenderCollection, vector_wrappers.DictInfoToList, vector_wrappers.NormalizeObservation,
)  # fmt: skip
_SHAPES = (ShapeReward, ShapeVectorReward)


def check_stack(
    env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
    *,
    gamma: float | None = None,
    truncation: Truncation | None = None,
) -> list[Finding]:
    """Looks for wrappers outside of a shaping that spoil it, and for a learner that it was not made for.

    A shaping is one of this library's wrappers, or somebody's own whose source adds the difference of a potential.

    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that clips, scales or otherwise
      changes rewards.
    - ``repeated``: an action repeat outside sums terms without their discount.
    - ``limit``: with ``truncation="terminal"`` a time limit outside is an end that the shaping does not see, so a
      potential's debt is never paid.
    - ``gamma``, ``truncation``: the learner's are other than the wrapper's. The bound of what a wrong gamma is worth is
      said. The gamma of Gymnasium's ``NormalizeReward`` is compared too.
    - ``terminal``: somebody's own wrapper pays the potential of a terminal state.
    - ``changed``: a wrapper inside of the shaping, or of an environment without any shaping or statistics, changes the
      reward that is then taken for the true one. This is not severe.
    - ``monitor``: statistics outside of what shapes or changes a reward report that as if it were true. This is not
      severe.
    - ``doubled``: two wrappers divide by a running scale. This is not severe.
    - ``unknown``: a wrapper outside that this function does not know has a ``step`` of its own. This is not severe.

    Args:
        env: The environment that the learner steps, single or vector. Of a vector of environments in this process
            each is looked at; of those in other processes one is made here and looked at.
        gamma: The learner's discount factor. None if it is not to be compared.
        truncation: What the learner does where an episode is cut. None if it is not to be compared.

    Returns:
        One finding for each kind of mistake of each wrapper. Empty if there is none.
    """
    learner = Learner(gamma, truncation)
    found: dict[Finding, None] = {}
    for layers in stacks(env):
        found.update(dict.fromkeys([*changed_in(layers), *findings_of(layers, learner)]))
    return list(found)


def changed_in(layers: Sequence[Layer]) -> Iterator[Finding]:
    """A changed reward that is taken for the true one: inside of a shaping, or where nobody keeps statistics."""
    ours = [index for index, layer in enumerate(layers) if layer.tells]
    if not ours and any(layer.role in ("reports", "shapes") for layer in layers):
        return
    for layer in layers[ours[-1] + 1 if ours else 0 :]:
        if layer.role in ("changes", "shapes"):
            yield Finding("changed", *change_and_advice([layer.name], "whoever reads it"), severe=False)
            return


def stacks(env: Any) -> list[tuple[Layer, ...]]:
    """The wrappers of an environment, outermost first. Of a vector of them: one stack for each that is unlike others.

    Args:
        env: An environment in any wrappers, single or a vector. Of an ``AsyncVectorEnv`` the first environment is made
            once more, in this process, and looked at.
    """
    return list(dict.fromkeys(_stacks(env, ())))


def _stacks(env: Any, outside: tuple[Layer, ...]) -> Iterator[tuple[Layer, ...]]:
    while isinstance(env, gym.Wrapper | VectorWrapper):
        outside = (*outside, layer_of(env))
        env = env.env
    if isinstance(env, AsyncVectorEnv):
        with contextlib.closing(env.env_fns[0]()) as one:
            yield from _stacks(one, outside)
        return
    inside = getattr(env, "envs", ())
    if not inside:
        yield outside
    for one in inside:
        yield from _stacks(one, outside)


def layers_of_spec(spec: Any) -> tuple[Layer, ...]:
    """The wrappers that an environment's specification records, outermost first."""
    wrapped = () if spec is None else spec.additional_wrappers
    return tuple(_layer_of_record(record) for record in reversed(wrapped))


def _layer_of_record(record: WrapperSpec) -> Layer:
    module, _, name = record.entry_point.partition(":")
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return Layer(record.name, "steps")
    arguments: Mapping[str, Any] = record.kwargs or {}
    if not issubclass(kind, _SHAPES):
        return layer_of_class(kind, arguments.get("gamma"))
    shaper = arguments["shaper"]
    if isinstance(shaper, ShaperForm):
        shaper = shaper.shaper
    told = arguments["gamma"], arguments.get("truncation", "bootstrap")
    return shaping_layer(shaper, *told) if isinstance(shaper, Shaper) else Layer(record.name, "shapes", False, *told)


def layer_of(wrapper: Any) -> Layer:
    """What is known of one wrapper."""
    if isinstance(wrapper, _SHAPES):
        return shaping_layer(wrapper.shaper, wrapper.gamma, wrapper.truncation)
    return layer_of_class(type(wrapper), wrapper.gamma if isinstance(wrapper, _NORMALIZES) else None)


def layer_of_class(kind: type, gamma: float | None = None, place: str = "") -> Layer:
    """What is known of a wrapper of this class."""
    role = _role_of(kind)
    if role in ("changes", "steps") and not kind.__module__.startswith("gymnasium."):
        own = read_class(kind)
        if own.potential:
            return Layer(kind.__name__, "shapes", True, discounted=own.discounted, sees_end=own.sees_end, place=place)
        role = "changes" if own.changes else role
    return Layer(kind.__name__, role, gamma=gamma if issubclass(kind, _NORMALIZES) else None, place=place)


def _role_of(kind: type) -> Role:
    if issubclass(kind, CHANGES):
        return "changes"
    if issubclass(kind, _REPEATS):
        return "repeats"
    if issubclass(kind, _REPORTS) or kind.__name__ == "Monitor":  # Stable-Baselines3's
        return "reports"
    if issubclass(kind, wrappers.TimeLimit):
        return "limits"
    steps = getattr(kind, "step", None) not in (gym.Wrapper.step, VectorWrapper.step)
    return "steps" if steps and not issubclass(kind, _PASSES_ON) else "passes"


def untrue_reward(env: Any, taken_by: str, info: Container[str] = ()) -> str:
    """What is wrong with the reward of ``env`` as the true one, and what to do, or "" if nothing is.

    What stands outside of a shaping does not matter, since the shaping says the reward inside of it in
    ``info["true_reward"]``. An environment without shaping may say that itself.

    Args:
        env: An environment, single or a vector. Environments in other processes can't be looked into.
        taken_by: Who takes it for the true one, for the message.
        info: Keys of its info.
    """
    insides = [shaping.env for shaping in _shapings(env)]
    if not insides and "true_reward" not in info:
        insides = [env]
    return next((message for inside in insides if (message := changed_reward(inside, taken_by))), "")


def _shapings(env: Any) -> Iterator[ShapeReward | ShapeVectorReward]:
    """Each shaping wrapper inside."""
    while isinstance(env, gym.Wrapper | VectorWrapper):
        if isinstance(env, _SHAPES):
            yield env
        env = env.env
    for one in getattr(env, "envs", ()):
        yield from _shapings(one)
