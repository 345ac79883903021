"""TextWorld's games: the rules, TextWorld's own logic as the oracle, exact distances, and the cache."""

from __future__ import annotations

import copy
import os
import pickle
import random
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.text.textworld import library
from potentia.envs.text.textworld.kinds import KINDS, generate, settings_of
from potentia.envs.text.textworld.machine import Machine, safe_command
from potentia.envs.text.textworld.planner import Planner
from potentia.envs.text.textworld.symbols import Symbols, read_symbols
from potentia.envs.text.textworld.world import TextWorld
from potentia.testing import check_env

textworld = pytest.importorskip("textworld")

SMALL: dict[str, dict[str, Any]] = {
    "CoinCollector": {"level": 3},
    "TreasureHunter": {"level": 21},
    "Cooking": {},
    "Simple": {},
    "Custom": {},
}


def number_0(kind: str) -> tuple[str, Any]:
    """The first game of a kind: the compiled story, and TextWorld's own description of it."""
    path = library.story(kind, settings_of(kind, SMALL[kind]), 0).path
    return path, textworld.Game.load(path.replace(".z8", ".json"))


@pytest.mark.exhaustive(1)
@pytest.mark.parametrize("kind", KINDS)
def test_the_rules_hold(kind: str) -> None:
    make = lambda: gym.make(f"potentia/TextWorld-{kind}-v0", games=1, **SMALL[kind])  # noqa: E731
    assert check_env(make, max_steps=30, episodes=1) == frozenset()


def test_the_rules_hold_for_an_id_as_it_is_registered_and_for_its_numbered_form() -> None:
    assert check_env(gym.make("potentia/TextWorld-Custom-v0", form="indexed"), max_steps=30, episodes=2) == frozenset()


def solve(env: Any, seed: int) -> tuple[float, int, dict[str, Any]]:
    """Follow the plan to the end."""
    _, info = env.reset(seed=seed)
    total, steps, ended = 0.0, 0, False
    while not ended:
        left = info["distance"]
        _, reward, terminated, truncated, info = env.step(info["plan"].split("\n")[0])
        assert info["distance"] == left - 1
        total, steps, ended = total + float(reward), steps + 1, terminated or truncated
    return total, steps, info


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_wins_the_whole_score(kind: str) -> None:
    env = TextWorld(kind, games=1, info_keys="all", **SMALL[kind])
    total, steps, info = solve(env, 0)
    assert info["success"]
    assert total == info["score"] == env.story.symbols.max_score
    assert steps <= len(number_0(kind)[1].walkthrough)
    env.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_true_agrees_with_textworlds_own_tracking(kind: str, monkeypatch: Any) -> None:
    """Random play in the same game, once here and once by TextWorld."""
    path, _ = number_0(kind)
    monkeypatch.setattr("warnings.warn", lambda *_, **__: None)  # Jericho's, of games that it does not know
    theirs = textworld.start(path, textworld.EnvInfos(facts=True, admissible_commands=True, score=True))
    ours = TextWorld(kind, games=1, info_keys="all", **SMALL[kind])
    rng = random.Random(0)
    for _ in range(2):
        state = theirs.reset()
        _, info = ours.reset()
        for _ in range(25):
            assert info["score"] == state["score"]
            assert info["facts"].split("\n") == sorted(
                " ".join([fact.name, *(one.name for one in fact.arguments)]) for fact in state["facts"]
            )
            commands = set(ours.commands)
            looking = {
                command for command in state["admissible_commands"] if command.startswith(("exam", "look", "inv"))
            }
            assert commands - {"examine cookbook"} == set(state["admissible_commands"]) - looking
            command = rng.choice(state["admissible_commands"])
            state, _, done = theirs.step(command)
            _, _, terminated, truncated, info = ours.step(command)
            assert (done, state["won"], state["lost"]) == (terminated, bool(info["success"]), bool(info["lost"]))
            if terminated or truncated:
                break
    theirs.close()
    ours.close()


@pytest.mark.parametrize(
    ("kind", "settings"), [("Custom", {"rooms": 2, "objects": 2}), ("Custom", {"quest_length": 4})]
)
def test_leaving_out_what_can_only_be_undone_changes_no_distance(kind: str, settings: dict[str, Any]) -> None:
    for number in range(3):
        symbols = read_symbols(generate(kind, settings_of(kind, settings), number))
        planner, exact = Planner(symbols), exact_distances(symbols, 3000)
        assert len(exact) >= 5
        assert {state: planner.distance(state) for state in exact} == exact


def exact_distances(symbols: Symbols, limit: int) -> dict[int, int]:
    """Of all states that can be reached, by all deeds. Empty beyond the limit."""
    before: dict[int, list[int]] = {symbols.start: []}
    queue = deque(before)
    while queue:
        state = queue.popleft()
        if symbols.won(state) or symbols.lost(state):
            continue
        for deed in symbols.possible(state):
            after = symbols.after(state, deed)
            if after not in before:
                before[after] = []
                queue.append(after)
            before[after].append(state)
        if len(before) > limit:
            return {}
    distances = {state: 0 for state in before if symbols.won(state)}
    queue = deque(distances)
    while queue:
        state = queue.popleft()
        for earlier in before[state]:
            if earlier not in distances:
                distances[earlier] = distances[state] + 1
                queue.append(earlier)
    return {state: distances.get(state, -1) for state in before}


def test_taking_the_wrong_treasure_loses_without_success() -> None:
    env = TextWorld("TreasureHunter", games=1, level=1, info_keys="all")
    env.reset(seed=0)
    symbols = env.story.symbols
    wrong = next(deed for deed in symbols.deeds if symbols.lost(symbols.settle(deed.adds)))
    walk = Planner(Symbols(**{**vars_of(symbols), "goals": fetch(symbols, wrong.adds)})).plan(symbols.start)
    for command in walk:
        _, reward, terminated, _, info = env.step(command)
    assert (terminated, bool(info["lost"]), bool(info["success"]), float(reward)) == (True, True, False, 0.0)
    assert (info["distance"], info["potential"]) == (-1.0, -1.0)
    env.close()


def vars_of(symbols: Symbols) -> dict[str, Any]:
    return {name: getattr(symbols, name) for name in symbols.__dataclass_fields__}


def fetch(symbols: Symbols, bits: int) -> tuple[Any, ...]:
    """The goal to make these bits true, in the place of the game's own."""
    goal = symbols.goals[0]
    return (type(goal)((bits,), (), False),)


@pytest.mark.parametrize(
    ("typed", "safe"),
    [
        ("take key", "take key"),
        ("TAKE the Henderson's box", "take the henderson's box"),
        ("go east. save", "go east"),
        ("go east then quit", "go east"),
        ("take key, open door", "take key"),
        ("\\x\n", "x"),
        ("look \\x", "look x"),
        ("save", ""),
        ("Restart now", ""),
        ("tw-print state", ""),
        ("caf\u00e9 \U0001f600", "cafe"),
    ],
)
def test_commands_are_one_and_steer_nothing_but_the_game(typed: str, safe: str) -> None:
    assert safe_command(typed) == safe


def test_nothing_that_can_be_typed_writes_a_file_or_ends_the_game(tmp_path: Path, monkeypatch: Any) -> None:
    env = TextWorld("Custom", games=1, max_episode_steps=1000, info_keys=["state_hash"])
    monkeypatch.chdir(tmp_path)
    _, first = env.reset(seed=0)
    for command in (
        "save",
        "SCRIPT",
        "script on",
        "quit",
        "restart",
        "restore",
        "undo",
        "y",
        "game.sav",
        "\\s",
        "tw-x",
    ):
        text, reward, terminated, _, info = env.step(command)
        assert (reward, terminated, info["state_hash"]) == (0.0, False, first["state_hash"])
        assert text
    assert not list(tmp_path.iterdir())
    env.close()


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_equally_and_apart(way: Any) -> None:
    env = TextWorld("Custom", games=2, info_keys="all")
    _, info = env.reset(seed=1)
    plan = info["plan"].split("\n")
    env.step(plan[0])
    other = way(env)
    disturbed = way(env)
    disturbed.step(disturbed.commands[-1])
    for command in plan[1:]:
        assert repr(other.step(command)) == repr(env.step(command))
    assert repr(other.reset()) == repr(env.reset())


def test_what_is_not_asked_for_is_not_searched(monkeypatch: Any) -> None:
    def fail(*_: Any) -> int:
        raise AssertionError("searched")

    monkeypatch.setattr(Planner, "distance", fail)
    env = TextWorld("Custom", games=1)
    assert set(env.reset(seed=0)[1]) == {"success", "lost"}
    env.step("look")
    env.close()


def test_the_caption_shows_what_is_in_sight() -> None:
    env = TextWorld("Cooking", games=1, info_keys=["caption"])
    _, info = env.reset(seed=0)
    assert "You are in the kitchen." in info["caption"]
    assert "fridge (open)" in info["caption"]
    assert "carrot" in info["caption"] or "potato" in info["caption"]
    assert "ingredient" not in info["caption"]
    _, *_, info = env.step("close fridge")
    assert "fridge (closed)" in info["caption"]
    env.close()


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match=r"takes the settings \('level',\), got \['rooms'\]"):
        TextWorld("CoinCollector", rooms=3)
    with pytest.raises(ValueError, match="kind must be among"):
        TextWorld("Chess")
    with pytest.raises(ValueError, match="games must be at least 1"):
        TextWorld("Custom", games=0)


def test_games_of_other_numbers_are_others() -> None:
    settings = settings_of("Custom", {})
    one, other = (library.story("Custom", settings, number) for number in (0, 1))
    assert one.key != other.key
    assert one.symbols != other.symbols
    assert library.story("Custom", settings, 0) is one


def test_a_cache_that_can_not_be_written_to_is_replaced_with_a_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    env = TextWorld("Custom", games=1, cache=blocked)
    with pytest.warns(RuntimeWarning, match="can't be kept in"):
        env.reset(seed=0)
    assert env.step("look")[0]
    env.close()


def test_two_processes_may_make_the_same_game_at_once(tmp_path: Path) -> None:
    code = (
        "from potentia.envs.text.textworld.library import story;"
        f"game = story('Custom', {settings_of('Custom', {})}, 0, {str(tmp_path)!r});"
        "print(game.path, 'plan:', game.planner.plan(game.symbols.start))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ})
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert said[0] == said[1]
    assert "plan: [" in said[0]
    assert len(list(tmp_path.iterdir())) == 1  # and nothing half made


def test_a_vector_over_processes_plays_the_same_games() -> None:
    texts = []
    for processes in (False, True):
        envs = gym.make_vec("potentia/TextWorld-Custom-v0", 2, processes=processes, games=2, info_keys=["caption"])
        seen = [envs.reset(seed=3)]
        for commands in (("look", "inventory"), ("go south", "go north"), ("inventory", "look")):
            seen.append(envs.step(commands))
        texts.append(repr([(one[0], one[-1]["caption"].tolist()) for one in seen]))
        envs.close()
    assert texts[0] == texts[1]


def test_a_machine_that_was_closed_starts_again() -> None:
    settings = settings_of("Custom", {})
    path = library.story("Custom", settings, 0).path
    machine = Machine()
    first = machine.start(path)
    machine.close()
    assert machine.start(path) == first
    machine.close()
    assert "$$" not in first.text
    assert "TextWorld" in first.text
