"""Tries whether a process reward can do what it is for: be earned, tell steps apart, and like the best most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.rollout import Rollout
from potentia.shaping.judged.process_reward import ProcessReward
from potentia.shaping.shaper import Shaper

_CLOSE = 1e-6


def check_process_reward(
    reward: Shaper, episodes: Sequence[Rollout], best: int, *, maxima: Mapping[str, float] | None = None
) -> None:
    """Tries three things that a process reward can get wrong without an error, on episodes that you choose.

    *reachable*: each part is above 0 at some step of some episode, reaches its maximum, and never exceeds it. A typing
    error in a pattern is enough to make a part 0 for ever. *varies*: the term is not the same at every step.
    *best*: the discounted sum of the term is higher along the best episode than along each of the others. Give it
    episodes that try to earn more: that pad, repeat, list everything, stay where it is good.

    Rewards that learn or ask a judge must have done so before: ``reward.update(episode)``.

    Args:
        reward: The shaper. Of a `ProcessReward` each part is looked at, of others each
            term.
        episodes: One episode each, ``(T, 1)``, T at least 1, with the columns that it reads. Together they should earn
            each part at its most.
        best: The index of the episode that is known to be the best.
        maxima: The most that a step can earn by each part, if the shaper doesn't say. ``math.inf``, or a part that is
            left out, has no bound.

    Raises:
        AssertionError: ``"<check>: <shaper>: <what is wrong>"``.
        ValueError: If the reward is policy-invariant, or there are not at least two episodes of the right shape.

    >>> import numpy as np
    >>> from potentia.shaping import ChecklistScore
    >>> def episode(*states: float) -> Rollout:
    ...     column, steps = np.array(states)[:, None], (len(states) - 1, 1)
    ...     zero, no = np.zeros(steps), np.zeros(steps, bool)
    ...     return Rollout(
    ...         obs=zero, action=zero, next_obs=zero, terms={"env": zero}, discount=zero + 0.9, terminated=no,
    ...         truncated=no, info={"checklist": column[:-1], "next_checklist": column[1:]})
    >>> score = ChecklistScore()
    >>> check_process_reward(score, [episode(0.0, 0.5, 1.0), episode(0.0, 0.5, 0.5)], 0, maxima={"ChecklistScore": 1.0})
    >>> check_process_reward(score, [episode(0.0, 1.0), episode(0.0, 0.5, 0.5, 0.5, 0.5)], 0)
    Traceback (most recent call last):
    AssertionError: best: ChecklistScore: episode 1 earns 1.72, the best, episode 0, earns 1: it pays for something else
    """
    if reward.contract.guarantee == "policy_invariant":
        raise ValueError(
            f"{reward.name} is policy-invariant: it pays all ways between two states the same, the best and the worst; "
            "hold it to potentia.testing.check_shaper instead"
        )
    if len(episodes) < 2 or not 0 <= best < len(episodes):
        raise ValueError(f"give at least two episodes and the index of the best, got {len(episodes)} and best={best}")
    for index, episode in enumerate(episodes):
        if episode.num_envs != 1 or not host_array(episode.mask).any():
            shape = (episode.num_steps, episode.num_envs)
            raise ValueError(f"episodes[{index}] must be one episode, (T, 1), with an unmasked step, got {shape}")
    bounds = dict(maxima if maxima is not None else reward.maxima if isinstance(reward, ProcessReward) else {})
    _reachable(reward, [_parts(reward, episode) for episode in episodes], bounds)
    terms = [_term(reward, episode) for episode in episodes]
    _varies(reward, terms)
    _best(reward, [_discounted(episode, term) for episode, term in zip(episodes, terms, strict=True)], best)


def _reachable(reward: Shaper, parts: list[dict[str, np.ndarray[Any, Any]]], bounds: dict[str, float]) -> None:
    unknown = bounds.keys() - parts[0].keys()
    assert not unknown, f"reachable: {reward.name}: it has no parts {sorted(unknown)}, only {sorted(parts[0])}"
    for name in parts[0]:
        values = np.concatenate([part[name] for part in parts])
        which = f"reachable: {reward.name}: the part {name!r}"
        assert np.isfinite(values).all(), f"{which} is not finite somewhere"
        top, bound = float(values.max()), bounds.get(name, math.inf)
        near = _CLOSE * max(1.0, abs(bound)) if math.isfinite(bound) else 0.0
        assert top > 0, f"{which} is never above 0: mend it, or add an episode that earns it"
        assert top <= bound + near, f"{which} is {top:g} somewhere, more than its maximum {bound:g}"
        assert math.isinf(bound) or top >= bound - near, (
            f"{which} gets to {top:g}, not to its maximum {bound:g}: mend it, or add an episode that earns it"
        )


def _varies(reward: Shaper, terms: list[np.ndarray[Any, Any]]) -> None:
    values = np.concatenate(terms)
    assert float(np.ptp(values)) > _CLOSE, (
        f"varies: {reward.name}: it pays {values[0]:g} at every step, which tells nothing apart"
    )


def _best(reward: Shaper, earned: list[float], best: int) -> None:
    for index, value in enumerate(earned):
        assert index == best or value < earned[best], (
            f"best: {reward.name}: episode {index} earns {value:.3g}, the best, episode {best}, earns "
            f"{earned[best]:.3g}: it pays for something else"
        )


def _parts(reward: Shaper, episode: Rollout) -> dict[str, np.ndarray[Any, Any]]:
    """The parts of the unmasked steps."""
    if isinstance(reward, ProcessReward):
        parts = reward.parts(episode)
    else:
        shaped, _ = reward.shape(episode, reward.init(1))
        parts = {name: shaped.terms[name] for name in reward.term_names}
    mask = host_array(episode.mask)
    return {name: np.asarray(host_array(part), dtype=np.float64)[mask] for name, part in parts.items()}


def _term(reward: Shaper, episode: Rollout) -> np.ndarray[Any, Any]:
    shaped, _ = reward.shape(episode, reward.init(1))
    total = np.zeros(episode.discount.shape)
    for name in reward.term_names:
        total += host_array(shaped.terms[name])
    return np.asarray(total[host_array(episode.mask)])


def _discounted(episode: Rollout, term: np.ndarray[Any, Any]) -> float:
    discount = host_array(episode.discount)[host_array(episode.mask)].astype(np.float64)
    return float(np.concatenate([[1.0], np.cumprod(discount)[:-1]]) @ term)
