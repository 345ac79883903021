"""Thousands of episodes in one browser: does memory grow, do processes stay behind, does anything hang?

``python benchmarks/web_soak.py --episodes 5000`` prints a Markdown table: after every tenth of the episodes the memory
of this process and of all of Chromium's (proportional set size, MiB), the processes, and the milliseconds that resets
and steps took since the row before. Episodes alternate among MiniWoB++ pages, begun softly and by fresh loads, and an
application; actions are drawn from the mask. At the end the environments are closed and what is left is counted.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import time
from pathlib import Path

import numpy as np

from potentia.envs.web import WebEnv

TASKS = ("MiniWoB-click-checkboxes", "MiniWoB-enter-text", "MiniWoB-click-tab", "ShopBuy")


def memory(pid: int) -> float:
    """The proportional set size of a process in MiB; 0 if it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            numbers = [int(child) for child in children.read_text("ascii").split()]
        except OSError:
            continue
        found += numbers
        for number in numbers:
            found += descendants(number)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=5000)
    parser.add_argument("--backend", choices=("cdp", "playwright"), default="cdp")
    parser.add_argument("--steps", type=int, default=3, help="the most steps of an episode")
    given = parser.parse_args()
    envs = [
        WebEnv(task, backend=given.backend, observation=("elements", "action_mask"), info_keys=("success", "failure"))
        for task in TASKS
    ]
    for env in envs:
        env.reset(seed=0)
    rng = np.random.default_rng(0)
    failures = 0
    resets: list[float] = []
    steps: list[float] = []
    print("| episodes | Python, MiB | Chromium, MiB | processes | reset, ms | step, ms | lost pages |")
    print("|---|---|---|---|---|---|---|")
    for episode in range(given.episodes):
        env = envs[episode % len(envs)]
        began = time.perf_counter()
        obs, _ = env.reset()
        resets.append(time.perf_counter() - began)
        for _ in range(given.steps):
            action = int(rng.choice(np.flatnonzero(obs["action_mask"])))
            began = time.perf_counter()
            obs, _, terminated, truncated, info = env.step(action)
            steps.append(time.perf_counter() - began)
            failures += bool(info["failure"])
            if terminated or truncated:
                break
        if (episode + 1) % max(given.episodes // 10, 1) == 0:
            gc.collect()
            others = descendants(os.getpid())
            row = [
                f"{episode + 1}", f"{memory(os.getpid()):.0f}", f"{sum(map(memory, others)):.0f}", f"{len(others)}",
                f"{1000 * statistics.median(resets):.1f}", f"{1000 * statistics.median(steps):.1f}", f"{failures}",
            ]  # fmt: skip
            print(f"| {' | '.join(row)} |", flush=True)
            resets.clear()
            steps.clear()
    for env in envs:
        env.close()
    time.sleep(1)
    print(f"\nProcesses left after close(): {len(descendants(os.getpid()))}")


if __name__ == "__main__":
    main()
