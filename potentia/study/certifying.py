"""What a run keeps of its shaping once it is trained: a certificate of it in the run's world, or why there is none."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Any

import gymnasium as gym
from gymnasium import wrappers

from potentia.shaping.shaper import Shaper
from potentia.study.plan import RunConfig
from potentia.study.world import World

MOST_NODES = 5_000
"""Pairs of a state and a memory that are solved at most: a second or so."""

_CHANGE_NOTHING = (wrappers.OrderEnforcing, wrappers.PassiveEnvChecker, wrappers.TimeLimit)
_LIMIT = "The study's time limit of {} steps is left out: the problem goes on until it terminates."


def certificate_of(world: World, shaper: Shaper) -> dict[str, Any] | None:
    """The certificate of a trained shaper in its world at the study's gamma, as JSON.

    Args:
        world: The run's world.
        shaper: The shaping, with what it has learned.

    Returns:
        The fields of `potentia.audit.Certificate`. Or ``{"reason": ...}``, why there is none, in words: no shaper or
        world makes a run fail here. None where none is wanted (`StudySpec.certify`), or there is nothing to certify.
    """
    config = world.config
    wanted = world.tabular if config.certify is None else config.certify
    if not wanted or not config.shaping.shapers:
        return None
    try:
        return _certified(config, shaper)
    except Exception as error:
        return {"reason": " ".join(str(error).split())[:500] or type(error).__name__}


def _certified(config: RunConfig, shaper: Shaper) -> dict[str, Any]:
    from potentia.audit import certify  # noqa: PLC0415 - the end of a run needs it, its start does not

    limit = config.environment.max_episode_steps
    env = gym.make(config.environment.id, max_episode_steps=limit, disable_env_checker=True, **config.kwargs)
    with contextlib.closing(env):
        _require_bare(env)
        found = certify(env, shaper, gamma=config.gamma, seed=config.seed, max_nodes=MOST_NODES)
    document = asdict(found)
    if limit is not None:
        document["not_covered"] = (_LIMIT.format(limit), *found.not_covered)
    return document


def _require_bare(env: Any) -> None:
    """An enumeration takes wrappers off, so a wrapper that changes anything makes another world of it."""
    while isinstance(env, gym.Wrapper):
        if not isinstance(env, _CHANGE_NOTHING):
            raise ValueError(f"the world has the wrapper {type(env).__name__}, which an enumeration would leave out")
        env = env.env
