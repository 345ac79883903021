"""The compiled grid worlds beside MiniGrid, in one run: random actions, full occluded view, resets included.

``python benchmarks/grid_speed.py`` prints a Markdown table: medians over interleaved rounds, on all cores, and in
brackets how many times MiniGrid's single environment and its SyncVectorEnv(16) that is. The worlds are made by their
ids with the defaults, so they tell of success only, as MiniGrid tells of nothing; further rows are with the state's
hash, the events and the distance to success, and shaped by what reads the hash and by what reads the distance.
``--worlds NAME ...`` and ``--rounds N`` measure less.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import minigrid  # noqa: F401 - registers its worlds
import numpy as np
from gymnasium.vector import SyncVectorEnv
from minigrid.wrappers import ImgObsWrapper

import potentia  # noqa: F401 - registers the worlds
from potentia.compiling import patience
from potentia.shaping import EpisodicCount, PotentialShaping
from potentia.wrappers import ShapeVectorReward

ROUNDS = 7
WORLDS = ("Empty-8x8", "DoorKey-8x8", "KeyCorridorS3R3", "MultiRoom-N6")
TOLD = ("state_hash", "subgoals", "distance", "success")


def single(env: Any, steps: int) -> float:
    """Steps a second of one environment."""
    actions = np.random.default_rng(0).integers(0, 7, steps).tolist()
    env.reset(seed=0)
    start = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()
    return steps / (time.perf_counter() - start)


def vector(env: Any, steps: int) -> float:
    """Steps a second of all environments together."""
    actions = np.random.default_rng(0).integers(0, 7, (64, env.num_envs))
    env.reset(seed=0)
    start = time.perf_counter()
    for t in range(steps):
        env.step(actions[t % 64])
    return steps * env.num_envs / (time.perf_counter() - start)


def contenders(name: str) -> dict[str, Callable[[], float]]:
    """What is measured, by name; everything is made, and compiled, beforehand."""

    def make() -> Any:
        return ImgObsWrapper(gym.make(f"MiniGrid-{name}-v0"))

    stock, sync = make(), SyncVectorEnv([make] * 16)
    one, world = gym.make(f"potentia/{name}-v0"), f"potentia/{name}-v0"
    ours: dict[str, Any] = {f"ours, {n}": gym.make_vec(world, n) for n in (16, 1024, 8192)}
    ours["ours, 16, all told but captions"] = gym.make_vec(world, 16, info_keys=TOLD)
    ours["ours, 1024, all told but captions"] = gym.make_vec(world, 1024, info_keys=TOLD)
    for shaper in (EpisodicCount("state_hash"), PotentialShaping("potential")):
        ours[f"ours, 1024, {shaper.name}"] = ShapeVectorReward(gym.make_vec(world, 1024), shaper, gamma=0.99)
    found: dict[str, Callable[[], float]] = {
        "MiniGrid, one": lambda: single(stock, 2000),
        "MiniGrid, SyncVectorEnv(16)": lambda: vector(sync, 150),
        "ours, one": lambda: single(one, 20_000),
    }
    for told, env in ours.items():
        found[told] = lambda env=env: vector(env, 400_000 // env.num_envs)
    return found


def main() -> None:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", nargs="+", default=WORLDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    patience.to_compile = 0  # nothing is interpreted
    rows: dict[str, list[str]] = {}
    for name in given.worlds:
        rates: dict[str, list[float]] = {}
        found = contenders(name)
        for measure in found.values():
            measure()
        for _ in range(given.rounds):
            for contender, measure in found.items():
                rates.setdefault(contender, []).append(measure())
        medians = {contender: statistics.median(values) for contender, values in rates.items()}
        one, sync = medians["MiniGrid, one"], medians["MiniGrid, SyncVectorEnv(16)"]
        for contender, rate in medians.items():
            rows.setdefault(contender, []).append(f"{rate:,.0f} ({rate / one:,.1f}x, {rate / sync:,.1f}x)")
    print(f"| steps/s | {' | '.join(given.worlds)} |\n|---|{'---|' * len(given.worlds)}")
    for contender, cells in rows.items():
        print(f"| {contender} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
