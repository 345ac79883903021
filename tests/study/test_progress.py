"""How long a study still takes, with and without a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from potentia.study.executor import Executor, Job
from potentia.study.folder import RunFolder
from potentia.study.progress import duration, shown, table, time_left
from potentia.study.runner import StudyFolder
from tests.study.running import study


def test_the_time_left_is_what_remains_at_the_speed_so_far(tmp_path: Path) -> None:
    folder = StudyFolder(study(steps=1000, seeds=2), tmp_path)
    folder.prepare()
    executor = Executor([Job(*run) for run in folder.runs], jobs=2)
    assert time_left(folder, executor) == ""
    (_, first), (_, second), *_ = folder.runs
    (first.path / "result.json").write_text("{}", "utf-8")
    first.set_status("completed", steps=1000, rate=10.0)
    with second.lock():
        second.set_status("running", steps=400, rate=20.0)
        # 600 + 1000 + 1000 steps at 15 a second, two at a time: 87 s.
        assert time_left(folder, executor) == ", about 87 s left"
        with shown(Console(file=io.StringIO(), width=80)) as watch:
            console = watch(folder, executor)
            console()
    assert "about 87 s left" in console._console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.2, "4 s"), (99.0, "99 s"), (600.0, "10 min"), (5990.0, "100 min"), (36000.0, "10.0 h")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_screen_reads_what_has_changed_once_a_second_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(study(seeds=3), tmp_path)
    folder.prepare()
    reads: list[str] = []
    read_text = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self, *args: reads.append(self.parent.name) or read_text(self, *args))
    executor = Executor([Job(*run) for run in folder.runs], jobs=2)
    for _, run in folder.runs:
        run.set_status("queued")
    reads.clear()
    out = io.StringIO()
    with shown(Console(file=out, width=100, height=30, force_terminal=True)) as watch:
        screen = watch(folder, executor)
        for _ in range(20):
            screen()
        assert sorted(reads) == sorted(config.run_id for config, _ in folder.runs)
        config, run = folder.runs[2]
        RunFolder(run.path).set_status("failed", error="a full disk")  # as another process does
        reads.clear()
        screen()
        assert reads == []
    assert reads == [config.run_id]
    assert "a full disk" in out.getvalue()
    assert folder.states() == {"queued": 5, "failed": 1}


def test_the_identity_of_a_run_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(study(seeds=3), tmp_path)
    folder.prepare()
    monkeypatch.setattr("hashlib.sha256", None)
    executor = Executor([Job(*run) for run in folder.runs], jobs=2)
    assert time_left(folder, executor) == ""
    assert len(table(folder.runs).rows) == 6
