"""How soon ASAF balances CartPole from 25 demonstrations of a scripted expert, five seeds.

    python benchmarks/asaf_cartpole.py

For each window: the steps after which 20 evaluated episodes first have a mean of 475 or more, and the processor's
seconds until then, with evaluations.
"""

from __future__ import annotations

import time
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from potentia.agents import ASAF, ASAFConfig, Collector, EnvCollector, EpisodeCollector, Loop, evaluate
from potentia.collect import collect_episodes
from potentia.rollout import Rollout

SETTINGS: dict[int | None, dict[str, Any]] = {
    1: {"batch_size": 100, "n_epochs": 10},
    20: {"batch_size": 20, "n_epochs": 10},
    None: {"batch_size": 8, "n_epochs": 50, "max_grad_norm": 10.0},
}
"""By window: ASAF-1, ASAF-w, and ASAF on whole episodes."""


class Balances:
    """Pushes to the side that the pole falls to."""

    def init(self, num_envs: int) -> Any:
        """It has no memory."""
        del num_envs
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        """0 is left, 1 right."""
        return (obs @ np.array([0.05, 0.5, 3.0, 1.0]) > 0).astype(np.int64), carry


def carts(count: int) -> gym.vector.VectorEnv[Any, Any, Any]:
    """So many CartPoles."""
    return gym.make_vec("CartPole-v1", count, vectorization_mode="sync")


def until_balanced(shown: Rollout, window: int | None, seed: int, most: int = 60) -> tuple[int, float, float]:
    """Steps, seconds and the last mean return."""
    begin, envs = time.process_time(), carts(8)
    config = ASAFConfig(shown, window=window, **SETTINGS[window])
    agent = ASAF(envs.single_observation_space, envs.single_action_space, config, seed=seed)
    collector: Collector = EnvCollector(envs, 250, gamma=0.99) if window else EpisodeCollector(envs, 8, gamma=0.99)
    loop, found = Loop(collector, agent), 0.0
    loop.begin(seed)
    for _ in range(most):
        loop.iterate()
        found = float(np.mean(evaluate(lambda: carts(10), agent, 20, seed=5).returns))
        if found >= 475:
            break
    return loop.steps, time.process_time() - begin, found


def main() -> None:
    """Prints a row for each window."""
    torch.set_num_threads(1)
    shown = collect_episodes(carts(25), Balances(), 25, gamma=0.99, seed=1)
    for window in SETTINGS:
        runs = [until_balanced(shown, window, seed) for seed in range(5)]
        steps, seconds, returns = (np.array(column) for column in zip(*runs, strict=True))
        print(
            f"window {window}: {(returns >= 475).sum()} of 5 in {np.median(steps):,.0f} steps (at most "
            f"{steps.max():,}), {np.median(seconds):.1f} s (at most {seconds.max():.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
