"""`check_env`: the rules that every world of this library keeps, for anybody's environments."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import check_env as check_api

from potentia.envs.world import INFO_KEYS, ask, offered_keys
from potentia.testing.environment_episodes import Moment, equal, leaves, play, trajectory_hash
from potentia.testing.environment_vectors import check_vector

__all__ = ["check_env"]

_TELLING = frozenset({"caption", "state_hash", "distance", "potential", "subgoals", "success"})
"""What a world says about the state reached: having any of them calls for all rules."""

Make = Callable[[], gym.Env[Any, Any]]


def check_env(env: str | gym.Env[Any, Any] | Make, *, seed: int = 0, episodes: int = 3, max_steps: int = 1000) -> None:
    """Check that an environment keeps the rules; the name of the first broken one begins the error.

    - ``api``: Gymnasium's own checker raises nothing.
    - ``fresh_buffers``: observations and infos are new objects, never written to again.
    - ``determinism``: the same seed gives the same hash of episodes, in new instances and in a used one.
    - ``termination``: ``terminated`` and ``truncated`` are bools.
    - ``vector``: vector forms agree with the single form, number for number, in all three autoreset modes.
    - ``spec``: ``gym.make(env.spec)`` makes the same environment (only if it was made from a spec).

    A world of this library is asked for all the info that it offers. If ``info`` says anything about the state reached
    (``caption``, ``state_hash``, ``distance``, ``potential``, ``subgoals``, ``success``), then also:

    - ``api``: Gymnasium's own checker does not warn either.
    - ``info_keys``: the same keys at every reset and step, none with a "/" in it.
    - ``info_values``: types and ranges; 0 distance and potential at success; no event at a reset.
    - ``termination``: never both at once, and ``terminated`` depends on the transition alone and not on the
      time, so that a time limit is a truncation.

    Args:
        env: An id, an environment with a spec, or a function that makes a fresh one.
        seed: Of the episodes played.
        episodes: How many episodes of random play each rule looks at.
        max_steps: Longer episodes are left after so many steps.

    Raises:
        AssertionError: "<rule>: what is wrong".
        TypeError: If it is an environment without a spec, of which no second one can be made.
    """
    make = _asked(_maker(env))
    warned = _check_api(make)
    first = make()
    moments = _check_buffers(play(first, seed=seed, episodes=episodes, max_steps=max_steps))
    ours = any(not _TELLING.isdisjoint(moment.info) for moment in moments)
    _check_ends(moments, ours)
    if ours:
        assert not warned, f"api: {warned[0]}"
        _check_info_keys(moments)
        for moment in moments:
            _check_info_values(moment)
        _check_termination(moments)
    _check_determinism(first, make, seed=seed, episodes=episodes, max_steps=max_steps)
    check_vector(make, seed=seed, steps=min(max_steps, 100), ours=ours)
    _check_spec(make, seed=seed, episodes=episodes, max_steps=max_steps)
    first.close()


def _maker(env: str | gym.Env[Any, Any] | Make) -> Make:
    if isinstance(env, str):
        return lambda: gym.make(env)
    if isinstance(env, gym.Env):
        spec = env.spec
        if spec is None:
            raise TypeError(
                f"{env} has no spec, and the rules need fresh instances: give check_env a function that makes one"
            )
        return lambda: gym.make(spec)
    return env


def _asked(make: Make) -> Make:
    def make_asked() -> gym.Env[Any, Any]:
        env = make()
        ask(env, offered_keys(env))
        return env

    return make_asked


def _check_api(make: Make) -> list[str]:
    """Run Gymnasium's checker; its warnings are returned."""
    env = make()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_api(env.unwrapped, skip_render_check=True)
        return [str(warning.message) for warning in caught]
    except Exception as error:
        raise AssertionError(f"api: {error}") from error
    finally:
        env.close()


def _check_buffers(moments: Iterator[Moment]) -> list[Moment]:
    """Play to the end; what was returned must still be what it was when it was returned."""
    kept: list[Moment] = []
    copies: list[Any] = []
    arrays: set[int] = set()
    for moment in moments:
        ids = {id(leaf) for _, leaf in leaves(moment.content()) if isinstance(leaf, np.ndarray)} | {id(moment.info)}
        assert not ids & arrays, "fresh_buffers: an array or info that was returned before was returned again"
        arrays |= ids
        kept.append(moment)
        copies.append(copy.deepcopy((moment.observation, moment.info)))
    for number, (moment, original) in enumerate(zip(kept, copies, strict=True)):
        assert equal((moment.observation, moment.info), original), (
            f"fresh_buffers: what call {number} returned was changed by a later call"
        )
    return kept


def _check_ends(moments: list[Moment], ours: bool) -> None:
    for number, moment in enumerate(moments):
        for name in ("terminated", "truncated"):
            value = getattr(moment, name)
            assert _is_bool(value), f"termination: {name} must be a bool, got {value!r}"
        assert not (ours and moment.terminated and moment.truncated), (
            f"termination: call {number} is both terminated and truncated; an episode that ended itself "
            "in its last step is terminated only"
        )


def _check_termination(moments: list[Moment]) -> None:
    """A transition that once ended the episode always does, whatever the time."""
    if "state_hash" not in moments[0].info:
        return
    ends: dict[tuple[Any, ...], bool] = {}
    for before, moment in pairwise(moments):
        if moment.first:
            continue
        transition = (before.info["state_hash"], str(moment.action), moment.info["state_hash"])
        known = ends.setdefault(transition, bool(moment.terminated))
        assert known == moment.terminated, (
            f"termination: the transition (state_hash, action, state_hash) = {transition} was terminated in "
            "one place and went on in another; a time limit must be reported as truncated"
        )


def _check_info_keys(moments: list[Moment]) -> None:
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


def _is_bool(value: Any) -> bool:
    return type(value) in {bool, np.bool_}


def _check_info_values(moment: Moment) -> None:
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


def _check_determinism(used: gym.Env[Any, Any], make: Make, *, seed: int, episodes: int, max_steps: int) -> None:
    new, other = make(), make()
    try:
        first = trajectory_hash(new, seed=seed, episodes=episodes, max_steps=max_steps)
        again = trajectory_hash(other, seed=seed, episodes=episodes, max_steps=max_steps)
        assert first == again, f"determinism: two new instances differ under the seed {seed}"
        again = trajectory_hash(used, seed=seed, episodes=episodes, max_steps=max_steps)
        assert first == again, f"determinism: a used instance differs from a new one under the seed {seed}"
    finally:
        new.close()
        other.close()


def _check_spec(make: Make, *, seed: int, episodes: int, max_steps: int) -> None:
    env = make()
    if env.spec is None:
        return
    try:
        rebuilt = gym.make(env.spec)
        ask(rebuilt, offered_keys(rebuilt))
    except Exception as error:
        raise AssertionError(f"spec: gym.make(env.spec) failed: {error}") from error
    options: dict[str, int] = {"seed": seed, "episodes": episodes, "max_steps": max_steps}
    same = trajectory_hash(env, **options) == trajectory_hash(rebuilt, **options)
    assert same, "spec: gym.make(env.spec) makes an environment that behaves differently"
    # Of a bare environment gym.make(spec) gives one with Gymnasium's default wrappers around it.
    assert env.unwrapped is env or str(rebuilt) == str(env), f"spec: gym.make(env.spec) makes {rebuilt} from {env}"
    env.close()
    rebuilt.close()
