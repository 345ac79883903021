"""What a run was made with: enough to make it again, or to say why another one differs."""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch

from potentia.shaping.shaper import Shaper

_PACKAGES = (
    "potentia",
    "numpy",
    "torch",
    "gymnasium",
    "array-api-compat",
    "minigrid",
    "minihack",
    "nle",
    "stable-baselines3",
)


def manifest(
    spec: gym.envs.registration.EnvSpec | None, shaper: Shaper, seeds: dict[str, int], device: str
) -> dict[str, Any]:
    """Code, packages, machine, seeds, the world as it was made, and the contracts of the shaping.

    Args:
        spec: The specification of one environment, with its wrappers.
        shaper: The shaping.
        seeds: The seeds of the run's parts.
        device: Where the learner and the shaper live.
    """
    return {
        "git": _git(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "threads": {"torch": torch.get_num_threads(), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS")},
        "device": device,
        "seeds": seeds,
        "environment": _world(spec),
        "contract": _contract(shaper),
        "members": {member.name: _contract(member) for member in getattr(shaper, "shapers", ())},
    }


def _contract(shaper: Shaper) -> dict[str, Any]:
    fields = dataclasses.asdict(shaper.contract)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in fields.items()}


def _world(spec: gym.envs.registration.EnvSpec | None) -> dict[str, Any] | None:
    if spec is None:
        return None
    return {
        "id": spec.id,
        "entry_point": str(spec.entry_point),
        "kwargs": {name: repr(value) for name, value in spec.kwargs.items()},
        "max_episode_steps": spec.max_episode_steps,
        "wrappers": [
            {"name": wrapper.name, "entry_point": wrapper.entry_point, "kwargs": repr(wrapper.kwargs)}
            for wrapper in spec.additional_wrappers
        ],
    }


def _git() -> dict[str, Any] | None:
    """The commit of the code that runs, and whether it was changed since. The result is None outside of a checkout."""
    here = Path(__file__).parent
    try:
        sha = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"sha": sha.stdout.strip(), "dirty": bool(dirty.stdout.strip())}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
