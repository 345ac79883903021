"""Steps per second of MuJoCo's worlds beside the packages that they come from, and how often experts succeed.

    python benchmarks/mujoco_speed.py speed [--steps 1000] [--repeats 3]
    python benchmarks/mujoco_speed.py experts [--episodes 20] [--tasks drawer-open ...]

The same random actions, resets excluded, in seconds of the process. Vectors are timed by the clock, too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the ids
from potentia.envs.experts import expert
from potentia.envs.mujoco import METAWORLD_TASKS
from potentia.recording import record_demonstrations

WORLDS = (
    "MetaWorld-drawer-open",
    "MetaWorld-window-close",
    "MetaWorld-pick-place",
    "PointMaze-UMaze",
    "AntMaze-Medium",
)
GRIDS = ("DoorKey-8x8", "KeyCorridorS3R3", "MultiRoom-N4-S5", "UnlockPickup", "FourRooms", "LavaCrossingS9N2")
TEXTS = ("Household", "TextWorld-Simple", "CalculationSteps", "CodeRepair")


def rate(step: Callable[[Any], Any], reset: Callable[[], Any], actions: Any, repeats: int) -> tuple[float, float]:
    """Median steps per second of the process and by the clock."""
    found = []
    for _ in range(repeats):
        reset()
        process, clock = time.process_time(), time.perf_counter()
        for action in actions:
            step(action)
        found.append((len(actions) / (time.process_time() - process), len(actions) / (time.perf_counter() - clock)))
    return median(one for one, _ in found), median(other for _, other in found)


def stock(name: str) -> tuple[Callable[[Any], Any], Callable[[], Any]]:
    """The step and the reset of the package's own environment."""
    kind, _, task = name.partition("-")
    if kind == "MetaWorld":
        from metaworld.env_dict import ALL_V3_ENVIRONMENTS

        inner = ALL_V3_ENVIRONMENTS[f"{task}-v3"]()
        inner.seeded_rand_vec, inner._freeze_rand_vec, inner._set_task_called = True, False, True
        inner.max_path_length = 10**9
        return inner.step, inner.reset
    import gymnasium_robotics

    gym.register_envs(gymnasium_robotics)
    made = gym.make(f"{kind}_{task}-{'v3' if kind == 'PointMaze' else 'v5'}").unwrapped
    return made.step, made.reset


def speed(steps: int, repeats: int) -> None:
    print("| world | package | world | all info | a reset, ms | 4 in one process | 4 in a process each, clock |")
    print("|---|---|---|---|---|---|---|")
    for name in WORLDS:
        identifier, options = f"potentia/{name}-v0", {"max_steps": steps + 1, "terminate_on_success": False}
        env = gym.make(identifier, **options).unwrapped
        env.action_space.seed(0)
        actions = [env.action_space.sample() for _ in range(steps)]
        bare, _ = rate(*stock(name), actions, repeats)
        own, _ = rate(env.step, lambda env=env: env.reset(seed=0), actions, repeats)
        full = gym.make(identifier, **options, info_keys="all").unwrapped
        told, _ = rate(full.step, lambda full=full: full.reset(seed=0), actions, repeats)
        begun = time.process_time()
        for seed in range(10):
            env.reset(seed=seed)
        reset = (time.process_time() - begun) * 100
        rows = []
        for processes in (False, True):
            envs = gym.make_vec(identifier, num_envs=4, processes=processes, **options)
            some = [np.stack([action] * 4) for action in actions[: steps // 4]]
            rows.append(rate(envs.step, lambda envs=envs: envs.reset(seed=0), some, repeats)[processes] * 4)
            envs.close()
        print(f"| `{name}` | {bare:,.0f} | {own:,.0f} | {told:,.0f} | {reset:.1f} | {rows[0]:,.0f} | {rows[1]:,.0f} |")


def experts(episodes: int, tasks: list[str]) -> None:
    print("| world | success | longest | mean steps |\n|---|---|---|---|")
    named = [(f"MetaWorld-{task}", {}) for task in tasks]
    for name, options in [*((name, {}) for name in (*GRIDS, *TEXTS, "PointMaze-Large")), *named]:
        envs = gym.make_vec(f"potentia/{name}-v0", num_envs=4, **options)
        shown, _ = record_demonstrations(
            envs, episodes, expert(envs), gamma=0.99, successful_only=False, columns=["next_success"]
        )
        done = (np.asarray(shown.info["next_success"], bool) & shown.mask).any(0)
        lengths = shown.mask.sum(0)[done]
        print(f"| `{name}` | {done.mean():.2f} | {max(lengths, default=0)} | {lengths.mean():.0f} |", flush=True)
        envs.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "experts"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--tasks", nargs="*", default=list(METAWORLD_TASKS))
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.steps, options.repeats)
    else:
        experts(options.episodes, options.tasks)


if __name__ == "__main__":
    main()
