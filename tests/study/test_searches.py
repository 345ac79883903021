"""Searches for policies as learners of a study: the same whatever stops them, measured, and told in the report."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.study import load
from potentia.study.archive import MOST, ArchiveMap
from potentia.study.documents import SpecError
from potentia.study.learners import LEARNERS, rollout_steps
from potentia.study.report import write_report
from potentia.study.report.maps import best_by_cell
from potentia.study.results import load_study
from potentia.study.results.searches import read_search
from potentia.study.runner import StudyFolder, run_study
from potentia.study.spec import StudySpec, parse_study
from potentia.study.training import Training
from tests.study.running import listen, metrics, study, wait_for
from tests.study.searching import BOUNDS  # it registers the world, too

STUDY: dict[str, Any] = {
    "name": "searches",
    "imports": ["tests.study.searching"],
    "environments": [{"id": "tests/Throws-v0", "num_envs": 10}],
    "shapings": [{"name": "none"}],
    "learners": [{"type": "Wanders"}, {"type": "Wanders", "name": "wide", "config": {"sigma": 1.0}}],
    "gamma": 1.0,
    "seeds": 2,
    "steps": 200,
    "evaluation": {"every": 100, "episodes": 2},
    "checkpoint": {"every": 50},
}


@pytest.fixture(autouse=True)
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy search is offered by another package, also to the processes of runs."""
    package = tmp_path / "packages" / "toys-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n", "utf-8")
    points = f"[{LEARNERS.group}]\nWanders = tests.study.searching:Wanders\n"
    (package / "entry_points.txt").write_text(points, "utf-8")
    root = Path(__file__).parents[2]
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(package.parent), str(root), os.environ.get("PYTHONPATH", "")])
    )
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.delitem(vars(LEARNERS), "_offered", raising=False)


def searches(**changes: Any) -> StudySpec:
    return parse_study({**STUDY, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes the study once, where the toy search is offered."""
    made: list[StudyFolder] = []

    def get() -> StudyFolder:
        if not made:
            made.append(run_study(searches(), "searches", tmp_path_factory.mktemp("finished"), jobs=2)[0])
        return made[0]

    return get


def digest(folder: Path) -> dict[str, Any]:
    """What a run has come to, without what depends on the clock."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    del result["wall_seconds"]
    return {"result": result, "archive": hashlib.sha256((folder / "archive.npz").read_bytes()).hexdigest()}


def test_a_search_learns_from_each_evaluation_and_its_archive_is_kept(finished: Any) -> None:
    folder = finished()
    assert folder.states() == {"completed": 4}
    config, run = folder.runs[0]
    assert rollout_steps(config.learner, {}) == 1
    assert rollout_steps(config.learner, {"rollout_steps": 3}) == 3
    train = [line for line in metrics(run) if line["kind"] == "train"]
    assert [line["step"] for line in train] == list(range(10, 210, 10))  # ten policies at a time
    assert [line["learner"]["evaluations"] for line in train] == list(range(10, 210, 10))
    # The last checkpoint is the archive's: the first policy and 200 more.
    archive = ArchiveMap.load(run.path)
    assert archive is not None
    assert archive.descriptor.shape == (201, 2)
    assert archive.size == 201
    assert archive.bounds is not None
    assert archive.bounds.tolist() == [list(pair) for pair in BOUNDS]
    assert archive.returns.max() == pytest.approx(train[-1]["learner"]["best_return"])


def test_results_of_searches_are_tables(finished: Any) -> None:
    results = load(finished().path)
    assert results.searches.rows == 4
    assert results.searches["evaluations"].tolist() == [200.0] * 4
    assert set(results.searches["areas"].tolist()) <= {0, 1}
    assert results.areas["area"].tolist() == [0] * results.areas.rows
    run = results.study.runs[0]
    assert run.search is not None
    assert run.search.coverage.size == 20
    assert (np.diff(run.search.coverage) >= 0).all()
    assert run.archive is not None
    # The toy keeps all that it evaluated, behind its first policy.
    cells = np.unique(((run.archive.descriptor[1:] + 1) * 25).astype(int), axis=0)
    assert run.search.last("coverage") == pytest.approx(len(cells) / 2500)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_search_stopped_in_a_generation_goes_on_to_the_same_bytes(tmp_path: Path, stop: int) -> None:
    """The process ends between two checkpoints, each of 50 of 3,000 evaluations."""
    changes = {"steps": 3_000, "learners": STUDY["learners"][:1], "seeds": 1}
    longer = searches(**changes, evaluation={"every": 1_000, "episodes": 2})
    path = tmp_path / "searches.yaml"
    path.write_text(json.dumps({**STUDY, **changes, "evaluation": {"every": 1_000, "episodes": 2}}), "utf-8")
    whole, _ = run_study(longer, "searches", tmp_path / "whole")
    broken = StudyFolder(longer, tmp_path / "broken")
    (_, run), (_, reference) = broken.runs[0], whole.runs[0]
    listen()
    command = [sys.executable, "-m", "potentia.cli", "study", "run", str(path), "--out", str(tmp_path / "broken")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: run.status().get("steps", 0) > 500)
    if stop == signal.SIGKILL:
        os.kill(run.status()["pid"], stop)
    else:
        process.send_signal(stop)
    process.wait(timeout=60)
    done = run.status()["steps"]
    assert done < 3_000
    assert not (run.path / "result.json").exists()
    again, _ = run_study(longer, "searches", tmp_path / "broken")
    assert again.states() == {"completed": 1}
    assert run.status()["attempt"] == 2
    assert metrics(run) == metrics(reference)
    assert digest(run.path) == digest(reference.path)


class StopsAfter:
    """True from the n-th question on."""

    def __init__(self, n: int) -> None:
        self.left = n

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("learner", ["random_search", "novelty_search", "serene"])
def test_a_search_stopped_anywhere_ends_in_the_same_archive(tmp_path: Path, learner: str) -> None:
    """Batches of 30 in generations of 100: each stop is within a generation, and most are between checkpoints."""
    config = {"population": 50, "bounds": [list(pair) for pair in BOUNDS]}
    spec = searches(
        environments=[{"id": "tests/Throws-v0", "num_envs": 30}], learners=[{"type": learner, "config": config}],
        seeds=1, steps=3_000, evaluation={"every": 1_000, "episodes": 1, "greedy": True}, checkpoint={"every": 300},
    )  # fmt: skip
    ends = []
    for name, stops in (("whole", []), ("broken", [7, 12, 1, 33])):
        folder = StudyFolder(spec, tmp_path / name)
        folder.prepare()
        cell, run = folder.runs[0]
        for stop in [*map(StopsAfter, stops), False]:
            training = Training(cell, run)
            assert training.run(stop) == (stop is False)
            training.close()
        ends.append((metrics(run), digest(run.path)))
    assert ends[0] == ends[1]
    assert ends[0][1]["result"]["steps"] >= 3_000


def test_a_world_without_what_a_search_learns_from_is_refused_before_it_runs(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"learners\[0\] \(Pendulum.*learns from 'area', 'descriptor' of info"):
        run_study(searches(environments=[{"id": "Pendulum-v1"}]), "searches", tmp_path)


def test_the_report_tells_what_searches_have_found(finished: Any, tmp_path: Path) -> None:
    page = write_report(finished().path, tmp_path / "report")
    text = page.read_text("utf-8")
    document = json.loads(page.with_name("results.json").read_text("utf-8"))
    rows = {row["method"]: row for row in document["searches"]}
    assert list(rows) == ["none · Wanders", "none · wide"]
    studied = load_study(finished().path)
    own = [run.search.last("coverage") for run in studied.runs if run.learner == "wide" and run.search]
    assert rows["none · wide"]["coverage"]["estimate"] == pytest.approx(sum(own) / 2)
    assert f"{sum(own) / 2:.3f}" in text
    assert "Reward areas" in text
    assert [area["area"] for area in document["areas"]] == [0, 0]
    assert {curve["quantity"] for curve in document["curves"]} >= {"coverage"}
    assert text.count("The archive of seed 0") == 2
    markdown = page.with_suffix(".md").read_text("utf-8")
    assert "## Quality-diversity" in markdown
    for name, count in (("searches.csv", 4), ("areas.csv", len(load(finished().path).areas["area"]))):
        found = list(csv.DictReader(io.StringIO(page.with_name(name).read_text("utf-8"))))
        assert len(found) == count
    assert page.read_bytes() == write_report(finished().path, tmp_path / "again").read_bytes()


def test_a_report_without_searches_says_nothing_of_them(tmp_path: Path) -> None:
    folder, _ = run_study(study(), "tiny", tmp_path, jobs=2)
    page = write_report(folder.path)
    for path in (page, page.with_suffix(".md"), page.with_name("results.json")):
        assert "uality-diversity" not in path.read_text("utf-8")
        assert '"searches"' not in path.read_text("utf-8")
    assert not page.with_name("searches.csv").exists()
    assert not list(folder.path.glob("runs/*/archive.npz"))


def test_measures_are_read_from_any_log() -> None:
    """What is missing is NaN, an area that is only below another was not reached."""
    lines = [
        {"learner": {"evaluations": 5, "coverage": 0.1, "best_return": 0.0}},
        {"learner": {"loss": 1.0}},
        {"learner": {"evaluations": 9, "coverage": 0.2, "area_1/best": 0.7, "area_1/count": 3, "area_0/best": 0.0,
                     "area_0/count": 0}},
    ]  # fmt: skip
    search = read_search(lines)
    assert search is not None
    assert search.evaluations.tolist() == [5, 9]
    assert (search.last("coverage"), search.last("best_return")) == (0.2, 0.0)
    assert np.isnan(search.last("uniformity"))
    assert [(area.number, area.reached, area.best) for area in search.areas] == [(0, False, 0.0), (1, True, 0.7)]
    assert read_search([{"learner": {"loss": 1.0}}, {}]) is None


def test_maps_are_thinned_out_and_damage_is_no_map(tmp_path: Path) -> None:
    many = ArchiveMap.of({"descriptor": np.arange(20_000.0).reshape(-1, 2), "return": np.arange(10_000.0)})
    many.save(tmp_path)
    read = ArchiveMap.load(tmp_path)
    assert read is not None
    assert (len(read.returns), read.size, read.bounds) == (MOST, 10_000, None)
    assert (read.returns[0], read.returns[-1]) == (0, 9_999)
    assert (tmp_path / "archive.npz").stat().st_size < 60_000
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["archive.npz"]
    (tmp_path / "archive.npz").write_bytes((tmp_path / "archive.npz").read_bytes()[:100])
    assert ArchiveMap.load(tmp_path) is None
    with pytest.raises(ValueError, match=r"descriptor \(n, d\).*returns \(2,\)"):
        ArchiveMap.of({"descriptor": np.zeros((3, 2)), "return": np.zeros(2)})


def test_a_cell_of_a_map_is_as_good_as_its_best() -> None:
    """Two in the lowest left cell, one outside to the right, in a space from -1 to 1."""
    points = np.array([[-1.0, -1.0], [-0.97, -0.99], [7.0, 0.0]])
    grid = best_by_cell(ArchiveMap(points, np.array([1.0, 2.0, -3.0])), np.array([[-1.0, 1.0], [-1.0, 1.0]]))
    assert {(int(row), int(column)): grid[row, column] for row, column in np.argwhere(np.isfinite(grid))} == {
        (0, 0): 2.0,
        (25, 49): -3.0,
    }
    line = best_by_cell(ArchiveMap(points[:, :1], np.ones(3)), np.array([[-1.0, 1.0], [0.0, 1.0]]))
    assert np.argwhere(np.isfinite(line)).tolist() == [[25, 0], [25, 49]]
