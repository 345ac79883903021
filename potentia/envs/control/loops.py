"""The loops over control worlds that are compiled. Each is made from a world's rules, once, for one core or for all.

They are never interpreted: an interpreter's floating point numbers need not be the compiler's. What a loop does in one
world is a part of its own, of which `potentia.envs.control.cuda` makes a kernel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from potentia.compiling import Compiled, compiled, part, prange
from potentia.envs.control.rules import FAILURE, PLAYING, REACHED, SUCCESS, Part, Rules, area_of

__all__ = [
    "DISABLED", "NEXT_STEP", "SAME_STEP", "begin_loop", "begin_part", "hash_state", "look_loop", "look_part",
    "paint_loop", "step_loop", "step_part", "tell_loop",
]  # fmt: skip

NEXT_STEP, SAME_STEP, DISABLED = range(3)
"""What happens to a world that ended, as in Gymnasium."""


def _options(parallel: bool) -> dict[str, Any]:
    return {"work": None, "parallel": parallel, "error_model": "numpy", "seconds": 4 if parallel else 2}


def _named(what: str, rules: Rules, parallel: bool) -> str:
    return f"{what} of {rules.title}{' on all cores' if parallel else ''}"


@lru_cache
def begin_part(rules: Rules) -> Part:
    """Begins an episode in world n, if it is in a mask."""
    begin, observe, describe, area = rules.begin, rules.observe, rules.descriptor, area_of(rules.areas)

    @part
    def begin_world(n, state, draws, observation, descriptor, inside, entered, time, waiting, mask):  # type: ignore[no-untyped-def]
        if mask[n]:
            begin(state[n], draws[n])
            observe(state[n], observation[n])
            describe(state[n], descriptor[n])
            inside[n], entered[n], time[n], waiting[n] = area(descriptor[n]), -1, 0, False

    return begin_world


@lru_cache
def begin_loop(rules: Rules) -> Compiled[..., Any]:
    """Begins an episode in the worlds of a mask."""
    begin_world = begin_part(rules)

    @compiled(_named("the beginning", rules, False), **_options(False))
    def begin_all(state, draws, observation, descriptor, inside, entered, time, waiting, mask):  # type: ignore[no-untyped-def]
        for n in range(len(mask)):
            begin_world(n, state, draws, observation, descriptor, inside, entered, time, waiting, mask)

    return begin_all


@lru_cache
def step_part(rules: Rules) -> Part:
    """The step of world n."""
    begin, step, observe, describe, area = (
        rules.begin, rules.step, rules.observe, rules.descriptor, area_of(rules.areas)
    )  # fmt: skip

    @part
    def step_world(  # type: ignore[no-untyped-def]
        n, state, draws, observation, descriptor, inside, entered, time, waiting,
        reward, terminated, truncated, success, actions, limit, cut,
    ):  # fmt: skip
        entered[n] = -1
        if waiting[n]:
            begin(state[n], draws[n])
            time[n], waiting[n], outcome, earned = 0, False, PLAYING, 0.0
        else:
            time[n] += 1
            earned, outcome = step(state[n], actions[n], limit - time[n], draws[n])
        observe(state[n], observation[n])
        describe(state[n], descriptor[n])
        now = area(descriptor[n])
        if now != inside[n] and time[n] > 0:
            entered[n] = now
        inside[n] = now
        ends = outcome in (SUCCESS, FAILURE)
        reward[n], terminated[n], success[n] = earned, ends, outcome in (SUCCESS, REACHED)
        truncated[n] = not ends and time[n] >= cut

    return step_world


@lru_cache
def step_loop(rules: Rules, parallel: bool) -> Compiled[..., Any]:
    """The step of all worlds."""
    step_world = step_part(rules)

    @compiled(_named("the steps", rules, parallel), **_options(parallel))
    def step_all(  # type: ignore[no-untyped-def]
        state, draws, observation, descriptor, inside, entered, time, waiting,
        reward, terminated, truncated, success, actions, limit, cut,
    ):  # fmt: skip
        for n in prange(len(state)):
            step_world(
                n, state, draws, observation, descriptor, inside, entered, time, waiting,
                reward, terminated, truncated, success, actions, limit, cut,
            )  # fmt: skip

    return step_all


@lru_cache
def tell_loop(rules: Rules, what: str) -> Compiled[..., Any]:
    """Writes the "potential" or the "progress" of all worlds."""
    function: Part = getattr(rules, what)

    @compiled(_named(f"the {what}", rules, False), **_options(False))
    def tell_all(state, out):  # type: ignore[no-untyped-def]
        for n in range(len(state)):
            out[n] = function(state[n])

    return tell_all


@lru_cache
def paint_loop(rules: Rules, parallel: bool) -> Compiled[..., Any]:
    """Paints all worlds."""
    paint = rules.paint
    assert paint is not None

    @compiled(_named("the pictures", rules, parallel), **_options(parallel))
    def paint_all(state, out):  # type: ignore[no-untyped-def]
        for n in prange(len(state)):
            paint(state[n], out[n])

    return paint_all


@lru_cache
def look_part(rules: Rules) -> Part:
    """Brings what is seen and described of world n up to date, after its state was written from outside."""
    observe, describe, area = rules.observe, rules.descriptor, area_of(rules.areas)

    @part
    def look_at_world(n, state, observation, descriptor, inside, entered):  # type: ignore[no-untyped-def]
        observe(state[n], observation[n])
        describe(state[n], descriptor[n])
        inside[n], entered[n] = area(descriptor[n]), -1

    return look_at_world


@lru_cache
def look_loop(rules: Rules) -> Compiled[..., Any]:
    """The same of all worlds."""
    look_at_world = look_part(rules)

    @compiled(_named("the view", rules, False), **_options(False))
    def look_all(state, observation, descriptor, inside, entered):  # type: ignore[no-untyped-def]
        for n in range(len(state)):
            look_at_world(n, state, observation, descriptor, inside, entered)

    return look_all


_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def hash_state(state: Any) -> Any:
    """A hash ``(N,)`` int64 of rows ``(N, S)`` float64, the same in every process. Minus zero counts as zero."""
    words = np.ascontiguousarray(state + 0.0).view(np.uint64)
    found = np.full(len(words), 0x9E3779B97F4A7C15, np.uint64)
    for column in words.T:
        found = (found ^ column) * _MIX_1
        found = (found ^ (found >> np.uint64(29))) * _MIX_2
        found ^= found >> np.uint64(32)
    return found.view(np.int64)
