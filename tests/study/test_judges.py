"""What a study says of its judges: what they cost, and how good they were."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

import potentia.study
from potentia.study.report import analyse, write_report
from potentia.study.results import load_study
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study
from potentia.study.training import Training
from tests.study.synthetic import CURVES, ENVIRONMENTS, write_study

COUNTS = ("answered", "calls", "tokens_in", "tokens_out", "dollars", "cached", "invalid")


def log(run: Path, *lines: dict[str, float]) -> None:
    """Gives the first lines of a run's training log these metrics of shapers."""
    path, todo = run / "metrics.jsonl", list(lines)
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in found:
        if line["kind"] == "train":
            line["shaper"] = {"Count/states": 7.0} | (todo.pop(0) if todo else {})
    path.write_text("".join(json.dumps(line) + "\n" for line in found), encoding="utf-8")


def metrics(*counts: float, prefix: str = "CALM/", **quality: float) -> dict[str, float]:
    named = dict(zip(COUNTS, counts, strict=True)) | quality
    return {f"{prefix}{name}": value for name, value in named.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    states = {(ENVIRONMENTS[0], "count", 1): ("failed", "the server is gone")}
    folder = write_study(
        tmp_path_factory.mktemp("judged"), environments=ENVIRONMENTS[:1],
        shapings={name: CURVES[name] for name in ("none", "count")}, seeds=2, states=states,
    )  # fmt: skip
    first, second = (run.folder for run in load_study(folder).select("DeepSea", "count", "ppo"))
    log(
        first,
        metrics(10, 6, 60, 12, 0.5, 4, 1, truths=10, f1=0.2, accuracy=0.3, calibration=0.4)
        | metrics(2, 2, 20, 4, 0.25, 0, 0, prefix="CALM/ideas_"),
        metrics(8, 2, 20, 4, 0.25, 6, 0, truths=30, f1=0.5, accuracy=0.9, calibration=0.1),
        metrics(0, 0, 0, 0, 0.0, 0, 0, truths=30, f1=0.5, accuracy=0.9, calibration=0.1),
    )
    log(second, metrics(20, 20, 0, 0, 0.0, 0, 9, truths=10, accuracy=0.5, calibration=0.3))
    return folder


def test_counts_are_sums_and_qualities_are_the_last(folder: Path) -> None:
    judges = potentia.study.load(folder).judges
    assert judges["shaper"].tolist() == ["CALM", "CALM"]  # Count asks nobody
    assert judges["seed"].tolist() == [0, 1]
    # 10 + 2 + 8 answers, of which 4 + 6 were looked up and 1 was not valid.
    assert {name: judges[name][0] for name in list(judges)[6:]} == {
        "shaper": "CALM", "questions": 20.0, "calls": 10.0, "tokens_in": 100.0, "tokens_out": 20.0, "dollars": 1.0,
        "cached_share": 0.5, "invalid_share": 0.05, "f1": 0.5, "accuracy": 0.9, "calibration": 0.1,
    }  # fmt: skip
    assert str(judges["f1"][1]) == "nan"  # nothing to decide


def test_a_cell_is_a_mean_of_its_runs_by_their_truths(folder: Path) -> None:
    (row,) = analyse(load_study(folder)).judges
    assert (row.environment, row.method.label, row.shaper, row.runs) == ("DeepSea", "count", "CALM", 2)
    assert (row.questions, row.calls, row.tokens_in, row.tokens_out, row.dollars) == (20.0, 15.0, 50.0, 10.0, 0.5)
    assert (row.cached_share, row.invalid_share) == (0.25, 0.25)  # 10 and 10 of 40
    assert row.f1 == 0.5
    assert row.accuracy == pytest.approx(0.8)  # (30 * 0.9 + 10 * 0.5) / 40
    assert row.calibration == pytest.approx(0.15)  # (30 * 0.1 + 10 * 0.3) / 40


def test_the_report_has_a_table_of_judges(folder: Path, tmp_path: Path) -> None:
    page = write_report(folder, tmp_path)
    text = page.read_text("utf-8")
    assert '<h2 id="judges">Judges</h2>' in text
    assert "<b>Table 10.</b> Share of trials" in text
    wanted = "| DeepSea | count | CALM | 2 | 20 | 15 | 50 | 10 | 0.5000 | 25.0 % | 25.0 % | 0.500 | 0.800 | 0.150 |"
    assert wanted in page.with_suffix(".md").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(page.with_name("judges.csv").read_text("utf-8"))))
    assert [(row["seed"], row["questions"], row["f1"]) for row in rows] == [("0", "20.0", "0.5"), ("1", "20.0", "")]
    (row,) = json.loads(page.with_name("results.json").read_text("utf-8"))["judges"]
    assert (row["method"], row["calls"], row["dollars"]) == ("count", 15.0, 0.5)


def test_without_judges_there_is_no_such_table(tmp_path: Path) -> None:
    folder = write_study(tmp_path, environments=ENVIRONMENTS[:1], shapings={"none": CURVES["none"]}, seeds=2)
    page = write_report(folder)
    assert 'id="judges"' not in page.read_text("utf-8")
    assert "## Judges" not in page.with_suffix(".md").read_text("utf-8")
    assert not page.with_name("judges.csv").exists()
    assert potentia.study.load(folder).judges.rows == 0


RULES = {"type": "Rules"}
STUDY: dict[str, Any] = {
    "name": "judged",
    "environments": [{"id": "potentia/KeyRooms-v0", "num_envs": 2, "kwargs": {"size": 2}}],
    "shapings": [
        {
            "name": "judged",
            "shapers": [
                {
                    "type": "CALM", "use_action": False, "subgoals": ["picked up key", "passed door"],
                    "judge": RULES,
                },
                {"type": "JudgedPotential", "judge": {"type": "Mistaken", "judge": RULES, "share": 1.0}, "goal": "Go."},
                {"type": "Count"},
            ],
        }
    ],
    "seeds": 1, "gamma": 0.9, "steps": 512,
    "evaluation": {"every": 512, "episodes": 2}, "checkpoint": {"every": 256},
}  # fmt: skip


def test_a_run_says_what_its_judges_did(tmp_path: Path) -> None:
    study = StudyFolder(parse_study(STUDY), tmp_path)
    study.prepare()
    ((config, run),) = study.runs
    training = Training(config, run)
    assert training.run(stop=False)
    training.close()
    calm, potential = load_study(run.path.parent.parent).runs[0].judging
    assert (calm.shaper, potential.shaper) == ("CALM", "JudgedPotential")
    # Rules look nothing up: each update asks about each different step of its rollout, and each step has a truth.
    assert 0 < calm.questions == calm.calls < 512
    assert (calm.truths, calm.cached, calm.cached_share) == (512 * 2, 0.0, 0.0)
    assert (calm.invalid, calm.f1, calm.accuracy, calm.calibration) == (0.0, 1.0, 1.0, 0.0)
    # Progress is no decision, and 1 - progress is not what it is.
    assert str(potential.f1) == str(potential.accuracy) == "nan"
    assert potential.calibration > 0.1
    assert (potential.tokens_in, potential.dollars) == (0.0, 0.0)
