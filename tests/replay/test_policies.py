"""A search's run is shown in the world in which its policies act."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.replay import episode_files, load_episode, replay
from potentia.replay.playing import episode_seed, play_run
from potentia.study.folder import RunFolder
from potentia.study.learners import LEARNERS
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study
from potentia.study.trained import read_checkpoint, restored
from potentia.study.training import Training
from tests.study.searching import Wanders

MAZE = {"time_limit": 40, "areas": ["easy"]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setitem(vars(LEARNERS), "_offered", dict(LEARNERS.own()) | {"Wanders": Wanders})
    study: dict[str, Any] = {
        "name": "maze",
        "environments": [{"id": "potentia/HardMazePolicies-v0", "num_envs": 4, "kwargs": MAZE | {"hidden": [3]}}],
        "shapings": [{"name": "none"}],
        "learners": [{"type": "Wanders", "config": {"sigma": 2.0, "bounds": [[0, 600], [0, 600]]}}],
        "gamma": 1.0, "seeds": 1, "steps": 40, "evaluation": {"every": 40, "episodes": 2},
    }  # fmt: skip
    folder = StudyFolder(parse_study(study), tmp_path)
    folder.prepare()
    config, made = folder.runs[0]
    training = Training(config, made)
    assert training.run(False)
    training.close()
    return made


def test_its_policies_are_played_step_by_step(run: RunFolder) -> None:
    first, second = map(load_episode, episode_files(play_run(run.path, 2)))
    assert first.world == "potentia/HardMaze-v0"
    assert (first.length, second.length) == (40, 40)
    assert (len(first.images), len(second.images) > 5) == (1, True)  # the best is all zeros and stands still
    assert first.actions != second.actions
    # What was shown is what the policies did where they were evaluated.
    trained = restored(*read_checkpoint(run.path))
    policies = gym.make("potentia/HardMazePolicies-v0", hidden=[3], **MAZE)
    world = gym.make("potentia/HardMaze-v0", **MAZE, info_keys="all")
    for number, greedy in ((0, True), (1, False)):
        actor = trained.learner.frozen(greedy=greedy)
        genome = np.asarray(actor.act(np.zeros((1, 1)), ())[0])[0]
        policies.reset(seed=0)
        *_, info = policies.step(genome)
        obs, _ = world.reset(seed=episode_seed(trained.seeds, trained.steps, number))
        for _ in range(40):
            obs, *_, seen = world.step(policies.unwrapped.action_of(genome, obs))
        np.testing.assert_allclose(seen["descriptor"], info["descriptor"], atol=1e-6)
    assert np.abs(seen["descriptor"] - [108, 552]).max() > 1  # it went somewhere


def test_the_page_is_of_the_world(run: RunFolder) -> None:
    page = replay(run.path, episodes=1)
    text = page.read_text("utf-8")
    assert "Replay: potentia/HardMaze-v0" in text
    assert "HardMazePolicies" not in text


@pytest.mark.parametrize("world", ["CartPole-v1", "Pendulum-v1"])
def test_policies_of_any_environment_can_be_watched(world: str) -> None:
    policies: Any = gym.make(
        "potentia/PolicyAsAction-v0", env=world, descriptor=lambda obs, _: obs[:, :2], max_steps=50
    )
    genome = np.random.default_rng(0).normal(size=policies.action_space.shape)
    policies.reset(seed=3)
    _, total, *_, info = policies.step(genome)
    name, kwargs = policies.unwrapped.acts_in
    assert (name, kwargs) == (world, {})
    env = gym.make(name, **kwargs)
    obs, _ = env.reset(seed=3)
    seen = 0.0
    for _ in range(info["steps"]):
        obs, reward, *_ = env.step(policies.unwrapped.action_of(genome, obs))
        seen += float(reward)
    assert seen == pytest.approx(total)
