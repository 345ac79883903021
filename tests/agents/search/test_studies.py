"""Searches as learners of studies: a run that is stopped goes on to the same end, and its measures are in the log."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.study.folder import RunFolder
from potentia.study.plan import runs_of
from potentia.study.spec import parse_study
from potentia.study.training import Training

LEARNERS: dict[str, dict[str, Any]] = {
    "novelty_search": {},
    "serene": {"chunk": 60},
    "stax": {"chunk": 60, "image_size": 16, "epochs": 1},
    "taxons": {"image_size": 16, "epochs": 1, "train_every": 3},
    "random_search": {},
}
if importlib.util.find_spec("ribs"):
    LEARNERS |= {"map_elites": {}, "cma_me": {}, "cma_mae": {}}


class After:
    """True when it was asked so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0


def study(learner: str) -> Any:
    settings = {"rollout_steps": 1, "population": 20, **LEARNERS[learner]}
    return parse_study(
        {
            "name": "searches",
            "environments": [
                {
                    "id": "potentia/RedundantArmPolicies-v0",
                    "num_envs": 10,
                    "learner": {"bounds": [[0.0, 1.0], [0.0, 1.0]]},
                }
            ],
            "shapings": [{"name": "none"}],
            "learners": [{"type": learner, "config": settings}],
            "gamma": 1.0,
            "seeds": 1,
            "steps": 300,
            "evaluation": {"every": 150, "episodes": 2, "greedy": True},
            "checkpoint": {"every": 100},
        }
    )


def lines(folder: RunFolder) -> list[dict[str, Any]]:
    """The log without what depends on the clock."""
    found = map(json.loads, (folder.path / "metrics.jsonl").read_text("utf-8").splitlines())
    return [{key: value for key, value in line.items() if key not in ("time", "profile")} for line in found]


def train(learner: str, path: Path, stops: list[int]) -> RunFolder:
    path.mkdir()
    folder, config = RunFolder(path), next(iter(runs_of(study(learner))))
    for stop in [*stops, 10**9]:
        training = Training(config, folder)
        ended = training.run(After(stop))
        training.close()
        assert ended == (stop == 10**9)
    return folder


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_stopped_run_goes_on_to_the_same_end(learner: str, tmp_path: Path) -> None:
    whole, stopped = train(learner, tmp_path / "whole", []), train(learner, tmp_path / "stopped", [13, 12])
    assert lines(whole) == lines(stopped)
    maps = [np.load(folder.path / "archive.npz") for folder in (whole, stopped)]
    assert maps[0]["descriptor"].tolist() == maps[1]["descriptor"].tolist()
    last = [line for line in lines(whole) if line["kind"] == "train"][-1]["learner"]
    assert last["evaluations"] == 300
    assert 0.0 < last["coverage"] < 0.1
    final = json.loads((whole.path / "result.json").read_text("utf-8"))["final"]["return_mean"]
    assert final == pytest.approx(last["best_return"])  # a greedy evaluation plays the best
