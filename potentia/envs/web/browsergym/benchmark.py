"""Our tasks as a benchmark of BrowserGym, for its experiment loop and for AgentLab."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from potentia.envs.web.browsergym import register
from potentia.envs.web.catalogue import APP_TASKS
from potentia.envs.web.find_task import find_task

try:
    from browsergym.experiments.benchmark import Benchmark, HighLevelActionSetArgs

    try:  # AgentLab turns BrowserGym's arguments, and what derives from them, into plain ones of its own class
        from agentlab.experiments.loop import EnvArgs
    except ImportError:
        from browsergym.experiments.loop import EnvArgs
except ImportError as error:
    raise ImportError("a benchmark needs BrowserGym's experiments: pip install 'potentia[browsergym]'") from error

__all__ = ["PotentiaEnvArgs", "make_benchmark"]


@dataclass
class PotentiaEnvArgs(EnvArgs):  # type: ignore[misc]  # its base has no types
    """Arguments of an environment that registers our tasks first, in whatever process it is made."""

    def make_env(self, action_mapping: Any, exp_dir: Path, *args: Any, **options: Any) -> gym.Env[Any, str]:
        """See the base."""
        register()
        made: gym.Env[Any, str] = super().make_env(action_mapping, exp_dir, *args, **options)
        return made


def make_benchmark(tasks: Iterable[str] | None = None, seeds: Iterable[int] = (0,)) -> Benchmark:
    """A benchmark: each of the tasks with each of the seeds.

    An episode is cut after the task's number of steps. Agents have BrowserGym's actions on elements, those of
    navigation, and messages to the user, by which a question is answered.

    Args:
        tasks: Names in `potentia.envs.web.TASKS`, such as `potentia.envs.web.tasks.suite` gives, or None for all of
            the applications.
        seeds: Of the episodes.

    Raises:
        ValueError: If there is no such task, or nothing to do.
    """
    tasks, seeds = list(APP_TASKS if tasks is None else tasks), list(seeds)
    if not tasks or not seeds:
        raise ValueError(f"a benchmark needs tasks and seeds, got tasks={tasks} and seeds={seeds}")
    budgets = {name: find_task(name).budget for name in tasks}
    episodes = [
        PotentiaEnvArgs(task_name=f"potentia.{name}", task_seed=seed, max_steps=budgets[name])
        for name in tasks
        for seed in seeds
    ]
    return Benchmark(
        name="potentia",
        high_level_action_set_args=HighLevelActionSetArgs(("chat", "bid", "nav")),
        is_multi_tab=False,
        supports_parallel_seeds=True,
        env_args_list=episodes,
        backends=[],
    )
