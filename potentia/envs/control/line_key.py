"""A line with keys at one end and a lock at the other, for rewards that are designed or learned."""

from __future__ import annotations

import numpy as np

from potentia.compiling import part
from potentia.envs.control.draws import between, uniform
from potentia.envs.control.rules import PLAYING, REACHED, SUCCESS, Part, Rules, world
from potentia.limits import check_at_least

__all__ = ["line_key", "line_keys"]

_SHORTEST, _LONGEST, _GOAL = 0.074, 0.076, 0.9
_X, _KEY = range(2)


@world("LineKey")
def line_key(reward: float = 10.0, distractor: float = 0.0) -> Rules:
    """Left to the key in [0.1, 0.2], pick it, and right to the goal in [0.9, 1]: "right" there pays with the key.

    Devidze, Radanovic, Kamalaruban and Singla 2021, "Explicable reward design for reinforcement learning agents"
    (NeurIPS). It begins at 0.5. A step is U[0.074, 0.076] long, and an episode has 50. With the key "right" in the goal
    ends the episode.

    Args:
        reward: What the goal pays.
        distractor: What "right" in the goal pays without the key.
    """
    return _rules("LineKey", 1, (0.1, 0.2), (0.5, 0.5), 50, reward, distractor, ends=True)


@world("LineKeys")
def line_keys(keys: int = 10, reward: float = 1.0, distractor: float = 0.01) -> Rules:
    """K keys to pick in [0, 0.1], of which the first is right, and "right" in the goal in [0.9, 1] pays with that one.

    Devidze, Kamalaruban and Singla 2022, "Exploration-guided reward shaping for reinforcement learning under sparse
    rewards" (NeurIPS), by its authors' code. It begins in [0.3, 0.4]. Each wrong choice gives one of the wrong keys, at
    random, and a key is kept. A step is U[0.074, 0.076] long. The goal pays as often as "right" is taken in it, and the
    episode ends after 60 steps.

    Args:
        keys: K.
        reward: What the goal pays with the right key.
        distractor: What it pays otherwise.
    """
    check_at_least(1, keys=keys)
    return _rules("LineKeys", int(keys), (0.0, 0.1), (0.3, 0.4), 60, reward, distractor, ends=False)


def _rules(
    name: str, keys: int, zone: tuple[float, float], start: tuple[float, float], limit: int, reward: float,
    distractor: float, *, ends: bool,
) -> Rules:  # fmt: skip
    flags = tuple(f"key {k + 1}" for k in range(keys))
    seen = ("x", "has a key", "at the keys", "at the goal", *flags)
    pick = ("pick",) if keys == 1 else tuple(f"pick {k + 1}" for k in range(keys))
    return Rules(
        name=name,
        goal="pick the right key and go right with it, to the end",
        state=("x", "key"),
        begin=_begin_of(start),
        step=_step_of(keys, zone, reward, distractor, ends),
        observe=_observe_of(keys, zone),
        observed=seen,
        observation_low=(0.0,) * len(seen),
        observation_high=(1.0,) * len(seen),
        actions=("left", "right", *pick),
        discrete=True,
        limit=limit,
        descriptor=_describe,
        described=("x", "key"),
        descriptor_low=(0.0, 0.0),
        descriptor_high=(1.0, float(keys)),
        potential=_potential_of(zone, ends),
        chance=True,
        optimal_return=reward if ends else None,
    )


def _begin_of(start: tuple[float, float]) -> Part:
    low, high = start

    @part
    def begin(state, draws):  # type: ignore[no-untyped-def]
        state[_X], state[_KEY] = between(draws, low, high), 0.0

    return begin


def _step_of(keys: int, zone: tuple[float, float], reward: float, distractor: float, ends: bool) -> Part:
    first, last = zone

    @part
    def step(state, action, left, draws):  # type: ignore[no-untyped-def]
        choice = int(action[0])
        at_goal = state[_X] >= _GOAL
        paid, outcome = 0.0, PLAYING
        if choice == 0:
            state[_X] = max(state[_X] - between(draws, _SHORTEST, _LONGEST), 0.0)
        elif choice == 1:
            if at_goal:
                paid = reward if state[_KEY] == 1.0 else distractor
                if ends and state[_KEY] == 1.0:
                    state[_KEY] = -1.0  # the lock is open
                    outcome = SUCCESS
            state[_X] = min(state[_X] + between(draws, _SHORTEST, _LONGEST), 1.0)
        elif state[_KEY] == 0.0 and first <= state[_X] <= last:
            state[_KEY] = 1.0 if choice == 2 else 2.0 + np.floor(uniform(draws) * (keys - 1))
        if not ends and left == 0 and state[_KEY] == 1.0 and state[_X] >= _GOAL:
            outcome = REACHED
        return paid, outcome

    return step


def _observe_of(keys: int, zone: tuple[float, float]) -> Part:
    first, last = zone

    @part
    def observe(state, out):  # type: ignore[no-untyped-def]
        held = int(abs(state[_KEY]))
        out[0], out[1] = state[_X], 1.0 if held else 0.0
        out[2] = 1.0 if first <= state[_X] <= last else 0.0
        out[3] = 1.0 if state[_X] >= _GOAL else 0.0
        for k in range(keys):
            out[4 + k] = 1.0 if held == k + 1 else 0.0

    return observe


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[_X], abs(state[_KEY])


def _potential_of(zone: tuple[float, float], ends: bool) -> Part:
    """The way that is left, as a part of one and a half times the longest. With a wrong key there is none."""
    first, last = zone
    most = 1.5 * ((1.0 - first) + (_GOAL - first))

    @part
    def potential(state):  # type: ignore[no-untyped-def]
        if state[_KEY] < 0.0 or (not ends and state[_KEY] == 1.0 and state[_X] >= _GOAL):
            return 0.0
        if state[_KEY] > 1.0:
            return -1.0
        if state[_KEY] == 1.0:
            return -(0.1 + max(_GOAL - state[_X], 0.0)) / most
        away = max(state[_X] - last, first - state[_X], 0.0)
        return -(0.2 + away + _GOAL - first) / most

    return potential
