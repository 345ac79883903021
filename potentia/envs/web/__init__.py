"""Web worlds: real pages in a real browser, and applications whose tasks are judged from their databases.

The worlds need the extra `web` and a Chromium (MiniWoB++'s pages: the extra `miniwob`). Registering the ids needs
neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.web.catalogue import APP_TASKS, MINIWOB_TASKS

if TYPE_CHECKING:
    from potentia.envs.web.browser.failure import PageFailure
    from potentia.envs.web.env import WebEnv
    from potentia.envs.web.vector import WebVectorEnv

__all__ = ["TASKS", "PageFailure", "WebEnv", "WebVectorEnv", "register"]

TASKS: tuple[str, ...] = (*APP_TASKS, *(f"MiniWoB-{name}" for name in MINIWOB_TASKS))
"""The names of all tasks."""

_HOMES = {
    "PageFailure": "potentia.envs.web.browser.failure",
    "WebEnv": "potentia.envs.web.env",
    "WebVectorEnv": "potentia.envs.web.vector",
}


def register() -> None:
    """Register ``potentia/Web-<task>-v0`` for the applications' tasks and ``potentia/MiniWoB-<page>-v0``."""
    for name in TASKS:
        identifier = f"potentia/{name}-v0" if name.startswith("MiniWoB-") else f"potentia/Web-{name}-v0"
        if identifier not in registry:
            register_id(
                id=identifier,
                entry_point="potentia.envs.web.env:WebEnv",
                vector_entry_point="potentia.envs.web.vector:WebVectorEnv",
                kwargs={"task": name},
            )


def __getattr__(name: str) -> Any:
    """The environments, imported when they are first asked for."""
    if name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - not needed to register

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
