"""Rules on what an info says about the state reached, over episodes of random play."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from potentia.envs.world import INFO_KEYS
from potentia.testing.environment_episodes import Moment

__all__ = [
    "check_info_keys",
    "check_info_values",
    "check_progress",
    "check_same_states",
    "check_success",
    "transitions",
]

_SAME = 1e-6
"""How far two numbers may lie apart that are computed in different ways."""


def transitions(moments: Sequence[Moment]) -> Iterator[tuple[Moment, Moment]]:
    """Each step of the episodes: what was before it, and what it returned."""
    return ((before, after) for before, after in pairwise(moments) if not after.first)


def check_info_keys(moments: Sequence[Moment]) -> None:
    """The same keys at every reset and step."""
    wanted = _keys(moments[0].info)
    for number, moment in enumerate(moments):
        keys = _keys(moment.info)
        assert keys == wanted, (
            f"info_keys: call {number} has {sorted(keys - wanted)} more and {sorted(wanted - keys)} less than "
            "the first reset; the keys must be the same at every reset and step"
        )
    slashed = sorted(key for key in wanted if "/" in key)
    assert not slashed, f"info_keys: no key may contain '/', got {slashed}"


def _keys(info: dict[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in info.items():
        keys.add(f"{prefix}{key}")
        if isinstance(value, dict):
            keys |= _keys(value, f"{prefix}{key}.")
    return keys


def check_info_values(moment: Moment) -> None:
    """What `INFO_KEYS` says of each value, and that the values of one state agree."""
    info = moment.info
    for key, value in info.items():
        known = INFO_KEYS.get(key)
        assert known is None or known.fits(value), f"info_values: {key} must be {known.form}, got {value!r}"
    if info.get("success"):
        for key in ("distance", "potential"):
            assert info.get(key, 0.0) == 0.0, f"info_values: at success {key} must be 0.0, got {info[key]!r}"
    if info.get("distance") == -1.0:
        potential = info.get("potential", -1.0)
        assert potential == -1.0, f"info_values: with no way to success potential must be -1.0, got {potential!r}"
    if moment.first:
        happened = sorted(name for name, value in info.get("subgoals", {}).items() if value)
        assert not happened, f"info_values: at a reset no event has happened, got {happened}"


def check_progress(moments: Sequence[Moment], chance: bool | None) -> None:
    """``potential = -min(distance, D) / D`` for one D, and no action brings success nearer than by one.

    The latter is not asked where something beside the action may move the agent, or another thing out of its way.
    """
    if "distance" not in moments[0].info:
        return
    for before, after in () if chance else transitions(moments):
        left, now = float(before.info["distance"]), float(after.info["distance"])
        assert now < 0 or 0 <= left <= now + 1, (
            f"distance: one action led from {left:g} to {now:g}; the fewest actions to success (-1: no way) "
            "can't fall by more than one"
        )
    if "potential" in moments[0].info:
        _check_potential(moments)


def _check_potential(moments: Sequence[Moment]) -> None:
    farthest: dict[float, Moment] = {}
    for moment in moments:
        distance, potential = float(moment.info["distance"]), float(moment.info["potential"])
        if -1.0 < potential < 0.0 and distance >= 0:
            farthest.setdefault(round(-distance / potential, 3), moment)
        agrees = distance <= 0 if potential == 0.0 else potential == -1.0 or distance > 0
        assert agrees, f"potential: must be 0 at distance 0 alone, got {potential:g} at distance {distance:g}"
    scale = max(farthest, default=0.0)
    for moment in moments:
        distance, potential = float(moment.info["distance"]), float(moment.info["potential"])
        if not farthest or distance < 0:
            continue
        wanted = -min(distance, scale) / scale
        assert abs(potential - wanted) < _SAME, (
            f"potential: must be -min(distance, D) / D with one D in the whole world; D = {scale:g} elsewhere gives "
            f"{wanted:g} at distance {distance:g}, got {potential:g}"
        )


def check_same_states(moments: Sequence[Moment]) -> None:
    """Where an episode goes on, equal hashes have equal distances and potentials: neither knows the time."""
    if "state_hash" not in moments[0].info:
        return
    known: dict[tuple[int, str], Any] = {}
    for moment in moments:
        if moment.done:
            continue  # an end may be told of a state that another action leaves as it is
        for key in ("distance", "potential"):
            if key in moment.info:
                state = int(moment.info["state_hash"])
                value = known.setdefault((state, key), moment.info[key])
                assert value == moment.info[key], (
                    f"{key}: the state with the hash {state} had {value:g} before and {moment.info[key]:g} in step "
                    f"{moment.time} of an episode; it must depend on the state alone, not on the time"
                )


def check_success(moments: Sequence[Moment]) -> None:
    """Success ends an episode by termination, comes with distance 0, and is told where it is paid for."""
    if "success" not in moments[0].info:
        return
    longest = _longest(moments)
    for moment in moments:
        success, distance = bool(moment.info["success"]), moment.info.get("distance")
        assert success or distance != 0.0, "success: distance is 0, and success is False"
        early = success and moment.truncated and not moment.terminated and moment.time < longest
        assert not early, (
            f"success: the episode ended in success by truncation, in step {moment.time} and before any limit; a task "
            "that is done must be terminated, or its value is bootstrapped from"
        )
    paid = sum(bool(moment.terminated) and float(moment.reward) > 0 for moment in moments)
    never = "distance" not in moments[0].info and not any(moment.info["success"] for moment in moments)
    assert not (never and paid > 1), (
        f"success: {paid} episodes ended by themselves with a positive reward, and success was never True; if that is "
        "right, show one that succeeds by solution="
    )


def _longest(moments: Sequence[Moment]) -> int:
    """The most steps of an episode."""
    lengths: dict[int, int] = defaultdict(int)
    for moment in moments:
        lengths[moment.episode] = max(lengths[moment.episode], moment.time)
    return max(lengths.values())
