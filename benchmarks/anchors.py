"""The anchors of a world: the mean return of the random policy, and of the best one where the distance is known.

``python benchmarks/anchors.py potentia/DoorKey-5x5-v0`` for MiniGrid's reward, 1 - 0.9 * steps / limit.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds

EPISODES = 200


def main(name: str) -> None:
    """Prints both anchors over the seeds 0..199."""
    env = gym.make(name, info_keys=("distance",))
    env.action_space.seed(0)
    returns, distances = [], []
    for seed in range(EPISODES):
        _, info = env.reset(seed=seed)
        distances.append(info["distance"])
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
    print(f"{name}: random {np.mean(returns):.3f}, mean distance {np.mean(distances):.2f}", end="")
    world: Any = env.unwrapped
    game = getattr(world, "game", None)
    limit = game.max_steps if game is not None else world.worlds.plan.max_steps
    print(f", optimal {np.mean([1 - 0.9 * d / limit for d in distances]):.3f}", end="")
    print()


if __name__ == "__main__":
    for world in sys.argv[1:] or ["potentia/DoorKey-5x5-v0", "potentia/MiniHack-Room-15x15-v0"]:
        main(world)
