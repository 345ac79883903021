"""Certificates beside the curves: what runs keep of their shapings, and what reports say of it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.audit import certify
from potentia.shaping import Progress, Scale
from potentia.study import load
from potentia.study.certifying import certificate_of
from potentia.study.fields import reference
from potentia.study.plan import RunConfig, runs_of
from potentia.study.report import analyse, write_report
from potentia.study.report.certificates import certificate_notes
from potentia.study.results import load_study
from potentia.study.runner import StudyFolder
from potentia.study.shapings import make_shaper
from potentia.study.spec import StudySpec, parse_study
from potentia.study.training import Training
from potentia.study.world import World
from tests.study.synthetic import write_study

FROZEN = {"id": "FrozenLake-v1", "num_envs": 2, "kwargs": {"is_slippery": False}}
STUDY: dict[str, Any] = {
    "name": "certified",
    "environments": [{"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 6}}],
    "shapings": [
        {"name": "none"},
        {"name": "potential", "shapers": [{"type": "PotentialShaping", "potential": "potential"}]},
        {"name": "away", "shapers": [{"type": "Progress", "potential": "distance", "weight": 5.0}]},
        {"name": "spread", "shapers": [{"type": "Redistribution"}]},
    ],
    "learners": [{"type": "q_learning", "config": {"rollout_steps": 8}}],
    "gamma": 0.9,
    "seeds": 2,
    "steps": 64,
    "evaluation": {"every": 64, "episodes": 2},
    "checkpoint": {"every": 64},
}


def study(**changes: Any) -> StudySpec:
    return parse_study({**STUDY, **changes})


def finish(spec: StudySpec, out: Path) -> StudyFolder:
    folder = StudyFolder(spec, out)
    folder.prepare()
    for config, run in folder.runs:
        training = Training(config, run)
        assert training.run(stop=False)
        training.close()
        run.set_status("completed")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> StudyFolder:
    return finish(study(), tmp_path_factory.mktemp("certified"))


def document(config: RunConfig) -> dict[str, Any] | None:
    world = World.probe(config)
    spaces = world.observation_space, world.action_space
    return certificate_of(world, make_shaper(config.shaping, *spaces, device="cpu", seed=0))


def cell(spec: StudySpec, shaping: str) -> RunConfig:
    return next(config for config in runs_of(spec) if config.shaping.name == shaping)


def test_a_run_keeps_the_certificate_that_certify_gives(finished: StudyFolder) -> None:
    by_name = {config.shaping.name: run.path / "certificate.json" for config, run in finished.runs}
    found = json.loads(by_name["away"].read_text("utf-8"))
    wanted = certify("potentia/Chain-v0", Scale(Progress("distance"), 5.0), gamma=0.9, length=6)
    # Who is paid for going away from the goal loses all there is: 0.9^3, as the goal is the fourth step.
    assert (found["optimum_preserved"], found["num_changed"]) == (False, 3)
    assert found["worst_regret"] == pytest.approx(0.9**3)
    assert [found[name] for name in ("world_digest", "shaper_digest")] == [wanted.world_digest, wanted.shaper_digest]
    assert json.loads(by_name["potential"].read_text("utf-8"))["optimum_preserved"] is True
    assert not by_name["none"].exists()
    assert "whole episodes" in json.loads(by_name["spread"].read_text("utf-8"))["reason"]


def test_results_have_a_row_for_each_certificate(finished: StudyFolder) -> None:
    table = load(finished.path).certificates
    assert table.rows == 6
    kept = dict(zip(table["shaping"], table["optimum_preserved"], strict=True))
    assert kept == {"potential": True, "away": False, "spread": None}
    assert np.isnan(table["worst_regret"][table["shaping"] == "spread"].astype(float)).all()


def test_the_report_shows_certificates_beside_the_curves(finished: StudyFolder, tmp_path: Path) -> None:
    page = write_report(finished.path, tmp_path)
    rows = json.loads((tmp_path / "results.json").read_text("utf-8"))["certificates"]
    assert [(row["method"], row["certified"], row["preserved"]) for row in rows] == [
        ("potential", 2, 2),
        ("away", 2, 0),
        ("spread", 0, 0),
    ]
    assert rows[1]["worst_regret"] == pytest.approx(rows[1]["optimal_value"])
    for text in (page.read_text("utf-8"), (tmp_path / "report.md").read_text("utf-8")):
        assert "in 2 of 2 runs" in text
        assert "in 0 of 2 runs" in text
        assert text.count("Not certified: ") == 1
        assert "\n\n\n\n" not in text
    with (tmp_path / "certificates.csv").open(encoding="utf-8") as file:
        assert [row["optimum_preserved"] for row in csv.DictReader(file)] == ["True"] * 2 + ["False"] * 2 + [""] * 2
    assert page.read_bytes() == write_report(finished.path, tmp_path / "again").read_bytes()


def test_worlds_that_must_be_walked_are_certified_where_the_study_says_so(tmp_path: Path) -> None:
    shapings = [{"name": "bonus", "shapers": [{"type": "Progress", "potential": "potential"}]}]
    learners = [{"type": "random", "config": {"rollout_steps": 8}}]
    common = {"environments": [{"id": "potentia/Empty-5x5-v0", "num_envs": 2}], "shapings": shapings}
    spec = study(name="walked", learners=learners, report={"baseline": "bonus"}, certify=True, **common)
    folder = finish(spec, tmp_path)
    analysis = analyse(load_study(folder.path))
    assert certificate_notes(analysis.certificates)[0] == "One map is covered, that of seed 0, 1."
    unasked = study(learners=learners, report={"baseline": "bonus"}, **common)
    assert document(cell(unasked, "bonus")) is None
    # What is told of a run is no part of its identity: nothing need run again.
    assert [config.run_id for config in runs_of(unasked)] == [config.run_id for config in runs_of(spec)]


def test_tables_of_gymnasium_are_certified_too() -> None:
    potential = [float(place) for place in range(16)]
    shapings = [{"name": "ahead", "shapers": [{"type": "PotentialShaping", "potential": potential}]}]
    spec = study(environments=[FROZEN], shapings=shapings, report={"baseline": "ahead"})
    found = document(cell(spec, "ahead"))
    assert found is not None
    assert found["optimum_preserved"] is True
    limited = study(environments=[{**FROZEN, "max_episode_steps": 9}], shapings=shapings, report={"baseline": "ahead"})
    assert "limit of 9 steps" in (document(cell(limited, "ahead")) or {})["not_covered"][0]
    assert document(cell(spec.model_copy(update={"certify": False}), "ahead")) is None


@pytest.mark.parametrize(
    ("changes", "shaping", "reason"),
    [
        ({"gamma": 1.0}, "potential", "gamma must be below 1"),
        ({"environments": [{"id": "CartPole-v1"}], "certify": True}, "away", "wanted a world that can be enumerated"),
        ({"environments": [{"id": "FrozenLake-v1"}]}, "potential", "reads ['potential'] of info"),
    ],
)
def test_what_cannot_be_certified_says_why_and_harms_no_run(changes: Any, shaping: str, reason: str) -> None:
    found = document(cell(study(**changes), shaping))
    assert found is not None
    assert list(found) == ["reason"]
    assert reason in found["reason"]


def test_a_world_with_a_wrapper_is_not_the_one_that_would_be_enumerated(monkeypatch: pytest.MonkeyPatch) -> None:
    made = gym.make
    monkeypatch.setattr(gym, "make", lambda *args, **kwargs: gym.wrappers.TransformReward(made(*args, **kwargs), abs))
    found = document(cell(study(), "potential"))
    assert found == {"reason": "the world has the wrapper TransformReward, which an enumeration would leave out"}


def test_a_run_of_an_earlier_form_and_one_without_certificates_read_as_they_did(tmp_path: Path) -> None:
    config = runs_of(study())[0]
    document = config.document
    del document["certify"]
    assert RunConfig.parse(document) == replace(config, certify=None)
    analysis = analyse(load_study(write_study(tmp_path, seeds=2)))
    assert analysis.certificates == []
    assert "`certify` | true or false" in reference()
    page = write_report(tmp_path / "synthetic")
    assert "ertificate" not in page.read_text("utf-8") + page.with_name("results.json").read_text("utf-8")
    assert not page.with_name("certificates.csv").exists()
