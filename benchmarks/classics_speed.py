"""Steps a second of CPU time at 1,024 worlds: the sparse classics beside Gymnasium's own, on one core, in one run.

``python benchmarks/classics_speed.py``
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds

NUM_ENVS, ROUNDS = 1024, 5
PAIRS = (("SparseMountainCar", "MountainCarContinuous-v0"), ("SparseAcrobot", "Acrobot-v1"))
ALONE = ("SparseReacher", "Curling", "RedundantArm")


def rate(envs: Any, actions: Any, steps: int) -> float:
    """Steps a second of CPU time."""
    begin = time.process_time()
    for _ in range(steps):
        envs.step(actions)
    return NUM_ENVS * steps / (time.process_time() - begin)


def made(name: str, **options: Any) -> tuple[Any, Any]:
    """A vector that has taken a step, and actions for it."""
    envs = gym.make_vec(name, NUM_ENVS, **options)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    actions = envs.action_space.sample()
    envs.step(actions)
    return envs, actions


def main() -> None:
    """Prints medians of five interleaved rounds."""
    for ours, theirs in PAIRS:
        mine, game = made(f"potentia/{ours}-v0", parallel=False), made(theirs, vectorization_mode="sync")
        rounds = [(rate(*mine, 300), rate(*game, 5)) for _ in range(ROUNDS)]
        fast, slow = np.median(rounds, axis=0)
        ratio = np.median([a / b for a, b in rounds])
        print(f"{ours}: {fast / 1e6:.2f} million; {theirs}: {slow / 1e6:.3f} million; {ratio:.0f} times", flush=True)
    for name in ALONE:
        mine = made(f"potentia/{name}-v0", parallel=False)
        print(f"{name}: {np.median([rate(*mine, 300) for _ in range(ROUNDS)]) / 1e6:.2f} million", flush=True)


if __name__ == "__main__":
    main()
