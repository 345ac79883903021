"""Household beside the real ALFWorld engine, where that is installed: the same rooms, commands, answers and ends."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import gymnasium as gym
import pytest

from potentia.envs.text.household import TASKS, Goal, House, Room, register
from potentia.envs.text.household.furnishing import furnish
from potentia.envs.text.household.original import ALFWorld
from potentia.envs.text.household.pddl import write_game
from potentia.envs.text.household.way import shortest_way

pytest.importorskip("fast_downward")
pytest.importorskip("alfworld")
pytestmark = pytest.mark.filterwarnings("ignore")  # of theirs


def in_any_order(text: str) -> str:
    """A text with what one sees sorted: ALFWorld lists it as its sets of facts come."""
    return re.sub(
        r"you see ([^.]*)\.", lambda found: f"you see {sorted(re.split(', and |, ', found[1]))}.", text
    ).strip()


def game(room: Room, folder: Path) -> ALFWorld:
    write_game(room, folder / "game.tw-pddl")
    return ALFWorld(games=[folder / "game.tw-pddl"], max_episode_steps=None)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_commands_are_offered_answered_and_win(task: str, tmp_path: Path) -> None:
    """Half of the commands lead to success, and the others are any that are offered, or nonsense."""
    room, rng = furnish([task], Random(7), size="small"), Random(7)
    house, theirs = House(room), game(room, tmp_path)
    assert in_any_order(theirs.reset(seed=0)[0]) == in_any_order(house.intro())
    assert theirs.goal_text() == room.goal.sentence
    for _ in range(60):
        assert sorted(theirs.commands) == sorted(house.commands())
        commands = ["eat it", f"open {room.receptacles[0]}", *house.commands()]
        command = shortest_way(house)[0] if rng.random() < 0.5 else rng.choice(commands)
        text, reward, terminated, _, _ = theirs.step(command)
        assert in_any_order(text) == in_any_order(house.do(command)), command
        assert (reward, terminated) == (float(house.won()), house.won())
        if terminated:
            break
    assert house.won()
    theirs.close()


def test_all_that_can_be_done_to_an_apple(tmp_path: Path) -> None:
    room = Room(
        ["cabinet 1", "countertop 1", "fridge 1", "microwave 1", "sinkbasin 1"],
        ["apple 1", "apple 2", "knife 1", "mug 1"],
        [1, 1, 1, 1],
        Goal("PickCoolThenPlace", "mug", "cabinet", "put a cool mug in cabinet"),
    )
    house, theirs = House(room), game(room, tmp_path)
    theirs.reset(seed=0)
    for command in (
        "look", "inventory", "help", "go to countertop 1", "take knife 1 from countertop 1",
        "slice apple 1 with knife 1", "slice mug 1 with knife 1", "go to sinkbasin 1", "clean knife 1 with sinkbasin 1",
        "examine knife 1", "go to countertop 1", "move knife 1 to countertop 1", "look",
        "take apple 1 from countertop 1",
        "examine apple 1", "go to microwave 1", "heat apple 1 with microwave 1", "examine apple 1", "go to sinkbasin 1",
        "clean apple 1 with sinkbasin 1", "examine apple 1", "go to fridge 1", "cool apple 1 with fridge 1",
        "examine apple 1", "open fridge 1", "move apple 1 to fridge 1", "examine fridge 1", "close fridge 1",
        "examine fridge 1", "go to countertop 1", "take mug 1 from countertop 1", "examine mug 1", "use mug 1",
    ):  # fmt: skip
        assert in_any_order(theirs.step(command)[0]) == in_any_order(house.do(command)), command
        assert sorted(theirs.commands) == sorted(house.commands())
    theirs.close()


def test_the_real_games_are_worlds_where_their_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = furnish(["PickAndPlace"], Random(3), size="small")
    folder = tmp_path / "json_2.1.1" / "train" / "pick_and_place_simple-Mug-None-Shelf-7" / "trial_1"
    folder.mkdir(parents=True)
    write_game(room, folder / "game.tw-pddl")
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    register()
    env: Any = gym.make("potentia/ALFWorld-PickAndPlace-v0", info_keys="all")
    text, info = env.reset(seed=0)
    assert info["goal"] == room.goal.sentence
    assert text in env.observation_space
    for command in shortest_way(House(room)):
        before = info["state_hash"]
        _, reward, terminated, _, info = env.step(command)
        assert info["state_hash"] != before
    assert (reward, terminated, bool(info["success"])) == (1.0, True, True)
    with pytest.raises(FileNotFoundError, match="no games of 'PickTwoAndPlace'"):
        gym.make("potentia/ALFWorld-PickTwoAndPlace-v0")
    for name in [name for name in gym.registry if name.startswith("potentia/ALFWorld")]:
        del gym.registry[name]
