"""The rule `protocol`: what `potentia.envs.world.World` promises, for worlds that are one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import isfinite
from typing import Any

import gymnasium as gym

from potentia.envs.world import Restorable, World, ask, offered_keys
from potentia.testing.environment_actions import RandomActions
from potentia.testing.environment_episodes import Moment, equal, play

__all__ = ["check_protocol"]

_STEPS = 40
"""The most steps of an episode that is played to compare worlds."""
_ROUNDS = 4
"""How often a world is saved and restored."""


def check_protocol(
    make: Callable[[], gym.Env[Any, Any]], moments: list[Moment], *, seed: int, episodes: int, max_steps: int
) -> None:
    """Hold a world to its protocol. Other environments pass.

    Args:
        make: Makes a fresh environment, of which nothing was asked.
        moments: Of random play, with all info.
        seed: Of the episodes played.
        episodes: How many are played to compare worlds, at most 2.
        max_steps: Longer ones are left, after 40 steps at most.

    Raises:
        AssertionError: "protocol: ...".
    """
    env = make()
    world = env.unwrapped
    if isinstance(world, World):
        _check_words(env, world, seed)
        _check_numbers(world, moments)
        _check_asking(make, {"seed": seed, "episodes": min(episodes, 2), "max_steps": min(max_steps, _STEPS)})
        if isinstance(world, Restorable):
            _check_restoring(make, seed)
    env.close()


def _check_asking(make: Callable[[], gym.Env[Any, Any]], options: dict[str, int]) -> None:
    """Asking adds keys and changes nothing else. What is not offered is refused."""
    plain, asked = make(), make()
    offered = offered_keys(plain)
    kept = set(plain.reset(seed=options["seed"])[1])
    assert kept <= offered, f"protocol: info has {sorted(kept - offered)}, which offered_keys lacks"
    message = _refusal(plain)
    assert all(key in message for key in offered), (
        f"protocol: ask() must refuse a key that is not offered by a ValueError that says what is, got {message!r}"
    )
    ask(asked, offered)
    for moment, more in zip(_some(plain, options), _some(asked, options), strict=True):
        lacking = sorted(offered - set(more.info))
        assert not lacking, f"protocol: info was asked for {lacking}, and lacks it"
        same = {key: more.info[key] for key in moment.info}
        assert equal((moment.content()[:4], moment.info), (more.content()[:4], same)), (
            f"protocol: a world that was asked for all its info goes another way in step {moment.time}; what is asked "
            "for must change nothing"
        )
    late = make()
    for moment, more in zip(_some(late, options, ask_at=3), _some(asked, options), strict=True):
        if moment.time > 3 and moment.episode == 0:
            got, want = ({k: v for k, v in info.items() if k != "subgoals"} for info in (moment.info, more.info))
            assert equal(got, want), (
                f"protocol: asked in step 3 of an episode, a world tells {got} in step {moment.time}; asked before "
                f"it, {want}"
            )
    for env in (plain, asked, late):
        env.close()


def _refusal(env: gym.Env[Any, Any]) -> str:
    try:
        ask(env, ["no such key"])
    except ValueError as error:
        return str(error)
    return ""


def _some(env: gym.Env[Any, Any], options: dict[str, int], ask_at: int | None = None) -> list[Moment]:
    moments = []
    for moment in play(env, **options):
        moments.append(copy.deepcopy(moment))
        if moment.episode == 0 and moment.time == ask_at:
            ask(env, offered_keys(env))
    return moments


def _check_words(env: gym.Env[Any, Any], world: World, seed: int) -> None:
    env.action_space.seed(seed)
    env.reset(seed=seed)
    goal, text = world.goal_text(), _said(env, world)
    assert isinstance(goal, str), f"protocol: goal_text() must be a text, got {goal!r}"
    assert isinstance(text, str) and text, f"protocol: action_text(action) must be a text, got {text!r}"  # noqa: PT018
    now = world.info_now()
    assert set(now) == set(world.info_keys), (
        f"protocol: info_now() must have the keys {sorted(world.info_keys)}, got {sorted(now)}"
    )


def _said(env: gym.Env[Any, Any], world: World) -> Any:
    texts = [world.action_text(env.action_space.sample()) for _ in range(10)]
    return next((text for text in texts if not isinstance(text, str) or not text), texts[0])


def _check_numbers(world: World, moments: list[Moment]) -> None:
    random, optimal, limit = world.random_return, world.optimal_return, world.time_limit
    for name, value in (("random_return", random), ("optimal_return", optimal)):
        assert value is None or isfinite(value), f"protocol: {name} must be None or a finite number, got {value!r}"
    assert random is None or optimal is None or random <= optimal, (
        f"protocol: random_return {random} is more than optimal_return {optimal}"
    )
    assert limit is None or (isinstance(limit, int) and limit >= 1), (
        f"protocol: time_limit must be None or an integer from 1, got {limit!r}"
    )
    overdue = [moment.time for moment in moments if limit is not None and moment.time >= limit and not moment.done]
    assert not overdue, f"protocol: time_limit is {limit}, and an episode did not end in step {overdue[0]}"


def _check_restoring(make: Callable[[], gym.Env[Any, Any]], seed: int) -> None:
    """A restored world, the same or another, goes on as the saved one did."""
    whole, other = make(), make()
    for env in (whole, other):
        ask(env, offered_keys(env))
    world: Any = whole.unwrapped
    draws = RandomActions(world, seed)
    world.reset(seed=seed)
    _go(world, draws.draw, 3)
    for _ in range(_ROUNDS):
        saved = world.save()
        wanted, actions = _go(world, draws.draw, _STEPS)
        worlds: tuple[Any, Any] = other.unwrapped, world
        for env in worlds:
            env.restore(saved)
            gone, _ = _go(env, iter(actions).__next__, _STEPS)
            for step, (got, want) in enumerate(zip(gone, wanted, strict=False)):
                assert equal(got, want), (
                    f"protocol: after restore() step {step} gave {got!r}, and after save() {want!r}; the whole state "
                    "must be kept, random numbers included"
                )
    whole.close()
    other.close()


def _go(world: gym.Env[Any, Any], choose: Callable[[], Any], count: int) -> tuple[list[Any], list[Any]]:
    """What ``count`` actions returned, and these."""
    steps: list[Any] = []
    actions: list[Any] = []
    for _ in range(count):
        actions.append(choose())
        steps.append(copy.deepcopy(world.step(actions[-1])))
        if steps[-1][2] or steps[-1][3]:
            steps.append(copy.deepcopy(world.reset()))
    return steps, actions
