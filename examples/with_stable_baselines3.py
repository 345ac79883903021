"""Shaping under Stable-Baselines3: the terms enter before the advantages; the environment reports the true return.

Minus a distance works here, as PPO's values find their offset. It does not work for every learner: docs/potentials.md.
"""

from __future__ import annotations

import argparse

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

from potentia.agents.sb3 import ShapingCallback
from potentia.shaping import PotentialShaping, Scale

GRID = {"map_name": "8x8", "is_slippery": False}


def distance_to_goal(state: np.ndarray) -> np.ndarray:
    """Minus the steps to the corner, as if there were no holes, in units of the longest way."""
    row, column = state // 8, state % 8
    return -((7 - row) + (7 - column)) / 14.0


def train(shaper: PotentialShaping | None, steps: int) -> float:
    """Returns the mean true return after training."""
    env = make_vec_env("FrozenLake-v1", 8, env_kwargs=GRID, seed=0)
    model = PPO("MlpPolicy", env, n_steps=128, gamma=0.99, seed=0, device="cpu")
    model.learn(steps, callback=None if shaper is None else ShapingCallback(shaper))
    mean, _ = evaluate_policy(model, make_vec_env("FrozenLake-v1", 8, env_kwargs=GRID, seed=1), 32)
    return float(mean)


def main() -> None:
    """Compares no shaping with a potential."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=32_768)
    steps = parser.parse_args().steps
    for name, shaper in {"none": None, "potential": Scale(PotentialShaping(distance_to_goal), 2.0)}.items():
        print(f"{name:10} true return {train(shaper, steps):.3f} of 1")


if __name__ == "__main__":
    main()
