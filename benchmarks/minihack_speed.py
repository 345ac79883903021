"""Steps per second of MiniHack worlds against the stock package, in one process, interleaved.

Run: python benchmarks/minihack_speed.py [--steps 2000] [--repeats 5] [TASK ...]

Both sides play the same random actions from the same kind of levels. "stock" is gym.make(<task>) as
minihack registers it, with its own observation keys; "stock, crop" asks it only for what our worlds observe
(9x9 glyphs and the bottom-line numbers). "full info" is our world with all its info: caption, state hash,
distance, potential, subgoals; "success only" leaves those out, as it does by default. Only the second
table counts the time of resets.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

TASKS = (
    "MiniHack-Room-Random-5x5-v0",
    "MiniHack-KeyRoom-S5-v0",
    "MiniHack-River-v0",
    "MiniHack-Corridor-R3-v0",
    "MiniHack-MultiRoom-N4-v0",
)
CROP_KEYS = ("glyphs_crop", "blstats")


def makers(task: str) -> dict[str, Callable[[], gym.Env[Any, Any]]]:
    """The four environments that are compared."""
    return {
        "stock": lambda: gym.make(task),
        "stock, crop": lambda: gym.make(task, observation_keys=CROP_KEYS),
        "full info": lambda: gym.make(f"potentia/{task}", info_keys="all"),
        "success only": lambda: gym.make(f"potentia/{task}"),
    }


def play(env: gym.Env[Any, Any], actions: np.ndarray) -> tuple[float, float]:
    """Seconds spent in step() and in reset(), per step."""
    stepping = resetting = 0.0
    for action in actions:
        start = time.perf_counter()
        _, _, terminated, truncated, _ = env.step(action)
        stepping += time.perf_counter() - start
        if terminated or truncated:
            start = time.perf_counter()
            env.reset()
            resetting += time.perf_counter() - start
    return stepping / len(actions), resetting / len(actions)


def measure(task: str, steps: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Median (step, step with resets) rates of each side."""
    envs = {name: make() for name, make in makers(task).items()}
    for env in envs.values():
        env.reset(seed=0)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in envs}
    rng = np.random.default_rng(0)
    for _ in range(repeats + 1):
        actions = rng.integers(0, int(next(iter(envs.values())).action_space.n), steps)  # type: ignore[attr-defined]
        for name, env in envs.items():
            env.reset()
            taken[name].append(play(env, actions))
    for env in envs.values():
        env.close()
    # The first round warms up.
    return {
        name: (
            1 / statistics.median(step for step, _ in rounds[1:]),
            1 / statistics.median(step + reset for step, reset in rounds[1:]),
        )
        for name, rounds in taken.items()
    }


def show(title: str, rates: dict[str, dict[str, float]]) -> None:
    """One table of rates, with ratios to the stock package."""
    print(f"\n{title}\n{'task':30s}" + "".join(f"{name:>14s}" for name in next(iter(rates.values()))), end="")
    print(f"{'full/stock':>13s}{'success/stock':>15s}{'success/crop':>14s}")
    for task, row in rates.items():
        cells = "".join(f"{rate:14,.0f}" for rate in row.values())
        ratios = (
            row["full info"] / row["stock"],
            row["success only"] / row["stock"],
            row["success only"] / row["stock, crop"],
        )
        print(f"{task:30s}{cells}{ratios[0]:12.2f}x{ratios[1]:14.2f}x{ratios[2]:13.2f}x")


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    from potentia.envs.minihack import register
    from potentia.envs.minihack.stock_game import nethack

    register()
    nethack()  # imports minihack, which registers the stock ids
    rates = {task: measure(task, arguments.steps, arguments.repeats) for task in arguments.tasks}
    show(
        "steps per second, resets left out",
        {task: {n: r[0] for n, r in row.items()} for task, row in rates.items()},
    )
    show(
        "steps per second, resets included",
        {task: {n: r[1] for n, r in row.items()} for task, row in rates.items()},
    )


if __name__ == "__main__":
    main()
