"""Ten thousand episodes of a text world: does the process grow?

Run: python benchmarks/text_soak.py [--id potentia/TextWorld-Custom-v0] [--episodes 10000] [--steps 10]

Random commands, at most so many an episode, with all info. Every tenth part of the way it prints the process's
resident memory. Growth after the first tenth is what leaks; before that, games and distances are loaded once.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--id", default="potentia/TextWorld-Custom-v0")
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    env = gym.make(arguments.id, info_keys="all")
    world = env.unwrapped
    rng = np.random.default_rng(0)
    start, steps = time.process_time(), 0
    for episode in range(1, arguments.episodes + 1):
        env.reset(seed=episode)
        for _ in range(arguments.steps):
            commands = world.commands
            _, _, terminated, truncated, _ = env.step(commands[int(rng.integers(len(commands)))])
            steps += 1
            if terminated or truncated:
                break
        if episode % max(1, arguments.episodes // 10) == 0:
            rate = steps / (time.process_time() - start)
            print(f"{episode:>7} episodes  {resident():7.1f} MiB  {rate:6.0f} steps a CPU second", flush=True)
    env.close()


if __name__ == "__main__":
    main()
