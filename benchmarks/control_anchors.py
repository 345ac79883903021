"""The mean return of random actions in the control worlds: ``python benchmarks/control_anchors.py``."""

from __future__ import annotations

import sys

import numpy as np

from potentia.envs.control import WORLDS, ControlVectorEnv

NUM_ENVS, EPISODES = 4096, 100_000


def main(name: str) -> None:
    """Prints the mean over at least 100,000 episodes of uniform actions, and its standard error."""
    envs = ControlVectorEnv(name, NUM_ENVS, autoreset_mode="SameStep", parallel=False)
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    low, high = envs.single_action_space.low, envs.single_action_space.high  # type: ignore[attr-defined]
    running, count, total, squares = np.zeros(NUM_ENVS), 0, 0.0, 0.0
    while count < EPISODES:
        _, reward, terminated, truncated, _ = envs.step(rng.uniform(low, high, (NUM_ENVS, len(low))))
        running += reward
        done = terminated | truncated
        count, total, squares = (
            count + int(done.sum()),
            total + running[done].sum(),
            squares + (running[done] ** 2).sum(),
        )
        running[done] = 0.0
    mean = total / count
    print(f"{name}: {mean:.6f} +- {np.sqrt((squares / count - mean**2) / count):.6f} over {count} episodes", flush=True)


if __name__ == "__main__":
    for world in sys.argv[1:] or WORLDS:
        main(world)
