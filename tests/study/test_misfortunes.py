"""Worlds that hang, leave, end the process, talk without end or give NaN; starters killed; runs held by others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from potentia.study import folder as folders
from potentia.study.documents import SpecError
from potentia.study.executor import Executor, Job
from potentia.study.folder import RunFolder
from potentia.study.runner import StudyFolder, run_study
from tests.study.running import STUDY, study, wait_for

ODD = "tests.study.odd_worlds:Odd-v0"


def odd(does: str, **changes: Any) -> Any:
    world = {"id": ODD, "num_envs": 2, "kwargs": {"does": does}}
    return study(**{"environments": [world], "shapings": [{"name": "none"}], "steps": 320, **changes})


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("leave", r"something in the run ended the process: SystemExit\(0\)"),
        ("end", r"ended with exit status 0 before its result; see log.txt"),
        ("end_75", r"ended with exit status 75 before its result; see log.txt"),
    ],
)
def test_a_process_that_ends_before_its_result_has_failed(tmp_path: Path, does: str, reason: str) -> None:
    folder, executor = run_study(odd(does), "odd", tmp_path)
    assert folder.runs[0][1].status()["state"] == "failed"
    [(job, why)] = executor.unfinished()
    assert job.config.environment.id == ODD
    assert re.search(reason, why), why


def test_the_command_says_what_is_not_completed(tmp_path: Path) -> None:
    file = tmp_path / "odd study.yaml"
    document = {**STUDY, "name": "odd", "shapings": [{"name": "none"}], "steps": 320}
    document["environments"] = [{"id": ODD, "num_envs": 2, "kwargs": {"does": "end"}}]
    file.write_text(json.dumps(document), "utf-8")
    command = [sys.executable, "-m", "potentia", "study", "run", str(file), "--out", str(tmp_path / "a b")]
    # A terminal that has no "·" of ours.
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=ascii_only, timeout=120, check=False)
    assert done.returncode == 1, done.stderr
    assert "ended with exit status 0 before its result" in done.stderr
    assert f"potentia study run '{file}' --out '{tmp_path / 'a b'}'" in done.stderr  # can be pasted into a shell
    assert "UnicodeEncodeError" not in done.stderr


def test_a_run_held_by_another_process_is_left_to_it_and_told(tmp_path: Path) -> None:
    folder = StudyFolder(odd("nothing"), tmp_path)
    folder.prepare()
    config, run = folder.runs[0]
    with RunFolder(run.path).lock() as mine:
        assert mine
        run.set_status("running", steps=7)
        executor = Executor([Job(config, run)], 1)
        executor.run()
        assert json.loads((run.path / "status.json").read_text("utf-8"))["steps"] == 7  # not overwritten
        [(_, reason)] = executor.unfinished()
        assert "another process works on it" in reason
    executor = Executor([Job(config, run)], 1)
    executor.run()
    assert executor.unfinished() == []


def test_what_another_command_completed_meanwhile_is_not_done_again(tmp_path: Path) -> None:
    folder, first = run_study(odd("nothing"), "odd", tmp_path)
    config, run = folder.runs[0]
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.name != ".lock"}
    assert first.unfinished() == []
    executor = Executor([Job(config, run)], 1)  # planned before the other had completed it
    executor.run()
    assert executor.unfinished() == []
    assert {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.name != ".lock"} == before
    # Nor by a process that was started at the same moment and got the lock second.
    worker = subprocess.run([sys.executable, "-m", "potentia.study.worker", str(run.path)], timeout=60, check=False)
    assert worker.returncode == 0
    assert {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.name != ".lock"} == before


def test_standard_output_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LOG_LIMIT", 200_000)
    folder, _ = run_study(odd("talk", steps=480), "odd", tmp_path)
    run = folder.runs[0][1]
    assert run.status()["state"] == "completed"
    run.bound_log()
    text = run.log.read_text("utf-8")
    assert text.startswith("much to say")  # at the beginning is what was printed first
    assert "bytes left out" in text
    assert len(text) < 250_000


STARTER = """
import sys
from pathlib import Path
from potentia.study.documents import SpecError
from potentia.study.executor import Executor, Job
from potentia.study.runner import StudyFolder
from potentia.study.spec import load_study

folder = StudyFolder(load_study(sys.argv[1]), Path(sys.argv[2]))
folder.prepare()
executor = Executor([Job(*run) for run in folder.runs], 1, grace=float(sys.argv[3]))
executor.on_change = lambda: print(executor.running[0].process.pid, flush=True)
executor.run()
"""


def start(tmp_path: Path, does: str) -> tuple[subprocess.Popen[str], RunFolder, int]:
    """A process that has just started a run: its folder and the number of its process."""
    file = tmp_path / "odd.yaml"
    file.write_text(json.dumps(odd(does, steps=10**9).model_dump(mode="json")), "utf-8")
    command = [sys.executable, "-c", STARTER, str(file), str(tmp_path), "1.0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    return starter, StudyFolder(odd(does, steps=10**9), tmp_path).runs[0][1], pid


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0])
def test_a_run_ends_with_its_starter_whenever_that_is_killed(tmp_path: Path, seconds: float) -> None:
    starter, run, pid = start(tmp_path, "nothing")
    time.sleep(seconds)  # while it imports
    starter.kill()
    starter.wait()
    starter.stdout.close()
    wait_for(lambda: not alive(pid), 15.0)
    with run.lock() as free:
        assert free


def test_a_hung_world_ends_with_its_starter_after_its_grace(tmp_path: Path) -> None:
    starter, run, pid = start(tmp_path, "hang")
    wait_for(lambda: run.status().get("state") == "running")
    time.sleep(2.0)
    starter.kill()
    starter.wait()
    starter.stdout.close()
    begun = time.monotonic()
    wait_for(lambda: not alive(pid), 20.0)
    wait_for(lambda: not group_alive(pid), 5.0)  # nor is anything left that it had started
    assert time.monotonic() - begun > 0.5  # it was asked, and had its second
    with run.lock() as free:
        assert free


def test_a_hung_world_is_ended_when_its_time_is_over(tmp_path: Path) -> None:
    folder = StudyFolder(odd("hang"), tmp_path)
    folder.prepare()
    config, run = folder.runs[0]
    executor = Executor([Job(config, run)], 1, timeout=4.0, grace=1.0)
    executor.run()
    assert run.status()["state"] == "timeout"


def test_numbers_that_are_not_finite_are_no_result(tmp_path: Path) -> None:
    world = {"id": "tests.study.odd_worlds:OddNumbers-v0", "num_envs": 1}
    learner = {"type": "ppo", "config": {"rollout_steps": 8}}
    folder, executor = run_study(odd("", environments=[world], learners=[learner]), "odd", tmp_path)
    run = folder.runs[0][1]
    status = run.status()
    assert status["state"] == "failed"
    assert "observation" in status["error"]
    assert not (run.path / "result.json").exists()
    lines = (run.path / "metrics.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 8, 16]  # what it had is kept
    assert executor.unfinished() != []


def test_metrics_that_are_not_finite_are_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.append([{"kind": "eval", "step": 1, "return_mean": 0.5}])
    with pytest.raises(ValueError, match=r"returns\.1 is not finite at step 2 \(eval\)"):
        run.append([{"kind": "eval", "step": 2, "returns": [0.0, float("nan")]}])
    assert len((tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()) == 1


def test_a_refused_study_leaves_nothing_behind(tmp_path: Path) -> None:
    for change in ({"shapings": [{"name": "a", "shapers": [{"type": "RDN"}]}]}, {"learners": [{"type": "grid_ppo"}]}):
        with pytest.raises(SpecError):
            run_study(study(**change), "refused", tmp_path / "runs")
        assert not (tmp_path / "runs").exists()
