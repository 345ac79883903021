"""Judges in study files: every class can be said and is written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import potentia.judges
from potentia.judges import Judge, Progress, Question, Recording, Rules
from potentia.objects import read
from potentia.objects.reading import paths_from
from potentia.shaping.objects import JUDGES, to_data
from potentia.study import catalogue

HERE = Path(__file__).parent
RULE = {"type": "function", "name": f"{__name__}:half"}
RULES = {"type": "Rules", "rule": RULE}
DATA: list[dict[str, Any]] = [
    RULES,
    {"type": "Rules"},
    {"type": "Embeddings", "alike": 0.6},
    {"type": "ChatServer", "model": "m", "base_url": "http://127.0.0.1:1/v1", "temperature": 0.5},
    {"type": "LocalModel", "path": str(HERE), "batch": 4},
    {"type": "Cached", "judge": RULES, "path": str(HERE / "cache.sqlite")},
    {"type": "Recording", "judge": RULES, "path": str(HERE / "out.jsonl")},
    {"type": "Budgeted", "judge": RULES, "dollars": 2.0, "prices": [0.5, 1.5], "when_spent": "raise"},
    {"type": "Limited", "judge": RULES, "calls_per_minute": 60.0},
    {"type": "Retried", "judge": {"type": "Cached", "judge": RULES}, "attempts": 3},
    {"type": "Mistaken", "judge": RULES, "share": 0.5, "seed": 3},
    {"type": "BothOrders", "judge": RULES},
    {"type": "Vote", "judges": [RULES, {"type": "Rules"}], "n": 2, "how": "majority"},
    {"type": "Vote", "judges": RULES, "n": 5},
    {"type": "BranchAndRethink", "judge": RULES, "points": 2},
    {"type": "Rubrics", "judge": RULES, "criteria": ["short", "polite"]},
    {"type": "RuleSet", "rules": {"short": {"type": "function", "name": f"{__name__}:short"}}, "concise": 5},
    {"type": "RuleSet", "rules": ["it is short"], "judge": RULES},
]


def half(question: Question) -> tuple[float, ...]:
    return (0.5,) * question.size


def short(text: str) -> bool:
    return len(text) < 9


def made(data: dict[str, Any]) -> Any:
    problems: list[str] = []
    recipe = read(data, Judge, "judge", problems)
    assert not problems
    return recipe({"seed": 7, "device": "cpu"})


@pytest.mark.parametrize("data", DATA, ids=lambda data: data["type"])
def test_every_judge_is_read_and_written_back(data: dict[str, Any]) -> None:
    judge = made(data)
    assert isinstance(judge, getattr(potentia.judges, data["type"]))
    again = made(to_data(judge))
    assert (to_data(again), again.identity) == (to_data(judge), judge.identity)
    assert {name: value for name, value in to_data(judge).items() if name in data} == data


def test_a_recording_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    Recording(Rules(half), path).answer([Progress("go", "x")])
    assert made({"type": "Recorded", "path": str(path)}).answer([Progress("go", "x")])[0].value == 0.5


def test_a_file_that_is_yet_to_be_made_lies_beside_the_study(tmp_path: Path) -> None:
    with paths_from(tmp_path):
        assert made({"type": "Cached", "judge": RULES, "path": "a.sqlite"}).path == tmp_path / "a.sqlite"


def test_none_is_missing_here_or_in_the_lists() -> None:
    public = {name for name in potentia.judges.__all__ if isinstance(getattr(potentia.judges, name), type)}
    judges = {name for name in public if issubclass(getattr(potentia.judges, name), Judge)} - {"Judge"}
    assert {data["type"] for data in DATA} | {"Recorded"} == judges
    assert judges <= set(JUDGES.names)
    assert judges <= set(catalogue.judges())
    assert all(catalogue.judges()[name] for name in judges)
