"""Potentia as a contender of ``web_speed.py``: MiniWoB++ pages, one or several at once, and the applications' tasks."""

# ruff: noqa: D102 - what the methods are, rounds.Driver says
from __future__ import annotations

import time
from statistics import median
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from rounds import measure, serve

from potentia.envs.web.elements import ROLES
from potentia.envs.web.env import WebEnv
from potentia.envs.web.vector import WebVectorEnv

OBSERVATION = ("goal", "text", "elements", "action_mask")
ROWS, FIELDS = 64, 6
APP_TASKS = ("ShopBuy", "ShopReview")
APP_SEEDS = range(3)


class PotentiaDriver:
    """See ``rounds.Driver``; a handle is a row of the table, in each of the worlds."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.worlds = job["worlds"]
        options = {"always_fresh": True} if job["fresh"] else {}
        options |= {
            "backend": job["backend"],
            "events": job["events"],
            "observation": (*OBSERVATION, "screenshot") if job["screenshot"] else OBSERVATION,
            "info_keys": ("success",),
            "rows": ROWS,
            "fields": FIELDS,
        }
        task = f"MiniWoB-{job['page']}"
        self.env: Any = (
            WebEnv(task, **options)
            if self.worlds == 1
            else WebVectorEnv(task, self.worlds, autoreset_mode=AutoresetMode.DISABLED, **options)
        )

    def reset(self, seed: int) -> None:
        self.obs, _ = self.env.reset(seed=self.worlds * seed)
        self.goals = [self.obs["goal"]] if self.worlds == 1 else list(self.obs["goal"])

    def find(self, role: str) -> list[Any]:
        number = 1 + ROLES.index(role)
        rows = [np.flatnonzero(row == number) for row in np.reshape(self.obs["role"], (self.worlds, ROWS))]
        most = max(map(len, rows))
        return list(np.stack([np.resize(row, most) for row in rows], axis=1))

    def click(self, handle: Any) -> Any:
        return self._action(1 + handle)

    def fill(self, handle: Any, texts: list[str]) -> Any:
        del texts  # the first of the fields
        return self._action(1 + ROWS + handle * FIELDS)

    def step(self, action: Any) -> bool:
        self.obs, _, terminated, truncated, _ = self.env.step(action)
        if np.any(truncated) or np.any(terminated) != np.all(terminated):
            raise RuntimeError("episodes did not end together, or were cut")
        return bool(np.all(terminated))

    def close(self) -> None:
        self.env.close()

    def _action(self, indices: Any) -> Any:
        return int(indices[0]) if self.worlds == 1 else indices


def solutions() -> list[tuple[str, int, list[str]]]:
    """Tasks with their seeds and the actions of the reference solution."""
    found = []
    for task in APP_TASKS:
        env = WebEnv(task, backend="html", observation=("goal",), actions="text", info_keys=("reference",))
        for seed in APP_SEEDS:
            actions: list[str] = []
            _, info = env.reset(seed=seed)
            while info["reference"]:
                actions.append(info["reference"].partition("\n")[0])
                _, _, _, _, info = env.step(actions[-1])
            found.append((task, seed, actions))
        env.close()
    return found


def measure_apps(job: dict[str, Any]) -> dict[str, float]:
    """Median milliseconds of a reset, of a step that leads to another page, and of one that does not.

    Raises:
        RuntimeError: If a reference solution does not solve its task.
    """
    resets: list[float] = []
    steps: dict[bool, list[float]] = {True: [], False: []}
    for task in APP_TASKS:
        options = {"observation": ("goal", "text", "elements"), "actions": "text", "info_keys": ("success",)}
        env = WebEnv(task, backend=job["backend"], **options)
        plays = [(seed, actions) for name, seed, actions in solutions() if name == task]
        begin = time.perf_counter()
        for index in range(10_000):
            if index > len(plays) and time.perf_counter() - begin > job["seconds"] / len(APP_TASKS):
                break
            seed, actions = plays[index % len(plays)]
            start = time.perf_counter()
            obs, info = env.reset(seed=seed)
            resets += [time.perf_counter() - start] if index else []
            for action in actions:
                before = obs["text"].split("\n", 1)[0]
                start = time.perf_counter()
                obs, _, _, _, info = env.step(action)
                spent = time.perf_counter() - start
                steps[obs["text"].split("\n", 1)[0] != before] += [spent] if index else []
            if not info["success"]:
                raise RuntimeError(f"the reference solution did not solve {task} with seed {seed}")
        env.close()
    return {
        "reset_ms": 1e3 * median(resets),
        "navigating_ms": 1e3 * median(steps[True]),
        "staying_ms": 1e3 * median(steps[False]),
    }


def do(job: dict[str, Any]) -> dict[str, float]:
    """Answers a job."""
    if job["page"] == "applications":
        return measure_apps(job)
    driver = PotentiaDriver(job)
    try:
        return measure(driver, job["page"], job["seconds"], job["episodes"])
    finally:
        driver.close()


if __name__ == "__main__":
    serve(do)
