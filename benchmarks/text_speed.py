"""Steps per second of the plain-Python text worlds against their rules alone, on the same commands.

    python benchmarks/text_speed.py [--steps 3000]

Each command is drawn from the world's own. It is done twice from the same state: by the rules (`_act`) and by
`gym.make`'s environment. In CodeRepair no tests are run, except for the info that tells what they would say.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.code_repair import Sandbox
from potentia.envs.text.code_repair.package import load

WORLDS = ("Calculation", "CalculationSteps", "Inquiry", "Dialogue", "CodeRepair")


def measure(name: str, steps: int, info_keys: str | None) -> tuple[float, float, float]:
    """Microseconds of processor time of a step, of the rules alone, and of a reset."""
    env = gym.make(f"potentia/{name}-v0", info_keys=info_keys, disable_env_checker=True)
    game: Any = env.unwrapped
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    spent, times, resets = {"step": 0.0, "rules": 0.0, "reset": 0.0}, time.process_time, 1
    for _ in range(steps):
        commands = [command for command in game.commands if command not in ("run tests", "submit")]
        command = commands[int(rng.integers(len(commands)))]
        saved = game.save()
        begun = times()
        game._act(command)
        spent["rules"] += times() - begun
        game.restore(saved)
        begun = times()
        _, _, terminated, truncated, _ = env.step(command)
        spent["step"] += times() - begun
        if terminated or truncated:
            begun, resets = times(), resets + 1
            env.reset()
            spent["reset"] += times() - begun
    return 1e6 * spent["step"] / steps, 1e6 * spent["rules"] / steps, 1e6 * spent["reset"] / max(resets - 1, 1)


def sandbox_job(times: int = 100) -> float:
    """Milliseconds of processor time, of all processes, of a job of seven tests that nobody remembers."""
    sandbox, package = Sandbox(), load("graphs")
    modules = tuple((name, "\n".join(lines)) for name, lines in package.modules.items())
    job = modules, package.visible.questions, package.visible.names
    begun = os.times()
    for _ in range(times):
        sandbox.run(*job)
    sandbox.close()
    spent = [now - before for now, before in zip(os.times()[:4], begun[:4], strict=True)]
    return 1e3 * sum(spent) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    print("| world | steps/s | rules alone | ratio | a reset, us | steps/s with all info |\n|---|---|---|---|---|---|")
    for name in WORLDS:
        step, rules, reset = measure(name, steps, None)
        everything, *_ = measure(name, steps // 10, "all")
        row = f"{1e6 / step:,.0f} | {1e6 / rules:,.0f} | {rules / step:.2f} | {reset:,.0f} | {1e6 / everything:,.0f}"
        print(f"| {name} | {row} |")
    print(f"\nSeven tests in the sandbox, not remembered: {sandbox_job():.1f} ms of processor time.")


if __name__ == "__main__":
    main()
