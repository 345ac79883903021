"""The same episodes under another shaping: a potential turns no step round, a bonus does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from potentia.cli import app
from potentia.replay.advantages import Steps
from potentia.replay.counterfactual import Counterfactual, counterfactual
from potentia.replay.episode import episode_files, load_episode
from potentia.replay.playing import play_run
from potentia.study.documents import SpecError
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study
from potentia.study.training import Training

STUDY: dict[str, Any] = {
    "name": "against",
    "environments": [
        {"id": "potentia/Chain-v0", "num_envs": 2, "kwargs": {"length": 6}},
        {"id": "potentia/Empty-5x5-v0", "num_envs": 2, "max_episode_steps": 60},
    ],
    "shapings": [
        {"name": "none"},
        {"name": "potential", "shapers": [{"type": "PotentialShaping", "potential": "potential", "weight": 3.0}]},
        {"name": "away", "shapers": [{"type": "Progress", "potential": "distance"}]},
        {"name": "count", "shapers": [{"type": "Count"}]},
    ],
    "learners": [{"type": "random", "config": {"rollout_steps": 16}}],
    "seeds": 1,
    "gamma": 0.9,
    "steps": 64,
    "evaluation": {"every": 64, "episodes": 2},
    "checkpoint": {"every": 64},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    study = StudyFolder(parse_study(STUDY), tmp_path_factory.mktemp("runs"))
    study.prepare()
    for config, run in study.runs:
        training = Training(config, run)
        assert training.run(stop=False)
        training.close()
    return {(config.environment.id, config.shaping.name): run.path for config, run in study.runs}


@pytest.mark.parametrize("world", ["potentia/Chain-v0", "potentia/Empty-5x5-v0"])
def test_a_potential_turns_no_step_round_and_a_bonus_does(runs: dict[tuple[str, str], Path], world: str) -> None:
    """Episodes of Empty-5x5 are cut off after 60 steps, so the values of where they stopped matter."""
    safe = counterfactual(runs[world, "none"], "potential", episodes=12)
    assert safe.flips == ()
    assert safe.episodes == 12
    assert 12 < safe.revisited <= safe.steps
    harmful = counterfactual(runs[world, "none"], "away", episodes=12)
    assert harmful.flips
    assert harmful.agree == (len(harmful.flips), 0)  # without a shaping the advantage is the true one
    assert [flip.size for flip in harmful.flips] == sorted((flip.size for flip in harmful.flips), reverse=True)
    assert all(flip.own * flip.other < 0 for flip in harmful.flips)
    assert (harmful.steps, harmful.true_return) == (safe.steps, safe.true_return)


def test_the_other_shaping_is_as_the_run_beside_has_learned_it(
    runs: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    world = "potentia/Chain-v0"
    found = counterfactual(runs[world, "none"], "count", episodes=12)
    assert found.other_from == runs[world, "count"].name
    (tmp_path / "count.yaml").write_text("type: Count\n")
    fresh = counterfactual(runs[world, "none"], str(tmp_path / "count.yaml"), episodes=12)
    # A fresh count pays each state alike, so that longer ways are better. A trained one pays the rare ones.
    assert found.flips
    assert found.flips != fresh.flips


def test_a_shaping_from_a_file_is_fresh(runs: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    file = tmp_path / "walk away.yaml"
    file.write_text("type: Progress\npotential: distance\n")
    one = counterfactual(runs["potentia/Chain-v0", "none"], str(file), episodes=6)
    assert (one.other, one.other_from) == ("walk away", "")
    named = counterfactual(runs["potentia/Chain-v0", "none"], "away", episodes=6)
    assert one.flips == named.flips
    file.write_text("name: several\nshapers: [{type: Progress, potential: distance}]\n")
    assert counterfactual(runs["potentia/Chain-v0", "none"], str(file), episodes=6).other == "several"
    file.write_text("shaping: Progress\n")
    with pytest.raises(SpecError, match="wanted a shaping"):
        counterfactual(runs["potentia/Chain-v0", "none"], str(file), episodes=6)


def test_mistakes_say_what_to_do(runs: dict[tuple[str, str], Path]) -> None:
    run = runs["potentia/Chain-v0", "none"]
    with pytest.raises(ValueError, match="did you mean 'potential'"):
        counterfactual(run, "potentail")
    with pytest.raises(ValueError, match="episodes must be at least 1, got 0"):
        counterfactual(run, "potential", episodes=0)


def test_the_command_prints_a_table_or_json_and_writes_the_replay_with_flips(
    runs: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    run = runs["potentia/Chain-v0", "none"]
    page = tmp_path / "page.html"
    command = ["audit", "replay", str(run), "--shaping", "away", "--episodes", "12", "--to", str(page)]
    table = CliRunner().invoke(app, command)
    assert table.exit_code == 0, table.output
    found = counterfactual(run, "away", episodes=12)
    assert str(found) in table.output
    document = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert len(document["flips"]) == len(found.flips)
    assert document["agree_with_true"] == list(found.agree)
    text = page.read_text("utf-8")
    flip = found.flips[0]
    signed = [f"{value:+.3g}".replace("-", "−") for value in (flip.own, flip.other)]
    assert {number[0] for number in signed} == {"+", "−"}
    assert f"flip: {signed[0]} none, {signed[1]} away" in text
    assert "advantage, true reward" in text
    assert '"away: Progress"' in text
    assert text.count('type="application/json"') == 1 + 10  # ten episodes at most


def test_the_episodes_are_those_of_the_replay(runs: dict[tuple[str, str], Path]) -> None:
    run = runs["potentia/Chain-v0", "none"]
    files = episode_files(play_run(run, 3))
    returns = [load_episode(file).true_return for file in files]
    assert counterfactual(run, "potential", episodes=3).true_return == pytest.approx(np.mean(returns))


@given(data=st.data(), gamma=st.sampled_from([0.5, 0.9, 0.99]))
def test_values_move_by_exactly_the_potential(data: st.DataObject, gamma: float) -> None:
    """Random walks over five states that end or are cut off: A is the same with any potential of the states."""
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    total = sum(lengths)
    walk = st.lists(st.integers(0, 4), min_size=total + len(lengths), max_size=total + len(lengths))
    states = iter(data.draw(walk))
    ends = data.draw(st.lists(st.booleans(), min_size=len(lengths), max_size=len(lengths)))
    rows = []
    for length, over in zip(lengths, ends, strict=True):
        path = [next(states) for _ in range(length + 1)]
        rows += [(path[t], path[t + 1], t == length - 1, t == length - 1 and over) for t in range(length)]
    before, after, last, terminated = (np.array(column) for column in zip(*rows, strict=True))
    steps = Steps.of(before, after, last, terminated)
    phi = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=5, max_size=5)))
    reward = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=total, max_size=total)))
    discount = gamma * ~terminated
    shaped = reward + discount * phi[after] - phi[before]
    np.testing.assert_allclose(steps.advantages(shaped, discount), steps.advantages(reward, discount), atol=1e-9)


def test_a_cut_in_a_state_that_nobody_was_in_is_left_out() -> None:
    never = np.array([False, False, True])
    steps = Steps.of(np.array([0, 1, 2]), np.array([1, 2, 3]), never, np.zeros(3, bool))
    assert len(steps.kept) == 0
    # 0 -> 1 -> 0, cut off: V(0) = 1 + 0.5 V(1), V(1) = 0.5 V(0), so V(0) = 4/3.
    steps = Steps.of(np.array([0, 1]), np.array([1, 0]), np.array([False, True]), np.zeros(2, bool))
    np.testing.assert_allclose(steps.advantages([1.0, 0.0], [0.5, 0.5]), 0.0, atol=1e-12)
    with pytest.raises(ValueError, match="gamma is below 1"):
        steps.advantages([1.0, 0.0], [1.0, 1.0])


def test_nothing_to_compare_is_said_plainly() -> None:
    text = str(Counterfactual("a", "b", "", 1, 3, 0, 0.5, ()))
    assert "changes sign in 0 steps" in text
    assert "b (fresh)" in text
