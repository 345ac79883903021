"""Studies on the command line: named in any way, on any terminal, with hints that can be pasted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from potentia import cli
from potentia.study.executor import Executor
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study
from tests.study.synthetic import CURVES, ENVIRONMENTS, write_study

STUDY: dict[str, Any] = {
    "name": "a_study",
    "environments": [{"id": "potentia/Chain-v0", "kwargs": {"length": 6}}],
    "shapings": [{"name": "plain [bold]"}],
    "report": {"baseline": "plain [bold]"},
    "learners": [{"type": "q_learning"}],
    "gamma": 0.95,
    "steps": 160,
}


@pytest.fixture
def prepared(tmp_path: Path) -> StudyFolder:
    """A study that was planned and not run."""
    folder = StudyFolder(parse_study(STUDY), tmp_path)
    folder.prepare()
    return folder


def test_status_takes_a_folder_a_file_or_a_name(prepared: StudyFolder, tmp_path: Path) -> None:
    own = tmp_path / "written by hand.yaml"
    own.write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    renamed = prepared.path.rename(tmp_path / "renamed")
    renamed.rename(prepared.path)
    for source in (str(prepared.path), str(prepared.path / "study.yaml"), str(own), "a_study"):
        done = CliRunner().invoke(cli.app, ["study", "status", source, "--out", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert "5 runs: 5 queued" in done.output
        assert done.output.count("plain [bold]") == 5
    prepared.path.rename(renamed)
    done = CliRunner().invoke(cli.app, ["study", "status", str(renamed)])
    assert "5 runs: 5 queued" in done.output


def test_report_and_compare_take_names_files_and_folders(tmp_path: Path) -> None:
    shapings = {"none": CURVES["none"]}
    folders = [
        write_study(tmp_path, name=name, environments=ENVIRONMENTS[:1], shapings=shapings, seeds=2)
        for name in ("first", "second")
    ]
    for source in (str(folders[0]), str(folders[0] / "study.yaml"), "first"):
        done = CliRunner().invoke(cli.app, ["study", "report", source, "--out", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert "first/report.html" in done.output.replace("\n", "")
    to = tmp_path / "both"
    command = ["study", "compare", "first", str(folders[1]), "--out", str(tmp_path), "--to", str(to)]
    assert CliRunner().invoke(cli.app, command).exit_code == 0
    assert "second: none" in (to / "report.md").read_text(encoding="utf-8")


def test_a_terminal_without_utf8_ends_nothing(tmp_path: Path) -> None:
    folder = write_study(
        tmp_path, name="π · 1", environments=ENVIRONMENTS[:1], shapings={"none": CURVES["none"]}, seeds=1
    )
    done = subprocess.run(
        [sys.executable, "-m", "potentia.cli", "study", "report", str(folder)],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"? ? 1/report.html" in done.stdout.replace(b"\n", b"")


def test_a_hint_can_be_pasted_whatever_the_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = str(tmp_path / "my study's.yaml"), str(tmp_path / "all [runs]")
    Path(source).write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    folder = StudyFolder(parse_study(STUDY), Path(out))
    executor = Executor([], 1, problems=["disk full"])
    monkeypatch.setattr("potentia.study.runner.run_study", lambda *args, **kwargs: (folder, executor))
    done = CliRunner().invoke(cli.app, ["study", "run", source, "--out", out])
    assert done.exit_code == 1
    hint = done.output.split("this tries them again:", 1)[1]
    assert shlex.split(hint) == ["potentia", "study", "run", source, "--out", out]
