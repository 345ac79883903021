"""A tiny study, and what its tests share."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

from potentia.study.folder import RunFolder
from potentia.study.spec import StudySpec, parse_study

STUDY: dict[str, Any] = {
    "name": "tiny",
    "environments": [{"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 6}}],
    "shapings": [{"name": "none"}, {"name": "count", "shapers": [{"type": "Count", "weight": 0.1}]}],
    "learners": [{"type": "q_learning", "config": {"rollout_steps": 8}}],
    "gamma": 0.99,
    "seeds": 1,
    "steps": 160,
    "evaluation": {"every": 48, "episodes": 4},
    "checkpoint": {"every": 64},
}


def study(**changes: Any) -> StudySpec:
    return parse_study({**STUDY, **changes})


def metrics(folder: RunFolder) -> list[dict[str, Any]]:
    """The metrics without what depends on the clock."""
    lines = map(json.loads, (folder.path / "metrics.jsonl").read_text("utf-8").splitlines())
    return [{key: value for key, value in line.items() if key not in ("time", "profile")} for line in lines]


def listen() -> None:
    """Shells start what runs in the background with interrupts ignored, and that is inherited."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
