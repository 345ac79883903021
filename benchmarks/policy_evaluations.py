"""Policies evaluated a second: the compiled loop beside a plain loop over the same Gymnasium environment, in one run.

``python benchmarks/policy_evaluations.py`` prints a Markdown table: evaluations a second of one core's time, medians
over interleaved rounds, and in brackets how many times the plain loop that is. A policy is a tanh network with two
hidden layers of five units, its genes drawn from N(0, 1); an evaluation is a whole episode. The plain loop is the one
that everybody writes: ``gym.make``, one NumPy network, one episode after another. The wrapper is ``PolicyAsAction``
over the world's own vector form, one policy an environment. ``--worlds NAME ...``, ``--rounds N`` and ``--policies N``
measure less.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control import WORLDS, Network
from potentia.wrappers import PolicyAsAction

HIDDEN = (5, 5)


def plain(env: Any, weights: list[list[tuple[Any, Any]]]) -> float:
    """Evaluations a second of a loop over one environment."""
    discrete = isinstance(env.action_space, gym.spaces.Discrete)
    begin = time.process_time()
    for layers in weights:
        obs, _ = env.reset()
        done = False
        while not done:
            units = obs
            for weight, bias in layers:
                units = np.tanh(units @ weight + bias)
            action = int(units.argmax()) if discrete else units
            obs, _, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
    return len(weights) / (time.process_time() - begin)


def layers_of(genome: Any, sizes: tuple[int, ...]) -> list[tuple[Any, Any]]:
    """Weights and biases of each layer."""
    found, at = [], 0
    for inputs, outputs in itertools.pairwise(sizes):
        weight = genome[at : at + inputs * outputs].reshape(inputs, outputs)
        at += inputs * outputs
        found.append((weight, genome[at : at + outputs]))
        at += outputs
    return found


def batch(envs: Any, genomes: Any) -> float:
    """Evaluations a second of one step of a vector of policies."""
    begin = time.process_time()
    envs.step(genomes)
    return len(genomes) / (time.process_time() - begin)


def contenders(world: str, policies: int) -> dict[str, Callable[[], float]]:
    """What is measured, by name; everything is made, and compiled, beforehand."""
    single = gym.make(f"potentia/{world}-v0")
    inputs = single.observation_space.shape[0]
    space: Any = single.action_space
    sizes = (inputs, *HIDDEN, int(space.n) if isinstance(space, gym.spaces.Discrete) else space.shape[0])
    genomes = np.random.default_rng(0).normal(size=(policies, Network(sizes).genome_size)).astype(np.float32)
    few = [layers_of(genome, sizes) for genome in genomes[: max(2, 4000 // single.unwrapped.time_limit)]]
    compiled = gym.make_vec(f"potentia/{world}Policies-v0", policies, hidden=HIDDEN, parallel=False)
    wrapped = PolicyAsAction(gym.make_vec(f"potentia/{world}-v0", 200), hidden=HIDDEN)
    for envs in (compiled, wrapped):
        envs.reset(seed=0)
        envs.step(genomes[: envs.num_envs])
    plain(single, few[:1])
    return {
        "plain loop": lambda: plain(single, few),
        "`PolicyAsAction`, 200 at once": lambda: batch(wrapped, genomes[:200]),
        "compiled": lambda: batch(compiled, genomes),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--policies", type=int, default=1000)
    options = parser.parse_args()
    header: list[str] = []
    for world in options.worlds:
        found = contenders(world, options.policies)
        if not header:
            header = list(found)
            print(f"| world | {' | '.join(header)} |\n|{'---|' * (len(header) + 1)}")
        rounds = [{name: measure() for name, measure in found.items()} for _ in range(options.rounds)]
        middle = {name: statistics.median(one[name] for one in rounds) for name in found}
        ratio = {name: statistics.median(one[name] / one["plain loop"] for one in rounds) for name in found}
        cells = [f"{middle[name]:,.3g} ({ratio[name]:,.0f}x)" for name in found]
        print(f"| {world} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
