"""Runs as they are lived: processes that finish, fail, hang, are killed or interrupted; and go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from potentia.study.documents import SpecError, read_yaml
from potentia.study.executor import Executor, Job
from potentia.study.folder import RunFolder, write_json
from potentia.study.plan import check_study, runs_of
from potentia.study.results import load_study as load_results
from potentia.study.runner import Shard, StudyFolder, run_study
from potentia.study.spec import parse_study
from tests.study.running import STUDY, listen, metrics, study, wait_for


def test_a_study_runs_once_and_its_runs_are_paired(tmp_path: Path) -> None:
    folder, _ = run_study(study(), "tiny", tmp_path, jobs=2)
    assert folder.states() == {"completed": 2}
    (none, first), (count, second) = folder.runs
    assert [none.shaping.name, count.shaping.name] == ["none", "count"]
    results = [json.loads((run.path / "result.json").read_text("utf-8")) for run in (first, second)]
    # Rollouts of 8 steps x 2 worlds: evaluations at 0, at the first rollout's end past 48, 96 and 144, and at the end.
    assert [line["step"] for line in results[0]["evals"]] == [0, 48, 96, 144, 160]
    # Paired seeds: before learning, both shapings played the very same episodes.
    before = [next(line for line in metrics(run) if line["kind"] == "eval") for run in (first, second)]
    assert before[0] == before[1]
    train = [line for line in metrics(second) if line["kind"] == "train"]
    assert set(train[0]["terms"]) == {"env", "Count"}
    assert train[0]["shares"]["Count"] > 0.9
    # Everything is completed: the same command starts no process.
    stamp = (first.path / "status.json").stat().st_mtime_ns
    _, executor = run_study(study(), "tiny", tmp_path, jobs=2)
    assert executor.todo == []
    assert (first.path / "status.json").stat().st_mtime_ns == stamp


def test_a_run_killed_in_the_middle_goes_on_to_the_same_end(tmp_path: Path) -> None:
    # Longer, so that there is time to kill it; each checkpoint interval is 64 of 6400 steps.
    longer = study(steps=6400, shapings=STUDY["shapings"][1:], evaluation={"every": 640, "episodes": 4})
    whole, _ = run_study(longer, "tiny", tmp_path / "whole")
    broken = StudyFolder(longer, tmp_path / "broken")
    broken.prepare()
    (_, run), (_, reference) = broken.runs[0], whole.runs[0]
    process = subprocess.Popen([sys.executable, "-m", "potentia.study.worker", str(run.path)])
    wait_for(lambda: run.status().get("steps", 0) > 640)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads((run.path / "status.json").read_text("utf-8"))["state"] == "running"  # it had no time to speak
    assert run.status()["state"] == "interrupted"  # yet nobody holds its lock
    done = max(line["step"] for line in metrics(run))
    assert 640 < done < 6400
    again, _ = run_study(longer, "tiny", tmp_path / "broken")
    assert again.states() == {"completed": 1}
    assert run.status()["attempt"] == 2
    assert metrics(run) == metrics(reference)
    ends = [json.loads((folder.path / "result.json").read_text("utf-8")) for folder in (run, reference)]
    assert ends[0]["evals"] == ends[1]["evals"]


def test_control_c_stops_all_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(json.dumps({**STUDY, "name": "long", "steps": 10_000_000}), "utf-8")
    command = [sys.executable, "-m", "potentia.cli", "study", "run", str(path), "--out", str(tmp_path), "--jobs", "2"]
    listen()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    folder = StudyFolder(parse_study({**STUDY, "name": "long", "steps": 10_000_000}), tmp_path)
    wait_for(lambda: all(run.status().get("steps", 0) > 64 for _, run in folder.runs))
    workers = [run.status()["pid"] for _, run in folder.runs]
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"potentia study run {path} --out {tmp_path}" in told
    assert folder.states() == {"interrupted": 2}
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert all(run.checkpoint.exists() for _, run in folder.runs)


def test_a_run_that_fails_is_told_apart_and_the_others_go_on(tmp_path: Path) -> None:
    # A potential table of two states for a world of six: an IndexError in its run, nothing that could be seen before.
    bad = {"name": "bad", "shapers": [{"type": "PotentialShaping", "potential": [0.0, 1.0]}]}
    folder, _ = run_study(study(shapings=[{"name": "none"}, bad]), "tiny", tmp_path, jobs=2)
    (_, good), (_, failed) = folder.runs
    assert good.status()["state"] == "completed"
    assert failed.status()["state"] == "failed"
    assert failed.status()["error"].startswith("IndexError")
    assert "Traceback" in failed.log.read_text("utf-8")
    assert not (failed.path / "result.json").exists()


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    folder, _ = run_study(study(steps=10_000_000, shapings=[{"name": "none"}]), "tiny", tmp_path, timeout=6.0)
    status = folder.runs[0][1].status()
    assert status["state"] == "timeout"
    assert "6 s" in status["error"]
    assert "Traceback" not in folder.runs[0][1].log.read_text("utf-8")  # it was asked, and stopped by itself


def test_two_processes_never_work_on_one_run(tmp_path: Path) -> None:
    folder = StudyFolder(study(), tmp_path)
    folder.prepare()
    run = folder.runs[0][1]
    with run.lock() as mine, RunFolder(run.path).lock() as theirs:
        assert mine
        assert not theirs
    with run.lock() as free:
        assert free


def test_shards_are_disjoint_and_complete() -> None:
    ids = [config.run_id for config in runs_of(study(seeds=20))]
    assert len(set(ids)) == 40
    parts = [[run for run in ids if Shard(k, 3).holds(run)] for k in (1, 2, 3)]
    assert sorted(run for part in parts for run in part) == sorted(ids)
    assert min(map(len, parts)) > 5
    for wrong in ("0/3", "4/3", "2", "a/b"):
        with pytest.raises(ValueError, match="shard"):
            Shard.parse(wrong)


def test_the_identity_of_a_run_is_what_decides_its_result() -> None:
    ids = {config.run_id for config in runs_of(study())}
    assert ids == {config.run_id for config in runs_of(study(name="renamed"))}
    for change in ({"steps": 320}, {"gamma": 0.9}, {"seeds": [7]}, {"checkpoint": {"every": 32}}):
        assert ids.isdisjoint(config.run_id for config in runs_of(study(**change)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"environments": [{"id": "potentia/Chian-v0"}]}, r"environments\[0\]\.id: .*did you mean 'potentia/Chain-v0'"),
        ({"shapings": [{"name": "a", "shapers": [{"type": "RDN"}]}]}, r"shapings\[0\]\.shapers\[0\]\.type: .*'RND'"),
        (
            {"shapings": [{"name": "a", "shapers": [{"type": "Count", "wieght": 1}]}]},
            r"shapings\[0\]\.shapers\[0\]\.wieght: unknown argument 'wieght'; did you mean 'weight'",
        ),
        ({"shapings": [{"name": "a", "shapers": [{"type": "PotentialShaping"}]}]}, r"potential: .* requires"),
        ({"learners": [{"type": "pqo"}]}, r"learners\[0\]\.type: unknown learner 'pqo'; did you mean 'ppo'"),
        ({"learners": [{"type": "ppo", "config": {"gamma": 0.9}}]}, r"learners\[0\]\.config\.gamma: unknown setting"),
        (
            {"shapings": [{"name": "a", "shapers": [{"type": "Count", "weight": {"type": "linaer"}}]}]},
            r"weight\.type: unknown function or schedule 'linaer'; did you mean 'linear'",
        ),
        (
            {"shapings": [{"name": "a", "shapers": [{"type": "Count", "weight": {"type": "linear", "begin": 1}}]}]},
            r"weight\.begin: unknown argument 'begin'",
        ),
        (
            {"shapings": [{"name": "a", "shapers": [{"type": "Count", "weight": {"type": "linear", "start": 1}}]}]},
            r"weight\.end: linear requires this argument\n.*weight\.steps: linear requires this argument",
        ),
    ],
)
def test_a_wrong_study_is_refused_before_anything_runs(change: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        check_study(study(**change), "file.yaml")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(SpecError, match=r"can't be written.*--out"):
        run_study(study(), "tiny", tmp_path)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_json(tmp_path / "status.json", {"state": "running"})

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*free some space"):
        write_json(tmp_path / "status.json", {"state": "completed"})
    assert json.loads((tmp_path / "status.json").read_text("utf-8")) == {"state": "running"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["status.json"]


def test_a_killed_worker_is_named_by_its_signal(tmp_path: Path) -> None:
    folder = StudyFolder(study(steps=10_000_000, shapings=[{"name": "none"}]), tmp_path)
    folder.prepare()
    config, run = folder.runs[0]
    killed: list[int] = []

    def kill() -> None:
        if not killed and run.status().get("steps", 0) > 0:
            killed.append(run.status()["pid"])
            os.kill(killed[0], signal.SIGKILL)

    Executor([Job(config, run)], 1, on_change=kill).run()
    assert run.status()["state"] == "failed"
    assert "SIGKILL" in run.status()["error"]
    assert "memory" in run.status()["error"]


def test_a_second_control_c_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    folder = StudyFolder(study(shapings=[{"name": "none"}]), tmp_path)
    folder.prepare()
    config, run = folder.runs[0]
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **kwargs: popen([sys.executable, "-c", deaf], **kwargs))
    asked: list[float] = []
    presser: list[subprocess.Popen[bytes]] = []

    def press() -> None:
        if run.log.read_text("utf-8") and not asked:
            asked.append(time.monotonic())
            # The second one comes while the first is waiting for the run.
            code = f"import os, signal, time; time.sleep(1); os.kill({os.getpid()}, signal.SIGINT)"
            presser.append(popen([sys.executable, "-c", code]))
            raise KeyboardInterrupt

    executor = Executor([Job(config, run)], 1, on_change=press)
    listen()
    executor.run()
    assert presser[0].wait() == 0
    assert executor.interrupted
    assert time.monotonic() - asked[0] < 10
    assert run.status()["state"] == "interrupted"


def test_a_status_that_cannot_be_written_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(study(), tmp_path)
    folder.prepare()
    (first, full), (second, fine) = folder.runs
    write = RunFolder.set_status

    def set_status(self: RunFolder, state: str, **changes: Any) -> None:
        if self is full:
            raise OSError(28, "No space left on device", str(self.path))
        write(self, state, **changes)

    monkeypatch.setattr(RunFolder, "set_status", set_status)
    executor = Executor([Job(first, full), Job(second, fine)], 1)
    executor.run()
    assert fine.status()["state"] == "completed"
    assert len(executor.problems) == 1
    assert "No space left" in executor.problems[0]


def test_thresholds_and_anchors_can_change_without_running_again(tmp_path: Path) -> None:
    first, _ = run_study(study(), "tiny", tmp_path, jobs=2)
    read = {"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 6}, "threshold": 0.25}
    read["anchors"] = {"optimal": 2.0}
    again, executor = run_study(study(environments=[read]), "tiny", tmp_path)
    assert executor.todo == []
    assert again.runs[0][1].config()["environment"]["threshold"] == 0.25
    loaded = load_results(first.path)
    assert [run.anchors[1] for run in loaded.runs] == [2.0, 2.0]


def test_runs_of_an_earlier_form_of_the_study_are_not_a_part_of_it(tmp_path: Path) -> None:
    none = [{"name": "none"}]
    run_study(study(shapings=none), "tiny", tmp_path)
    folder, _ = run_study(study(shapings=none, steps=320), "tiny", tmp_path)
    assert len(list((folder.path / "runs").iterdir())) == 2
    assert [run.planned_steps for run in load_results(folder.path).runs] == [320]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"environments": [{"id": "potentia/Chain-v0", "kwargs": {"lenght": 6}}]},
            r"environments\[0\]\.kwargs \(potentia/Chain-v0\): can't be made with {.*}: .*lenght",
        ),
        (
            {"shapings": [{"name": "a", "shapers": [{"type": "Count", "key": "nowhere"}]}]},
            r"shapings\[0\]\.shapers\[0\] \(potentia/Chain-v0, shaping a\): it reads 'nowhere', .* has .*state_hash",
        ),
        (
            {"environments": [{"id": "CartPole-v1"}]},
            r"learners\[0\] \(CartPole-v1, learner q_learning\): can't be made with .*: QLearning needs Discrete",
        ),
    ],
)
def test_what_does_not_fit_together_is_told_before_anything_runs(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(SpecError, match=told):
        run_study(study(**{"shapings": [{"name": "none"}], **change}), "file.yaml", tmp_path)


def test_a_study_file_may_share_settings_by_yaml_merge_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"
    assert read_yaml(text, "file.yaml")["b"] == {"x": 1, "y": 3}
    with pytest.raises(SpecError, match="the key 'y' is written twice"):
        read_yaml("b: {y: 3, y: 4}", "file.yaml")


@pytest.mark.parametrize(
    ("identifier", "form"),
    [
        ("potentia/Chain-v0", "TabularVectorEnv"),
        ("potentia/DoorKey-5x5-v0", "GridVectorEnv"),
        ("CartPole-v1", "SyncVectorEnv"),
    ],
)
def test_a_world_is_stepped_by_its_own_vector_form_if_that_takes_what_a_study_gives(identifier: str, form: str) -> None:
    from potentia.study.spec import EnvironmentSpec
    from potentia.study.world import World

    envs = World._make(EnvironmentSpec(id=identifier, max_episode_steps=9), {}, 2)
    assert type(envs.unwrapped).__name__ == form
    envs.close()
