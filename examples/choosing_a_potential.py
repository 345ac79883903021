"""Minus the distance, the natural potential, keeps Q-learning from FrozenLake's goal. The same plus 1 leads to it.

docs/potentials.md explains why.
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np

from potentia.agents import EnvCollector, Loop, QLearning, evaluate
from potentia.shaping import PotentialShaping, Shaper

NUM_ENVS, NUM_STEPS, GAMMA = 8, 16, 0.99


def minus_distance(state: np.ndarray) -> np.ndarray:
    """Minus the steps from a cell of the 4x4 map to the goal, in units of the longest way: from -1 to 0."""
    row, column = state // 4, state % 4
    return -((3 - row) + (3 - column)) / 6.0


def train(shaper: Shaper | None, seed: int, steps: int, *, slippery: bool) -> float:
    """Returns the mean true return of the greedy policy after training."""

    def make_envs() -> gym.vector.VectorEnv:
        return gym.make_vec("FrozenLake-v1", NUM_ENVS, map_name="4x4", is_slippery=slippery)

    envs = make_envs()
    agent = QLearning(envs.single_observation_space, envs.single_action_space, seed=seed)
    loop = Loop(EnvCollector(envs, NUM_STEPS, gamma=GAMMA), agent, shaper)
    loop.begin(seed)
    while loop.steps < steps:
        loop.iterate()
    envs.close()
    return evaluate(make_envs, agent, 64, seed=1000 + seed, greedy=True).metrics["return_mean"]


def main() -> None:
    """Compares four potentials with none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=16_384)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--firm", action="store_true", help="ice on which every move succeeds; else one of three does")
    options = parser.parse_args()
    shapings = {
        "none": None,
        "minus distance": PotentialShaping(minus_distance),
        "minus distance, shift=1": PotentialShaping(minus_distance, shift=1.0),
        "minus distance, shift=-1": PotentialShaping(minus_distance, shift=-1.0),
        "minus distance, shift=10": PotentialShaping(minus_distance, shift=10.0),
    }
    for name, shaper in shapings.items():
        scores = [train(shaper, seed, options.steps, slippery=not options.firm) for seed in range(options.seeds)]
        error = np.std(scores, ddof=1) / np.sqrt(len(scores))
        print(f"{name:25} true return {np.mean(scores):.3f} +- {error:.3f}")


if __name__ == "__main__":
    main()
