"""The compiled loop in which policies act: an episode of each, from its beginning to its end."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from potentia.compiling import Compiled, compiled, part, prange
from potentia.envs.control.network import Network
from potentia.envs.control.rules import PLAYING, REACHED, SUCCESS, Part, Rules, area_of

__all__ = ["evaluate_loop", "evaluate_part"]


@part
def note(path, k, time, limit, descriptor):  # type: ignore[no-untyped-def]
    """Writes the points of a path that are due at a time, from the k-th on. Returns the first that is not."""
    while k < len(path) and time * (len(path) - 1) >= k * limit:
        for i in range(len(descriptor)):
            path[k, i] = descriptor[i]
        k += 1
    return k


@lru_cache
def evaluate_part(rules: Rules, network: Network) -> Part:
    """Plays an episode with genome n in its world, which stays where the episode ended.

    A policy acts by numbers of float32, as somebody who steps the world with the actions of its space. Its outputs are
    scaled to the bounds of actions; of choices it takes the one with the largest output.
    """
    begin, step, observe, describe = rules.begin, rules.step, rules.observe, rules.descriptor
    area, act = area_of(rules.areas), network.act
    discrete, outputs = rules.discrete, len(rules.actions)
    middle = np.array([0.5 * (a + b) for a, b in zip(rules.action_low, rules.action_high, strict=True)] or [0.0])
    half = np.array([0.5 * (b - a) for a, b in zip(rules.action_low, rules.action_high, strict=True)] or [0.0])

    @part
    def choose(units, action):  # type: ignore[no-untyped-def]
        if discrete:
            best = 0
            for k in range(1, outputs):
                if units[k] > units[best]:
                    best = k
            action[0] = best
        else:
            for k in range(outputs):
                action[k] = np.float32(middle[k] + half[k] * units[k])

    @part
    def evaluate(genome, state, draws, seen, descriptor, path, units, action, limit):  # type: ignore[no-untyped-def]
        total, outcome, time, noted = 0.0, PLAYING, 0, 0
        if len(path) > 0:
            describe(state, descriptor)
            noted = note(path, 0, 0, limit, descriptor)
        while time < limit and outcome in (PLAYING, REACHED):
            observe(state, seen)
            act(genome, seen, units)
            choose(units, action)  # type: ignore[no-untyped-call]
            time += 1
            reward, outcome = step(state, action, limit - time, draws)
            total += reward
            if len(path) > 0:
                describe(state, descriptor)
                noted = note(path, noted, time, limit, descriptor)
        describe(state, descriptor)
        note(path, noted, limit, limit, descriptor)
        return total, outcome, time

    @part
    def evaluate_world(  # type: ignore[no-untyped-def]
        n, state, draws, seen, descriptor, inside, entered, time, waiting, reward, terminated, truncated, success,
        genomes, path, units, action, limit,
    ):  # fmt: skip
        if waiting[n]:
            begin(state[n], draws[n])
            describe(state[n], descriptor[n])
            note(path[n], 0, limit, limit, descriptor[n])
            reward[n], terminated[n], success[n], waiting[n], time[n] = 0.0, False, False, False, 0
            inside[n], entered[n] = area(descriptor[n]), -1
        else:
            if time[n] > 0:  # somebody steps on after an end
                begin(state[n], draws[n])
            total, outcome, took = evaluate(  # type: ignore[no-untyped-call]
                genomes[n], state[n], draws[n], seen[n], descriptor[n], path[n], units[n], action[n], limit
            )
            reward[n], terminated[n], time[n] = total, True, took
            success[n] = outcome in (SUCCESS, REACHED)
            inside[n] = area(descriptor[n])
            entered[n] = inside[n]
        truncated[n] = False

    return evaluate_world


@lru_cache
def evaluate_loop(rules: Rules, network: Network, parallel: bool) -> Compiled[..., Any]:
    """The episodes of all genomes."""
    evaluate_world = evaluate_part(rules, network)

    @compiled(
        f"the episodes of policies in {rules.title} ({network.sizes}, {network.shared_bias})"
        + (" on all cores" if parallel else ""),
        work=None, seconds=6, parallel=parallel, error_model="numpy",
    )  # fmt: skip
    def evaluate_all(  # type: ignore[no-untyped-def]
        state, draws, seen, descriptor, inside, entered, time, waiting, reward, terminated, truncated, success,
        genomes, path, units, action, limit,
    ):  # fmt: skip
        for n in prange(len(genomes)):
            evaluate_world(
                n, state, draws, seen, descriptor, inside, entered, time, waiting,
                reward, terminated, truncated, success, genomes, path, units, action, limit,
            )  # fmt: skip

    return evaluate_all
