"""What a run has learned, loaded again: it acts as the evaluations of that run did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from potentia.agents.evaluate import evaluate
from potentia.study import load, load_policy
from potentia.study.folder import RunFolder
from potentia.study.plan import RunConfig
from potentia.study.runner import run_study
from potentia.study.seeds import evaluation_seed
from potentia.study.spec import parse_study
from potentia.study.trained import read_checkpoint, restored
from potentia.study.world import World

STUDY: dict[str, Any] = {
    "name": "kept",
    "environments": [{"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 5}}],
    "shapings": [{"name": "oracle", "shapers": [{"type": "PotentialShaping", "potential": "potential"}]}],
    "learners": [{"type": "q_learning", "config": {"rollout_steps": 8}}],
    "seeds": 1,
    "gamma": 0.95,
    "steps": 400,
    "evaluation": {"every": 200, "episodes": 6, "greedy": True},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written, _ = run_study(parse_study(STUDY), "kept", tmp_path_factory.mktemp("trained"))
    return written.path


def test_the_policy_comes_to_the_final_return_of_its_run(folder: Path) -> None:
    [run] = load(folder).study.runs
    assert run.completed
    config, parts = read_checkpoint(run.folder)
    trained = restored(config, parts)
    assert trained.steps == 400
    world = World.probe(config)
    seed = evaluation_seed(trained.seeds, trained.steps)
    again = evaluate(lambda: world.make(2, {"success"}), trained.learner, 6, seed=seed, greedy=True)
    assert again.metrics["return_mean"] == run.final_return


def test_a_policy_acts_on_a_batch_and_needs_no_world_of_its_own(folder: Path) -> None:
    [run] = load(folder).study.runs
    policy = load_policy(run)
    envs = World.probe(RunConfig.parse(RunFolder(run.folder).config())).make(3, set())
    observations, _ = envs.reset(seed=0)
    actions, _ = policy.act(observations, policy.init(3))
    assert envs.action_space.contains(actions)
    same, _ = load_policy(str(run.folder)).act(observations, policy.init(3))
    assert (actions == same).all()
    envs.close()


def test_a_run_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        load_policy(tmp_path)
