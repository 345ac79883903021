"""Tasks by name."""

from __future__ import annotations

from typing import Any

from potentia.envs.web.catalogue import APP_TASKS, MINIWOB_TASKS
from potentia.envs.web.task import WebTask

__all__ = ["find_task"]

MINIWOB = "MiniWoB-"


def find_task(name: str, **options: Any) -> WebTask:
    """The task of a name, with its options.

    Raises:
        ValueError: If there is none, or an option is none of its.
    """
    if name in APP_TASKS:
        from potentia.envs.web.tasks.app_task import AppTask  # noqa: PLC0415 - needs jinja2

        return _made(AppTask, name, options)
    if name.removeprefix(MINIWOB) in MINIWOB_TASKS and name.startswith(MINIWOB):
        from potentia.envs.web.miniwob.task import MiniWobTask  # noqa: PLC0415 - needs the extra miniwob

        return _made(MiniWobTask, name.removeprefix(MINIWOB), options)
    raise ValueError(
        f"there is no web task {name!r}; there are {', '.join(APP_TASKS)}, and MiniWoB-<name> for {len(MINIWOB_TASKS)} "
        "names (potentia.envs.web.TASKS)"
    )


def _made(cls: Any, name: str, options: dict[str, Any]) -> WebTask:
    try:
        task: WebTask = cls(name, **options)
    except TypeError as error:
        raise ValueError(f"{name} has no such option: {error}") from error
    return task
