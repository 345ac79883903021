"""Other people's engines as text worlds. Each test runs where its package is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from potentia.envs.text import IndexedCommands, adapters
from potentia.testing import check_env
from potentia.testing.environment_episodes import trajectory_hash

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs

STORY = """
Constant Story "CELLAR";
Constant Headline "^A test.^";
Include "Parser";
Include "VerbLib";
Object Cellar "Cellar" with description "A bare cellar. A hatch leads up.", u_to [;
    if (lamp in player) { deadflag = 2; print "You climb into the light.^"; rtrue; }
    print "It is too dark to climb.^"; rtrue; ],
  d_to [; deadflag = 1; print "You fall into a well.^"; rtrue; ], has light;
Object -> lamp "brass lamp" with name 'brass' 'lamp', description "It shines.";
[ Initialise; location = Cellar; ];
Include "Grammar";
"""


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A story of one room, written for this test in Inform 6."""
    pytest.importorskip("jericho")
    compiler = shutil.which("inform6") or shutil.which("inform")
    library = Path("/usr/share/inform6/library")
    if compiler is None or not library.is_dir():
        pytest.skip("Inform 6 and its library are not installed")
    folder = tmp_path_factory.mktemp("story")
    (folder / "cellar.inf").write_text(STORY)
    command = [compiler, f"+include_path={library}", "cellar.inf", "cellar.z5"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (folder / "cellar.z5").is_file(), done.stdout
    return folder / "cellar.z5"


def test_a_story_in_jericho_is_won_lost_saved_and_restored(story: Path) -> None:
    env = adapters.from_jericho(story, commands=["take lamp", "up", "down", "drop lamp"], info_keys="all")
    text, _ = env.reset(seed=0)
    assert "A bare cellar" in text
    assert env.step("up")[0] == "It is too dark to climb."
    saved: Any = env.save()  # type: ignore[attr-defined]
    env.step("take lamp")
    _, reward, terminated, _, info = env.step("up")
    assert (reward, terminated, bool(info["success"]), bool(info["lost"])) == (1.0, True, True, False)
    env.restore(saved)  # type: ignore[attr-defined]
    _, reward, terminated, _, info = env.step("down")
    assert (reward, terminated, bool(info["success"]), bool(info["lost"])) == (0.0, True, False, True)
    env.close()


def test_a_story_in_jericho_keeps_the_rules(story: Path) -> None:
    check_env(lambda: adapters.from_jericho(story, commands=["take lamp", "up", "down", "drop lamp"]))


def test_a_story_that_is_not_there_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="must be a file for the Z-machine"):
        adapters.from_jericho("nowhere.z5")


def test_textworld_express_pays_its_score_and_knows_its_commands() -> None:
    pytest.importorskip("textworld_express")
    env = adapters.from_textworld_express("coin", params="numLocations=3", info_keys="all")
    hashes = {trajectory_hash(env, seed=seed, episodes=1) for seed in (0, 0, 1)}
    assert len(hashes) == 2
    obs, info = IndexedCommands(env, commands=16).reset(seed=0)
    assert int(obs["action_mask"].sum()) == len(env.commands) >= 2
    assert "coin" in info["goal"]
    env.close()


def test_textworld_express_keeps_the_rules() -> None:
    pytest.importorskip("textworld_express")
    check_env(lambda: adapters.from_textworld_express("coin", params="numLocations=3"), episodes=1, max_steps=20)


def test_textworld_express_refuses_what_it_does_not_know() -> None:
    pytest.importorskip("textworld_express")
    with pytest.raises(ValueError, match="task must be among"):
        adapters.from_textworld_express("chess")
    with pytest.raises(ValueError, match="fold must be among"):
        adapters.from_textworld_express("coin", fold="all")


def test_scienceworld_is_played_along_its_gold_path() -> None:
    pytest.importorskip("scienceworld")
    env: Any = adapters.from_scienceworld(
        "find-living-thing", simplifications="easy", info_keys=["caption", "goal", "success"]
    )
    env.reset(seed=0)
    variation = int(env._engine.variationIdx)
    env._engine.load("find-living-thing", variation, "easy", True)
    gold = env._engine.get_gold_action_sequence()
    _, info = env.reset(seed=0)
    assert "living thing" in info["goal"]
    total = 0.0
    for command in gold:
        _, reward, terminated, truncated, info = env.step(command)
        total += reward
        if terminated or truncated:
            break
    assert info["success"]
    assert total == pytest.approx(1.0)
    env.close()


def test_reasoning_gym_scores_its_own_answers() -> None:
    pytest.importorskip("reasoning_gym")
    env: Any = adapters.from_reasoning_gym("basic_arithmetic", size=20)
    env.reset(seed=0)
    answer = env._questions[env._index]["answer"]
    assert env.step(answer)[1:4] == (1.0, True, False)
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step("nonsense")
    assert reward < 1.0
    assert terminated
    assert info["lost"]

    def answer_of(env: Any, _obs: Any, _info: Any) -> str:
        return str(env._questions[env._index]["answer"])

    make = lambda: adapters.from_reasoning_gym("basic_arithmetic", size=20)  # noqa: E731
    assert check_env(make, solution=answer_of) == frozenset()


def test_textarena_plays_a_guessing_game_with_random_numbers_of_its_own() -> None:
    pytest.importorskip("textarena")
    one, other = (adapters.from_textarena("GuessTheNumber-v0") for _ in range(2))
    guesses = [f"[{number}]" for number in range(1, 21)]
    alone, beside = [], []
    one.reset(seed=3)
    for guess in guesses:
        alone.append(one.step(guess)[:4])
        if alone[-1][2] or alone[-1][3]:
            break
    one.reset(seed=3)
    other.reset(seed=4)
    for guess in guesses:
        other_running = other._running
        if other_running:
            other.step(guess)
        beside.append(one.step(guess)[:4])
        if beside[-1][2] or beside[-1][3]:
            break
    assert alone == beside
    with pytest.raises(ValueError, match="others must say"):
        adapters.from_textarena("TicTacToe-v0", players=2)


def test_textarena_plays_against_others() -> None:
    pytest.importorskip("textarena")
    env = adapters.from_textarena("TicTacToe-v0", players=2, others=lambda seen: "[8]")
    env.reset(seed=0)
    ended = False
    for cell in (0, 1, 2, 3, 4, 5):
        *_, terminated, truncated, info = env.step(f"[{cell}]")
        if ended := terminated or truncated:
            break
    assert ended
    assert bool(info["success"]) != bool(info["lost"])
