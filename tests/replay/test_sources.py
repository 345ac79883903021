"""From a file, a folder or a run to a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

from potentia import checkpoint
from potentia.agents.evaluate import evaluate
from potentia.cli import app
from potentia.replay import RecordEpisodes, episode_files, load_episode, replay
from potentia.replay.playing import episode_seed, play_run
from potentia.study.folder import RunFolder
from potentia.study.learners import make_learner
from potentia.study.plan import RunConfig
from potentia.study.runner import StudyFolder, run_study
from potentia.study.seeds import run_seeds
from potentia.study.spec import parse_study
from potentia.study.world import World
from tests.replay.worlds import Corridor

STUDY: dict[str, Any] = {
    "name": "tiny",
    "environments": [
        {"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 6}},
        {"id": "potentia/Empty-5x5-v0", "num_envs": 2, "max_episode_steps": 12},
    ],
    "shapings": [
        {"name": "none"},
        {"name": "mixed", "shapers": [{"type": "PotentialShaping", "potential": "potential"}, {"type": "Count"}]},
    ],
    "learners": [{"type": "ppo", "config": {"rollout_steps": 16}}],
    "seeds": 1,
    "gamma": 0.99,
    "steps": 128,
    "evaluation": {"every": 64, "episodes": 2},
    "checkpoint": {"every": 64},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], RunFolder]:
    folder, _ = run_study(parse_study(STUDY), "tiny", tmp_path_factory.mktemp("runs"), jobs=1)
    assert folder.states() == {"completed": 4}
    return {(config.environment.id, config.shaping.name): run for config, run in folder.runs}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with RecordEpisodes(Corridor("rgb_array"), tmp_path / "played") as env:
        for actions in ([1, 1, 1, 1], [0, 1, 1, 1, 1], [1]):
            env.reset(seed=0)
            for action in actions:
                env.step(action)
    return tmp_path / "played"


def shown(page: Path) -> list[dict[str, Any]]:
    """The episodes that a page lists."""
    found = re.search(r'id="data-episodes">(.*?)</script>', page.read_text("utf-8"))
    assert found is not None
    listed: list[dict[str, Any]] = json.loads(found[1])
    return listed


def test_a_folder_a_file_and_one_number(folder: Path, tmp_path: Path) -> None:
    page = replay(folder)
    assert page == folder / "replay.html"
    assert [(entry["number"], entry["length"], entry["end"]) for entry in shown(page)] == [
        (0, 4, "success"),
        (1, 5, "success"),
        (2, 1, "unfinished"),
    ]
    file = folder / "episode-000001.zip"
    assert replay(file) == folder / "episode-000001.html"
    assert [entry["number"] for entry in shown(folder / "episode-000001.html")] == [1]
    chosen = replay(folder, tmp_path / "made" / "one.html", episode=2)
    assert chosen == tmp_path / "made" / "one.html"
    assert [entry["number"] for entry in shown(chosen)] == [2]


def test_the_same_episodes_give_the_same_page(folder: Path, tmp_path: Path) -> None:
    pages = [replay(folder, tmp_path / name).read_bytes() for name in ("a.html", "b.html")]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("environment", ["potentia/Chain-v0", "potentia/Empty-5x5-v0"])
@pytest.mark.parametrize("shaping", ["none", "mixed"])
def test_a_run_is_played_as_it_is_evaluated(
    runs: dict[tuple[str, str], RunFolder], environment: str, shaping: str
) -> None:
    run = runs[environment, shaping]
    before = (run.path / "metrics.jsonl").read_bytes(), run.checkpoint.read_bytes()
    episodes = [load_episode(path) for path in episode_files(play_run(run.path, 3))]
    assert ((run.path / "metrics.jsonl").read_bytes(), run.checkpoint.read_bytes()) == before
    config = RunConfig.parse(run.config())
    world = World.probe(config)
    seeds = run_seeds(config.seed_namespace, config.environment.id, config.seed)
    spaces = world.observation_space, world.action_space
    learner = make_learner(config.learner, {}, *spaces, streams={}, device="cpu", seed=seeds.learner)
    learner.load_state_dict(checkpoint.load(run.checkpoint)["learner"])
    wanted = [
        evaluate(lambda: world.make(1, {"success"}), learner, 1, seed=episode_seed(seeds, 128, number))
        for number in range(3)
    ]
    assert [episode.length for episode in episodes] == [found.lengths[0] for found in wanted]
    assert [episode.true_return for episode in episodes] == pytest.approx([found.returns[0] for found in wanted])
    assert {episode.labels["trained for"] for episode in episodes} == {"128 steps"}
    assert {episode.labels["shaping"] for episode in episodes} == {shaping}


def test_a_run_is_shaped_by_its_own_shaping(runs: dict[tuple[str, str], RunFolder]) -> None:
    [first, *_] = episode_files(play_run(runs["potentia/Chain-v0", "mixed"].path, 1))
    episode = load_episode(first)
    assert list(episode.terms) == ["env", "PotentialShaping", "Count"]
    assert episode.terms["env"] == episode.true_rewards
    potential = np.array(episode.info["potential"], np.float64)
    discount = np.full(episode.length, 0.99)
    if episode.terminated:
        discount[-1] = 0.0
    np.testing.assert_allclose(episode.terms["PotentialShaping"], discount * potential[1:] - potential[:-1], atol=1e-12)
    # 1 / sqrt(visits): the checkpoint remembers 128 steps in a corridor of 6 cells; a fresh shaper would pay 1.
    first_visit = episode.terms["Count"][0]
    assert first_visit is not None
    assert 0 < first_visit < 0.5


def test_what_was_played_is_not_played_again(runs: dict[tuple[str, str], RunFolder]) -> None:
    run = runs["potentia/Empty-5x5-v0", "none"].path
    folder = play_run(run, 2)
    stamps = {path.name: path.stat().st_mtime_ns for path in episode_files(folder)}
    grown = episode_files(play_run(run, len(stamps) + 1))
    assert len(grown) == len(stamps) + 1
    assert {path.name: path.stat().st_mtime_ns for path in grown[:-1]} == stamps
    page = replay(run)
    assert page == run / "replay.html"
    assert len(shown(page)) == len(grown)
    assert load_episode(grown[0]).images  # a grid shows itself


def prefers_one(obs: Any, action: Any) -> Any:
    """Advice of 1 where the action is 1."""
    del obs
    return (np.asarray(action) == 1).astype(np.float64)


def test_a_shaper_that_reads_the_next_action_is_shown(tmp_path: Path) -> None:
    advice = {"type": "function", "name": f"{__name__}:prefers_one"}
    shaper = {"type": "LookAheadAdvice", "advice": advice, "name": "NextAction"}
    document = {**STUDY, "shapings": [{"name": "advice", "shapers": [shaper]}]}
    document["environments"] = STUDY["environments"][:1]
    study = StudyFolder(parse_study(document), tmp_path)
    study.prepare()
    [(config, run)] = study.runs
    from potentia.study.training import Training

    Training(config, run).run(False)
    episode = load_episode(episode_files(play_run(run.path, 1))[0])
    taken = np.array([float(action) for action in episode.actions])
    following = np.append(taken[1:], np.nan)
    told = np.array(episode.terms["NextAction"], np.float64)
    np.testing.assert_allclose(told[:-1], (0.99 * following - taken)[:-1])
    # What follows the last step was drawn and not taken; at a true end it doesn't count.
    drawn = 0.0 if episode.terminated else (told[-1] + taken[-1]) / 0.99
    assert drawn in (0.0, pytest.approx(1.0))
    assert told[-1] == pytest.approx(0.99 * drawn - taken[-1])


def test_mistakes_are_told(folder: Path, tmp_path: Path, runs: dict[tuple[str, str], RunFolder]) -> None:
    with pytest.raises(FileNotFoundError, match="there is nothing at"):
        replay(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="is not the file of an episode; give"):
        replay(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="there are no episodes in"):
        replay(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"there is no episode 7 in .*; it has 0, 1, 2"):
        replay(folder, episode=7)
    run = runs["potentia/Chain-v0", "none"].path
    with pytest.raises(ValueError, match=f"but it is a study; its runs are .*{run.name}"):
        replay(run.parent.parent)
    with pytest.raises(ValueError, match="episodes must be at least 1"):
        play_run(run, 0)
    early = tmp_path / "early"
    early.mkdir()
    (early / "config.json").write_text((run / "config.json").read_text())
    with pytest.raises(FileNotFoundError, match="has no checkpoint yet"):
        replay(early)


def test_too_many_pictures_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("potentia.replay.page._LARGEST", 100)
    with pytest.raises(ValueError, match="choose one with --episode"):
        replay(folder)


def test_the_command(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["replay", str(folder), "--to", str(out), "--episode", "1"])
    assert result.exit_code == 0, result.output
    assert result.output == f"Replay: {out}\n"
    assert [entry["number"] for entry in shown(out)] == [1]


def test_the_constructor_is_recorded(tmp_path: Path) -> None:
    env = RecordEpisodes(gym.make("potentia/Chain-v0"), tmp_path, every=2)
    assert env.spec is not None
    again = gym.make(env.spec)
    assert isinstance(again, RecordEpisodes)
    assert again.spec == env.spec
