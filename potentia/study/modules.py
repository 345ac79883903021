"""Modules that a study names because they register its environments, for this process and those of its runs."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia.objects import unknown

_OWN = ("gymnasium", "potentia")


def import_modules(names: Iterable[str]) -> list[str]:
    """Imports modules. Returns what went wrong, one line each."""
    problems = []
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            problems.append(f"the module {name!r} can't be imported: {reason}")
    return problems


def registered(identity: str) -> tuple[str, str]:
    """``module:Id`` as its two parts, the module perhaps ``""``."""
    module, _, name = identity.rpartition(":")
    return module, name


def environment_problem(identity: str) -> str:
    """What is wrong with the id of an environment, or ``""``. The module that the id names is imported."""
    module, name = registered(identity)
    problems = import_modules([module] if module else [])
    if problems or name in gym.registry:
        return "".join(problems)
    hint = "" if module else "; name the module that registers it: 'imports: [module]', or the id 'module:Id'"
    return unknown("environment", name, gym.registry) + hint


def unreachable(identities: Iterable[str], imports: Iterable[str]) -> list[str]:
    """Those environments that are registered here and would not be in the process of a run.

    A script may have registered them, which the processes of runs don't execute. A fresh process is asked, but only
    where the answer is in doubt.
    """
    doubtful = [name for name in identities if not _surely_known(name)]
    if not doubtful:
        return []
    code = (
        "import importlib, sys, potentia, gymnasium\n"
        "modules, ids = sys.argv[1].split(), sys.argv[2].split()\n"
        "[importlib.import_module(name) for name in modules]\n"
        "print(*[name for name in ids if name not in gymnasium.registry])"
    )
    command = [sys.executable, "-c", code, " ".join(imports), " ".join(doubtful)]
    done = subprocess.run(command, capture_output=True, text=True, env=child_environment(), check=False)
    return done.stdout.split() if done.returncode == 0 else doubtful


def _surely_known(identity: str) -> bool:
    module, name = registered(identity)
    spec = gym.registry[name]
    entry = spec.entry_point or spec.vector_entry_point
    where = entry if isinstance(entry, str) else getattr(entry, "__module__", "")
    return bool(module) or where.partition(".")[0].partition(":")[0] in _OWN


def search_beside(source: str, folder: str | None) -> None:
    """Lets imports find modules beside a study's file, and in its folder."""
    path = Path(source)
    beside = [str(path.parent.resolve())] if path.is_file() else []
    for place in [*beside, folder]:
        if place and place not in sys.path:
            sys.path.append(place)


def child_environment() -> dict[str, str]:
    """The variables of a process that is to find the modules that this one finds."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path)}
