"""`check_env`: the rules that every world of this library keeps, for anybody's environments."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import check_env as check_api

from potentia.envs.world import ask, offered_keys
from potentia.testing.environment_episodes import Moment, equal, leaves, play, trajectory_hash
from potentia.testing.environment_paths import check_paths
from potentia.testing.environment_protocol import check_protocol
from potentia.testing.environment_states import (
    check_info_keys,
    check_info_values,
    check_progress,
    check_same_states,
    check_success,
)  # fmt: skip
from potentia.testing.environment_time import check_hash, check_later, check_outputs, check_termination, seems_random
from potentia.testing.environment_vectors import check_vector

__all__ = ["check_env"]

_TELLING = frozenset({"caption", "state_hash", "distance", "potential", "subgoals", "success"})
"""What a world says about the state reached: having any of them calls for all rules."""
_ADVICE = "we recommend using a symmetric and normalized space"
"""What Gymnasium's checker says of each ``Box`` of actions that is larger than [-1, 1]: true ones may be."""
_LEAST = 300
"""Steps of random play that the rules look at, if so many are allowed."""

Make = Callable[[], gym.Env[Any, Any]]
Solution = Callable[[gym.Env[Any, Any], Any, dict[str, Any]], Any]


def check_env(
    env: str | gym.Env[Any, Any] | Make,
    *,
    seed: int = 0,
    episodes: int = 3,
    max_steps: int = 1000,
    solution: Solution | None = None,
) -> frozenset[str]:
    """Check that an environment keeps the rules. The name of the first broken one begins the error.

    - ``api``: Gymnasium's own checker raises nothing.
    - ``observation``, ``reward``: each observation is in its space, each reward a finite number, however late.
    - ``fresh_buffers``: observations and infos are new objects, never written to again.
    - ``determinism``: the same seed gives the same hash of episodes, in new instances and in a used one.
    - ``termination``: ``terminated`` and ``truncated`` are bools.
    - ``vector``: vector forms agree with the single form, number for number, in all three autoreset modes.
    - ``spec``: ``gym.make(env.spec)`` makes the same environment (only if it was made from a spec).
    - ``protocol``: a `potentia.envs.world.World` keeps what that promises: what is asked for comes and changes nothing
      else, what is not offered is refused, `save` and `restore` keep all, the time limit and the anchors are true.

    A world of this library is asked for all the info that it offers. If ``info`` says anything about the state reached
    (``caption``, ``state_hash``, ``distance``, ``potential``, ``subgoals``, ``success``), then also:

    - ``api``: Gymnasium's own checker does not warn either.
    - ``info_keys``: the same keys at every reset and step, none with a "/" in it.
    - ``info_values``: types and ranges, see `potentia.envs.world.INFO_KEYS`. A reset has no event.
    - ``observation``, ``reward``: the same for equal states and transitions, early and late in an episode.
    - ``state_hash``: states come back, and without chance an action leads from a state where it led before.
    - ``distance``, ``potential``: the same for equal states. No action brings success nearer than by one, and some
      action does by one, up to success. The potential is ``-min(distance, D) / D``.
    - ``success``: exactly at distance 0. It is True where episodes end by themselves with a reward. An
      episode that succeeds is terminated, not truncated.
    - ``termination``: never both at once, and ``terminated`` depends on the transition alone and not on the
      time, so that a time limit is a truncation.

    An environment in which chance decides what follows says so by an attribute ``chance = True``.

    Args:
        env: An id, an environment with a spec, or a function that makes a fresh one.
        seed: Of the episodes played.
        episodes: How many episodes of random play each rule looks at.
        max_steps: Longer episodes are left after so many steps.
        solution: Chooses actions that succeed, from the environment, the observation and the info. It is for worlds in
            which neither random play nor following the distance does.

    Returns:
        The rules that had nothing to look at: "success" if there was none, "distance" if no way was walked.

    Raises:
        AssertionError: "<rule>: what is wrong".
        TypeError: If it is an environment without a spec, of which no second one can be made.
    """
    fresh = _maker(env)
    make = _asked(fresh)
    warned = _check_api(make)
    first = make()
    options = {"seed": seed, "episodes": episodes, "max_steps": max_steps}
    least = min(_LEAST, episodes * max_steps)
    moments = _check_buffers(play(first, **options, least=least))
    ours = any(not _TELLING.isdisjoint(moment.info) for moment in moments)
    check_outputs(moments, first.observation_space)
    _check_ends(moments, ours)
    untried: frozenset[str] = frozenset()
    if ours:
        assert not warned, f"api: {warned[0]}"
        untried = _check_telling(make, moments, solution, seed)
    _check_determinism(first, make, **options)
    check_vector(make, seed=seed, steps=min(max_steps, 100), ours=ours)
    _check_spec(make, **options)
    check_protocol(fresh, moments, **options)
    first.close()
    return untried


def _check_telling(make: Make, moments: list[Moment], solution: Solution | None, seed: int) -> frozenset[str]:
    """The rules on what an info says. Returns those that had nothing to look at."""
    check_info_keys(moments)
    shown = [*moments, *([] if solution is None else _solved(make, solution, seed))]
    for moment in shown:
        check_info_values(moment)
    chance = _chance(make)
    check_progress(shown, chance)
    check_success(shown)
    check_termination(moments)
    check_same_states(moments)
    check_later(moments)
    check_hash(moments, chance)
    first_info = moments[0].info
    succeeded = any(bool(moment.info.get("success", False)) for moment in shown)
    assert solution is None or succeeded, "success: the solution that was given did not succeed"
    walked = False
    if "distance" in first_info and chance is not True and not (chance is None and seems_random(moments)):
        walked = check_paths(make, seed=seed, longest=max(moment.time for moment in moments))
    found = {"success": succeeded or walked, "distance": walked}
    return frozenset(key for key, tried in found.items() if key in first_info and not tried)


def _solved(make: Make, solution: Solution, seed: int) -> list[Moment]:
    """An episode as the solution plays it."""
    env = make()
    observation, info = env.reset(seed=seed)
    moments = [Moment(observation, info, episode=-1)]
    while not moments[-1].done:
        action = solution(env, moments[-1].observation, moments[-1].info)
        observation, reward, terminated, truncated, info = env.step(action)
        moments.append(Moment(observation, info, action, reward, terminated, truncated, -1, len(moments)))
    env.close()
    return moments


def _chance(make: Make) -> bool | None:
    """What the world says of itself."""
    env = make()
    chance = getattr(env.unwrapped, "chance", None)
    env.close()
    assert chance in (None, True, False), f"protocol: chance must be True, False or None, got {chance!r}"
    return chance


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
    """Run Gymnasium's checker. Its warnings are returned."""
    env = make()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_api(env.unwrapped, skip_render_check=True)
        return [message for warning in caught if _ADVICE not in (message := str(warning.message))]
    except Exception as error:
        raise AssertionError(f"api: {error}") from error
    finally:
        env.close()


def _check_buffers(moments: Iterator[Moment]) -> list[Moment]:
    """Play to the end. What was returned must still be what it was when it was returned."""
    kept: list[Moment] = []
    copies: list[Any] = []
    arrays: set[int] = set()
    for moment in moments:
        ids = {id(leaf) for _, leaf in leaves(moment.content()) if isinstance(leaf, np.ndarray)} | {id(moment.info)}
        assert not ids & arrays, "fresh_buffers: an array or info that was returned before was returned again"
        arrays |= ids
        kept.append(moment)
        assert moment.view  # computed now, for the rules to come
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


def _is_bool(value: Any) -> bool:
    return type(value) in {bool, np.bool_}


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
