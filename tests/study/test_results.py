"""Run folders are read as they are: nothing that failed or is torn becomes a number."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from potentia.study.results import distinct_labels, load_study
from tests.study.synthetic import CURVES, ENVIRONMENTS, write_study


@pytest.fixture
def study(tmp_path):
    shapings = {name: CURVES[name] for name in ("count", "none")}
    states = {
        (ENVIRONMENTS[0], "count", 0): ("failed", "loss is NaN"),
        (ENVIRONMENTS[0], "count", 1): ("running", None),
        (ENVIRONMENTS[0], "none", 1): ("queued", None),
    }
    return write_study(tmp_path, environments=ENVIRONMENTS[:1], shapings=shapings, seeds=3, steps=2000, states=states)


def test_runs_are_read_with_their_axes_and_the_baseline_first(study):
    loaded = load_study(study)
    assert (loaded.name, loaded.environments, loaded.learners) == ("synthetic", ["DeepSea"], ["ppo"])
    assert loaded.shapings == ["none", "count"]
    assert [run.seed for run in loaded.select("DeepSea", "count", "ppo")] == [0, 1, 2]
    assert loaded.not_started == 0


def test_a_completed_run_has_its_numbers(study):
    run = load_study(study).select("DeepSea", "none", "ppo")[0]
    written = json.loads((run.folder / "result.json").read_text())
    assert run.final_return == written["final"]["return_mean"]
    assert run.anchors == (0.0, 0.99)
    np.testing.assert_array_equal(run.evaluations.steps, np.arange(0, 2001, 100))
    assert run.training.steps[0] == 100
    # 20 logged intervals of 1 + 1.2 + 0 + 0.6 seconds.
    assert sum(run.training.profile.values()) == pytest.approx(56)


@pytest.mark.parametrize(("shaping", "seed", "state"), [("count", 0, "failed"), ("none", 1, "queued")])
def test_an_unfinished_run_has_no_return(study, shaping, seed, state):
    run = load_study(study).select("DeepSea", shaping, "ppo")[seed]
    assert run.state == state
    assert math.isnan(run.final_return)
    assert math.isnan(run.final_success)
    assert not run.completed


def test_a_torn_last_line_is_dropped_and_the_rest_is_kept(study):
    run = load_study(study).select("DeepSea", "none", "ppo")[0]
    file = run.folder / "metrics.jsonl"
    file.write_text(file.read_text() + '{"kind": "eval", "step": 2100, "return_me')
    again = load_study(study).select("DeepSea", "none", "ppo")[0]
    np.testing.assert_array_equal(again.evaluations.returns, run.evaluations.returns)


def test_after_a_resume_the_later_line_of_a_step_counts(study):
    run = load_study(study).select("DeepSea", "none", "ppo")[0]
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "eval", "step": 100, "episodes": 1, "return_mean": 7.0}) + "\n")
    again = load_study(study).select("DeepSea", "none", "ppo")[0]
    assert again.evaluations.steps.size == run.evaluations.steps.size
    assert again.evaluations.returns[1] == 7.0


@pytest.mark.parametrize("content", ["", "[]", '{"final": {"return_mean": null}}', "{"])
def test_completed_without_a_readable_result_is_interrupted(study, content):
    run = load_study(study).select("DeepSea", "none", "ppo")[0]
    (run.folder / "result.json").write_text(content)
    again = load_study(study).select("DeepSea", "none", "ppo")[0]
    assert again.state == "interrupted"
    assert "result.json" in again.error


def test_cells_without_a_folder_are_counted(study):
    text = (study / "study.yaml").read_text().replace("seeds: 3", "seeds: 4")
    shapings = "shapings:\n- name: none\n- name: count\n"
    (study / "study.yaml").write_text(text.replace("shapings:\n  count: []\n  none: []\n", shapings))
    assert load_study(study).not_started == 2  # 1 world x 2 shapings x 1 learner x 4 seeds - 6 folders


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"study\.yaml"):
        load_study(tmp_path)


def test_labels_are_equal_exactly_for_equal_configurations():
    configs = [
        {"id": "potentia/DeepSea-v0", "kwargs": {"size": 8}},
        {"id": "potentia/DeepSea-v0", "kwargs": {"size": 12}},
        {"id": "potentia/DeepSea-v0", "kwargs": {"size": 8}},
        {"id": "CartPole-v1", "name": None},
        {"id": "CartPole-v1", "name": "pole"},
    ]
    labels = ["DeepSea (size=8)", "DeepSea (size=12)", "DeepSea (size=8)", "CartPole", "pole"]
    assert distinct_labels(configs, "id") == labels
