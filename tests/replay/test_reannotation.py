"""Another judge's opinion of what a run did."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from potentia.cli import app
from potentia.replay import Episode, episode_files, load_episode
from potentia.replay.reannotation import Comparison, Reannotation, _rollouts, reannotate
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study
from potentia.study.training import Training

RULES = {"type": "Rules"}
STUDY: dict[str, Any] = {
    "name": "judged",
    "environments": [{"id": "potentia/KeyRooms-v0", "num_envs": 2, "kwargs": {"size": 2}}],
    "shapings": [
        {"name": "none"},
        {
            "name": "judged",
            "shapers": [
                {"type": "CALM", "judge": RULES, "subgoals": ["picked up key", "passed door"], "use_action": False},
                {"type": "Count"},
                {"type": "JudgedPotential", "judge": RULES, "goal": "Reach the goal."},
            ],
        },
    ],
    "seeds": 1,
    "gamma": 0.9,
    "steps": 256,
    "evaluation": {"every": 256, "episodes": 2},
    "checkpoint": {"every": 256},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    study = StudyFolder(parse_study(STUDY), tmp_path_factory.mktemp("runs"))
    study.prepare()
    for config, run in study.runs:
        training = Training(config, run)
        assert training.run(stop=False)
        training.close()
    return {config.shaping.name: run.path for config, run in study.runs}


def judge(folder: Path, text: str) -> Path:
    path = folder / "judge.yaml"
    path.write_text(text)
    return path


def test_a_judge_that_always_lies_agrees_in_nothing(runs: dict[str, Path], tmp_path: Path) -> None:
    liar = judge(tmp_path, "type: Mistaken\nshare: 1.0\njudge: {type: Rules}\n")
    found = reannotate(runs["judged"], liar, episodes=3)
    calm, potential = found.comparisons
    assert (found.episodes, calm.shaper, potential.shaper) == (3, "CALM", "JudgedPotential")
    assert calm.agreement == 0.0
    assert [quality["accuracy"] for quality in calm.quality] == [1.0, 0.0]
    assert calm.quality[0]["error"] == 0.0
    assert calm.invalid == (0, 0)
    assert calm.questions == calm_questions(runs["judged"])
    # 1 - progress goes down where progress goes up, so the terms turn round but for what an end takes back.
    assert potential.correlation < 0
    again = reannotate(
        runs["judged"], judge(tmp_path, "type: Mistaken\nshare: 0.0\njudge: {type: Rules}\n"), episodes=3
    )
    assert again.true_return == found.true_return
    for one in again.comparisons:
        assert (one.agreement, one.sizes[0]) == (1.0, one.sizes[1])
        assert one.correlation == pytest.approx(1.0)


def calm_questions(run: Path) -> int:
    """The different steps of the episodes that are kept."""
    [folder] = (run / "episodes").iterdir()
    captions = [load_episode(path).captions for path in episode_files(folder)]
    return len({pair for column in captions for pair in itertools.pairwise(column)})


def test_a_subgoal_that_was_never_reached_is_known_not_to_have_been() -> None:
    unlucky = Episode(
        world="x", goal="", end="truncated", actions=["wait"], true_rewards=[0.0], captions=["here", "here"],
        texts=["", ""], events=[[], []], event_names=["key", "door"], frames=[-1, -1],
    )  # fmt: skip
    lucky = dataclasses.replace(unlucky, events=[[], ["key"]])
    found = [rollout.info["next_subgoals"] for rollout in _rollouts([unlucky, lucky], 0.9)]
    assert [{name: column.tolist() for name, column in events.items()} for events in found] == [
        {"key": [[False]], "door": [[False]]}, {"key": [[True]], "door": [[False]]},
    ]  # fmt: skip


def test_the_command_prints_a_table(runs: dict[str, Path], tmp_path: Path) -> None:
    half = judge(tmp_path, "type: Mistaken\nshare: 0.5\njudge: {type: Rules}\n")
    done = CliRunner().invoke(app, ["reannotate", str(runs["judged"]), "--judge", str(half), "--episodes", "2"])
    assert done.exit_code == 0, done.output
    head, names, *rows, _ = done.output.strip().splitlines()
    assert head.startswith("2 episodes, true return ")
    assert names.split()[:2] == ["questions", "agree"]
    assert [row.split()[0] for row in rows] == ["CALM", "JudgedPotential"]


def test_what_is_wrong_is_told(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no shaper of .* has a judge"):
        reannotate(runs["none"], judge(tmp_path, "type: Mistaken\nshare: 1.0\njudge: {type: Rules}\n"))
    with pytest.raises(ValueError, match=r"judge\.yaml: judge\.type: unknown judge 'Oracle'"):
        reannotate(runs["judged"], judge(tmp_path, "type: Oracle\n"))
    with pytest.raises(FileNotFoundError):
        reannotate(tmp_path, judge(tmp_path, "type: Rules\n"))


def test_a_number_that_is_not_known_is_a_dash() -> None:
    one = Comparison("x", 0, np.nan, np.nan, (0.0, 0.0), ({}, {}), (1, 2))
    assert "       -       -   0.000   0.000" in str(Reannotation(1, 0.0, (one,)))
