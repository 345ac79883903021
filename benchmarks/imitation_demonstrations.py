"""Makes the demonstrations of `imitation_pendulum.yaml` and `imitation_reacher.yaml`: SAC learns, then shows.

    python benchmarks/imitation_demonstrations.py

It takes about two minutes of a CPU and writes ``imitation_pendulum.npz`` and ``imitation_reacher.npz`` beside itself.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import torch

from potentia import demonstrations
from potentia.agents import SAC, EnvCollector, Loop, SACConfig
from potentia.recording import record_demonstrations

WORLDS = {"pendulum": ("Pendulum-v1", 10_000, 5), "reacher": ("Reacher-v5", 15_000, 20)}
"""For each: its id, the steps that SAC learns for, and how many episodes it shows."""


def main() -> None:
    """Learns and records."""
    torch.set_num_threads(1)
    for name, (world, steps, episodes) in WORLDS.items():
        envs = gym.make_vec(world, 2, vectorization_mode="sync")
        config = SACConfig(widths=(64, 64), batch_size=128, learning_starts=500, learning_rate=1e-3)
        agent = SAC(envs.single_observation_space, envs.single_action_space, config, seed=0)
        loop = Loop(EnvCollector(envs, 32, gamma=0.98), agent)
        loop.begin(0)
        while loop.steps < steps:
            loop.iterate()
        rollout, _ = record_demonstrations(
            envs, episodes, agent.frozen(greedy=True), gamma=0.98, successful_only=False, seed=1
        )
        path = Path(__file__).parent / f"imitation_{name}.npz"
        demonstrations.save(path, rollout)
        returns = rollout.terms["env"].sum(0)
        print(f"{path.name}: {episodes} episodes of return {returns.mean():.1f} (from {returns.min():.1f})")
        print(f"    steps {int(np.asarray(rollout.mask).sum())}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
