"""How long a study still takes, with and without a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from potentia.study.executor import Executor, Job
from potentia.study.progress import duration, shown, time_left
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
