"""Relative paths of a study begin at its file, wherever it is run from and resumed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia import demonstrations
from potentia.agents.random_agent import RandomAgent
from potentia.collect import collect_episodes
from potentia.study.documents import SpecError
from potentia.study.folder import RunFolder
from potentia.study.plan import RunConfig, _with_contents, runs_of
from potentia.study.runner import StudyFolder, run_study
from potentia.study.spec import load_study
from potentia.study.trained import load_policy
from tests.study.running import STUDY, study

TABLE = {"type": "PotentialShaping", "potential": {"type": "file", "path": "tables/phi.npy"}}
WORLD = """
from pathlib import Path
import gymnasium as gym
import potentia

def from_file(map_file, render_mode=None):
    return gym.make("potentia/Chain-v0", length=int(Path(map_file).read_text()))

gym.register("PathsFromFile-v0", entry_point=from_file)
"""


def write(folder: Path, **changes: Any) -> Path:
    """A study file and its table, in a folder of their own."""
    (folder / "tables").mkdir(parents=True)
    np.save(folder / "tables" / "phi.npy", np.linspace(0.0, 1.0, 6))
    document = {**STUDY, "shapings": [{"name": "none"}, {"name": "table", "shapers": [TABLE]}], **changes}
    (folder / "study.yaml").write_text(json.dumps(document), "utf-8")
    return folder / "study.yaml"


def test_a_study_is_run_and_resumed_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, elsewhere = write(tmp_path / "studies"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    folder, executor = run_study(load_study("../studies/study.yaml"), "../studies/study.yaml", Path("runs"))
    assert executor.unfinished() == []
    done = {config.run_id for config, _ in folder.runs}
    monkeypatch.chdir(tmp_path)
    for source in (str(file), "elsewhere/runs/tiny/study.yaml"):
        again, executor = run_study(load_study(source), source, tmp_path / "elsewhere" / "runs")
        assert executor.todo == []
        assert {config.run_id for config, _ in again.runs} == done
    for config, run in folder.runs:
        assert RunConfig.parse(RunFolder(elsewhere / run.path).config()) == config
        load_policy(elsewhere / run.path)
    texts = [path.read_text("utf-8") for path in elsewhere.rglob("*") if path.suffix in (".yaml", ".json")]
    assert not any(f'"{tmp_path}' in text for text in texts), "results name no place of this machine"
    shutil.move(tmp_path, tmp_path.with_name("moved"))  # both together
    moved = StudyFolder.find(str(tmp_path.with_name("moved") / "elsewhere/runs/tiny"), Path("runs"))
    assert moved.states() == {"completed": 2}


def test_a_file_that_is_not_there_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    file = write(tmp_path / "studies")
    folder = StudyFolder(load_study(file), tmp_path / "runs")
    folder.prepare()
    (file.parent / "tables" / "phi.npy").unlink()
    told = rf"shapings\[1\]\.shapers\[0\]\.potential\.path: there is no file 'tables/phi.npy' \(from {file.parent}\)"
    with pytest.raises(SpecError, match=told):
        run_study(load_study(file), str(file), tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()
    with pytest.raises(SpecError, match=r"there is no file 'tables/phi\.npy'"):  # else all its runs would seem new
        StudyFolder.find(str(folder.path), tmp_path)


def test_a_file_counts_by_its_content_and_not_by_its_place(tmp_path: Path) -> None:
    first, second = (runs_of(load_study(write(tmp_path / name))) for name in ("one", "two"))
    assert [run.run_id for run in first] == [run.run_id for run in second]
    np.save(tmp_path / "two" / "tables" / "phi.npy", np.zeros(6))
    changed = runs_of(load_study(tmp_path / "two" / "study.yaml"))
    assert [one.run_id == other.run_id for one, other in zip(first, changed, strict=True)] == [True, False]


def test_a_file_counts_by_its_content_whatever_the_argument(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('["a", "b", 1]\n["b", "a", -1]\n', "utf-8")
    motif = {"name": "motif", "shapers": [{"type": "Motif", "preferences": "pairs.jsonl"}]}
    file = write(tmp_path, shapings=[motif])
    before = runs_of(load_study(file))[0].run_id
    assert runs_of(load_study(file))[0].run_id == before
    (tmp_path / "pairs.jsonl").write_text('["a", "b", -1]\n["b", "a", 1]\n', "utf-8")
    assert runs_of(load_study(file))[0].run_id != before


def test_a_goal_in_words_is_no_file_however_long(tmp_path: Path) -> None:
    (tmp_path / "goal").write_text("", "utf-8")
    for goal in ("goal", "open the door. " * 1000, "a\0b.npz"):
        assert _with_contents({"type": "Motif", "goal": goal}, tmp_path) == {"type": "Motif", "goal": goal}


def test_a_world_reads_files_beside_its_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = [{"id": "paths_world:PathsFromFile-v0", "num_envs": 2, "kwargs": {"map_file": "map.txt"}}]
    file = write(tmp_path / "studies", environments=worlds, shapings=[{"name": "none"}])
    (file.parent / "paths_world.py").write_text(WORLD, "utf-8")
    (file.parent / "map.txt").write_text("6", "utf-8")
    before = runs_of(load_study(file))[0].run_id
    code = (
        "import sys; from pathlib import Path; from potentia.study.runner import run_study\n"
        "from potentia.study.spec import load_study\n"
        "folder, executor = run_study(load_study(sys.argv[1]), sys.argv[1], Path(sys.argv[2]))\n"
        "assert executor.unfinished() == [], executor.unfinished()"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for source in (str(file), str(tmp_path / "runs" / "tiny" / "study.yaml")):
        command = [sys.executable, "-c", code, source, str(tmp_path / "runs")]
        subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    (file.parent / "map.txt").write_text("7", "utf-8")
    assert runs_of(load_study(file))[0].run_id != before


def test_paths_of_a_study_in_python_begin_where_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "studies")
    monkeypatch.chdir(tmp_path / "studies")
    spec = study(shapings=[{"name": "none"}, {"name": "table", "shapers": [TABLE]}])
    folder, executor = run_study(spec, "study", tmp_path / "runs")
    assert executor.unfinished() == []
    monkeypatch.chdir(tmp_path)
    assert StudyFolder.find(str(folder.path), tmp_path).states() == {"completed": 2}


def test_a_learner_reads_the_demonstrations_beside_its_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = {"id": "CartPole-v1", "num_envs": 2, "learner": {"demonstrations": "shown.npz"}}
    learner = {"type": "asaf", "config": {"window": 5, "n_epochs": 1, "rollout_steps": 16}}
    changes = {"environments": [world], "learners": [learner], "shapings": [{"name": "none"}], "seeds": 1, "steps": 32}
    file = write(tmp_path / "studies", **changes)
    envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    spaces = envs.single_observation_space, envs.single_action_space
    shown = collect_episodes(envs, RandomAgent(*spaces), 2, gamma=0.9, seed=0)
    demonstrations.save(file.parent / "shown.npz", shown)
    monkeypatch.chdir(tmp_path)
    folder, executor = run_study(load_study(file), str(file), tmp_path / "runs")
    assert executor.unfinished() == []
    load_policy(tmp_path / "runs" / folder.runs[0][1].path)
    missing = write(tmp_path / "others", **changes)
    with pytest.raises(SpecError, match=r"shown\.npz"):
        run_study(load_study(missing), str(missing), tmp_path / "runs")
