"""Records demonstrations: whole episodes of an actor that can do the task, kept if they succeed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from potentia.arrays import host_array
from potentia.collect import Actor, collect_episodes, reset_seed
from potentia.demonstrations import beside
from potentia.envs.experts import expert
from potentia.gamma import needs_gamma
from potentia.limits import check_at_least
from potentia.rollout import Rollout, Truncation


@needs_gamma
def record_demonstrations(
    envs: str | VectorEnv[Any, Any, Any],
    episodes: int,
    actor: Actor | None = None,
    *,
    gamma: float,
    successful_only: bool = True,
    truncation: Truncation = "bootstrap",
    columns: Iterable[str] = (),
    seed: int = 0,
    max_steps: int = 100_000,
    max_played: int | None = None,
) -> tuple[Rollout, int]:
    """Plays until there are ``episodes`` demonstrations. Returns them, one a column, and how many were thrown away.

    An episode is thrown away if ``success`` was never true in it. It is played whole first, so that which episodes are
    kept depends on success alone and not on their length.

    Args:
        envs: A vector environment that gives the true reward, or an id, of which up to 8 are made.
        episodes: How many to keep, at least 1.
        actor: Who shows it. None is `potentia.envs.experts.expert` of these environments.
        gamma: As for `potentia.collect.collect`.
        successful_only: Whether episodes without success are thrown away. Then the environments' info must have
            ``success`` at each step, and the rollout has the column ``next_success``.
        truncation: As for `potentia.collect.collect`.
        columns: As for `potentia.collect.collect`.
        seed: Seeds the resets.
        max_steps: The most steps that an episode may last.
        max_played: The most episodes to play, ``10 * episodes`` by default.

    Raises:
        TypeError: If gamma is missing.
        KeyError: If success is asked for and the environments don't say it.
        ValueError: As for `collect_episodes`. Also if there is no expert, or max_played episodes had too few successes.

    >>> import potentia
    >>> rollout, thrown_away = record_demonstrations("potentia/Chain-v0", 3, gamma=0.99)
    >>> rollout.mask.shape, rollout.reward.sum(0).tolist(), thrown_away
    ((18, 3), [1.0, 1.0, 1.0], 0)
    """
    check_at_least(1, episodes=episodes)
    if isinstance(envs, str):
        made = gym.make_vec(envs, num_envs=min(episodes, 8))
        try:
            return record_demonstrations(
                made, episodes, actor, gamma=gamma, successful_only=successful_only, truncation=truncation,
                columns=columns, seed=seed, max_steps=max_steps, max_played=max_played,
            )  # fmt: skip
        finally:
            made.close()
    actor = expert(envs) if actor is None else actor
    limit = 10 * episodes if max_played is None else max_played
    wanted = frozenset(columns) | ({"next_success"} if successful_only else frozenset())
    kept: list[Rollout] = []
    found = played = rounds = 0
    while found < episodes:
        if played >= limit:
            raise ValueError(
                f"{episodes} demonstrations were wanted, got {found} successes in {played} episodes; give an actor "
                "that succeeds more often, a greater max_played, or successful_only=False"
            )
        count = min(episodes - found, limit - played)
        rollout = collect_episodes(
            envs, actor, count, gamma=gamma, truncation=truncation, columns=wanted,
            seed=reset_seed(seed, rounds), max_steps=max_steps,
        )  # fmt: skip
        succeeded = np.flatnonzero(_succeeded(rollout)) if successful_only else np.arange(count)
        if succeeded.size:
            kept.append(rollout[:, succeeded])
        found, played, rounds = found + succeeded.size, played + count, rounds + 1
    return beside(kept), played - found


def _succeeded(rollout: Rollout) -> np.ndarray[Any, Any]:
    """Whether the task was done at a step of the episode, ``(B,)`` bool."""
    success = host_array(rollout.info["next_success"]).astype(bool)
    return np.asarray((success & host_array(rollout.mask)).any(0))
