"""Learners of other packages, by entry points."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from potentia.agents.random_agent import RandomAgent
from potentia.study.documents import SpecError
from potentia.study.learners import LEARNERS, make_learner
from potentia.study.plan import check_study
from potentia.study.runner import StudyFolder
from potentia.study.world import World
from tests.study.running import study


@dataclass(frozen=True)
class Settings:
    boldness: float = 0.5


class Bold(RandomAgent):
    Config: Any = Settings


class Bare:
    """No configuration."""


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {name: EntryPoint(name, f"{__name__}:{name}", LEARNERS.group) for name in ("Bold", "Bare")}
    monkeypatch.setitem(vars(LEARNERS), "_offered", dict(LEARNERS.own()) | points)


def test_another_package_offers_a_learner_with_settings_of_its_own() -> None:
    spec = study(learners=[{"type": "Bold", "config": {"boldness": 0.7, "rollout_steps": 4}}])
    check_study(spec, "file.yaml")
    config, _ = StudyFolder(spec, Path("nowhere")).runs[0]
    world = World.probe(config)
    spaces = world.observation_space, world.action_space
    learner: Any = make_learner(config.learner, {"boldness": 0.9}, *spaces, streams={}, device="cpu", seed=0)
    assert isinstance(learner, Bold)
    assert learner.config == Settings(0.9)


def test_its_settings_are_checked_by_their_types() -> None:
    with pytest.raises(SpecError, match=r"learners\[0\]\.config\.boldness: must be a finite number, got 'very'"):
        check_study(study(learners=[{"type": "Bold", "config": {"boldness": "very"}}]), "file.yaml")
    with pytest.raises(SpecError, match=r"learners\[0\]\.config: the learner 'Bare' brings no configuration"):
        check_study(study(learners=[{"type": "Bare"}]), "file.yaml")
