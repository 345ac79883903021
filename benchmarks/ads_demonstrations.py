"""Makes the demonstrations of the studies `ads_*.yaml`: five episodes of Meta-World's scripted policies for each task.

    python benchmarks/ads_demonstrations.py

It takes a few seconds and writes ``ads_<task>.npz`` beside itself.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia import demonstrations
from potentia.recording import record_demonstrations

TASKS = ("window-close", "drawer-close", "door-open")


def main() -> None:
    """Records."""
    for task in TASKS:
        envs = gym.make_vec(
            f"potentia/MetaWorld-{task}-v0", 5, vectorization_mode="sync", max_steps=125, terminate_on_success=False
        )
        rollout, thrown = record_demonstrations(envs, 5, gamma=0.99, seed=0)
        path = Path(__file__).parent / f"ads_{task}.npz"
        demonstrations.save(path, rollout)
        print(f"{path.name}: {thrown} episodes without success, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
