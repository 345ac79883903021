"""BrowserGym, both ways: our tasks for its agents, and its environments behind our observations and actions.

Making its environments needs the extra ``browsergym``, which pins an old Playwright. This package itself, which nothing
else in the library imports, needs the extra ``web`` only.
"""

from __future__ import annotations

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.web.browsergym.env import from_browsergym
from potentia.envs.web.browsergym.task import PotentiaTask
from potentia.envs.web.catalogue import MINIWOB_TASKS

__all__ = ["PotentiaTask", "from_browsergym", "register"]


def register() -> None:
    """Register ``browsergym/potentia.<task>`` for each task of `potentia.envs.web.TASKS`.

    An environment is truncated after the task's number of steps, as ours is.
    """
    from potentia.envs.web.tasks import TEMPLATES  # noqa: PLC0415 - needs jinja2

    budgets = {name: template().budget for name, template in TEMPLATES.items()}
    budgets |= {f"MiniWoB-{name}": budget for name, budget in MINIWOB_TASKS.items()}
    for name, budget in budgets.items():
        identifier = f"browsergym/potentia.{name}"
        if identifier not in registry:
            register_id(
                id=identifier,
                entry_point="potentia.envs.web.browsergym.task:make",
                kwargs={"task": name},
                max_episode_steps=budget,
                nondeterministic=True,
            )
