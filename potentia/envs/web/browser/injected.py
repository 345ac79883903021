"""What is put into every page and worker: the files of the folder ``scripts``, joined."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources

from potentia.envs.web.elements import FLAGS, ROLES
from potentia.envs.web.task import WebTask

__all__ = ["Scripts", "scripts_of"]


@dataclass(frozen=True)
class Scripts:
    """What documents and workers run before anything else. Each sets up, and an episode's settings follow.

    Attributes:
        page: Runs in the page's own world. Then ``__potentia.begin(seed, shift)`` is there.
        reader: Runs in the reader's world. Then ``__potentia`` of that world has what `BrowserPage` calls.
        worker: An expression that, in a worker, gives what has ``begin(seed, shift)``.
    """

    page: str
    reader: str
    worker: str


def scripts_of(task: WebTask) -> Scripts:
    """The scripts for the pages of a task."""
    settings = {"roles": ROLES, "flags": FLAGS, "skip": task.skip, "hosts": sorted(task.hosts)}
    parts = ", ".join(_source(name) for name in ("still", "hints", "notes", "mouse", "table", "acts"))
    return Scripts(
        page=f"({_source('main')})({_source('clock')}, {_source('walls')}, {task.probe or 'null'})",
        reader=f"({_source('reader')})({json.dumps(settings)}, {parts})",
        worker=f"({_source('clock')})(self)",
    )


@functools.cache
def _source(name: str) -> str:
    """A function, with its file's comment before it."""
    return resources.files("potentia.envs.web.browser").joinpath(f"scripts/{name}.js").read_text("utf-8").rstrip()
