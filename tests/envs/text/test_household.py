"""Household tasks: ALFWorld's language and rules, rooms that can be solved, the shortest way, the rules of worlds."""

from __future__ import annotations

import copy
import pickle
import sys
from collections import deque
from random import Random
from typing import Any

import gymnasium as gym
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.text.household import TASKS, Goal, House, Household, Room
from potentia.envs.text.household.furnishing import furnish
from potentia.envs.text.household.original import ALFWorld
from potentia.envs.text.household.tables import HOLDERS, LAMP
from potentia.envs.text.household.way import shortest_way
from potentia.testing import check_env

KITCHEN = Room(
    ["countertop 1", "drawer 1", "fridge 1", "microwave 1", "sinkbasin 1"],
    ["apple 1", "apple 2", "butterknife 1", "mug 1"],
    [0, 2, 1, 0],
    Goal("PickHeatThenPlace", "apple", "fridge", "put a hot apple in fridge"),
)
BEDROOM = Room(
    ["bed 1", "desk 1"],
    ["book 1", "desklamp 1"],
    [0, 1],
    Goal("LookInLight", "book", LAMP, "look at book under the desklamp"),
)


def play(house: House, *commands: str) -> str:
    """The answer to the last of some commands."""
    return [house.do(command) for command in commands][-1]


@pytest.mark.parametrize("task", ["", *(f"-{name}" for name in TASKS)])
def test_every_id_keeps_the_rules(task: str) -> None:
    assert check_env(f"potentia/Household{task}-v0", episodes=1) == frozenset()


@pytest.mark.parametrize("form", ["indexed", {"commands": 16, "width": 16}])
def test_the_indexed_form_keeps_the_rules(form: Any) -> None:
    make = lambda: gym.make("potentia/Household-PickAndPlace-v0", form=form, size="small", rooms=3)  # noqa: E731
    assert check_env(make, episodes=1) == frozenset()


def test_an_episode_by_hand() -> None:
    house = House(KITCHEN)
    assert house.intro() == (
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room. Looking quickly around you, you see a "
        "countertop 1, a drawer 1, a fridge 1, a microwave 1, and a sinkbasin 1.\n\n"
        "Your task is to: put a hot apple in fridge."
    )
    assert play(house, "go to countertop 1") == (
        "You arrive at countertop 1. On the countertop 1, you see a apple 1, and a mug 1."
    )
    assert play(house, "take apple 1 from countertop 1") == "You pick up the apple 1 from the countertop 1."
    assert play(house, "inventory") == "You are carrying: a apple 1."
    assert play(house, "go to microwave 1") == "You arrive at microwave 1. The microwave 1 is closed."
    assert play(house, "heat apple 1 with microwave 1") == "You heat the apple 1 using the microwave 1."
    assert play(house, "examine apple 1") == "This is a hot apple 1."
    assert play(house, "go to fridge 1", "open fridge 1") == (
        "You open the fridge 1. The fridge 1 is open. In it, you see a apple 2."
    )
    assert not house.won()
    assert play(house, "move apple 1 to fridge 1") == "You move the apple 1 to the fridge 1."
    assert house.won()
    assert play(house, "close fridge 1") == "You close the fridge 1."
    assert play(house, "look") == "You are facing the fridge 1. Next to it, you see nothing."


@pytest.mark.parametrize(
    "command",
    [
        "go to countertop 1",  # where one is
        "go to countertop 2",
        "open countertop 1",
        "close drawer 1",
        "take apple 2 from fridge 1",  # elsewhere
        "take apple 2 from countertop 1",
        "move apple 1 to countertop 1",  # not held
        "heat apple 1 with microwave 1",
        "slice apple 1 with butterknife 1",
        "use mug 1",
        "examine apple 1",  # in view, but not in hand
        "examine fridge 1",
        "dance",
        "",
        "look around the whole big room",
        "take apple 1",
    ],
)
def test_what_makes_no_sense_does_nothing(command: str) -> None:
    house = House(KITCHEN)
    house.do("go to countertop 1")
    before = house.state()
    assert play(house, command) == "Nothing happens."
    assert house.state() == before


def test_nonsense_is_not_remembered() -> None:
    house = House(furnish(["PickAndPlace"], Random(0)))
    for number in range(100):
        house.do(f"sing song {number}")
        house.do("  look" + " " * number)
    assert 0 < len(house.room.parsed) <= 100


def test_one_carries_one_thing_and_a_closed_door_hides_and_bars() -> None:
    house = House(KITCHEN)
    play(house, "go to countertop 1", "take apple 1 from countertop 1")
    assert play(house, "take mug 1 from countertop 1") == "Nothing happens."
    assert play(house, "go to fridge 1", "move apple 1 to fridge 1") == "Nothing happens."
    assert play(house, "examine apple 2") == "Nothing happens."
    assert play(house, "open fridge 1", "examine fridge 1") == "The fridge 1 is open. In it, you see a apple 2."
    assert play(house, "examine apple 1") == "There's nothing special about apple 1."
    assert play(house, "go to drawer 1", "open drawer 1", "move apple 1 to drawer 1") == "Nothing happens."  # too large


def test_cold_hot_clean_and_sliced() -> None:
    house = House(KITCHEN)
    play(house, "go to countertop 1", "take apple 1 from countertop 1", "go to fridge 1", "cool apple 1 with fridge 1")
    assert play(house, "examine apple 1") == "This is a cold apple 1."
    assert play(house, "go to sinkbasin 1", "clean apple 1 with sinkbasin 1") == (
        "You clean the apple 1 using the sinkbasin 1."
    )
    assert play(house, "examine apple 1") == "This is a cool and clean apple 1."
    assert play(house, "go to microwave 1", "heat apple 1 with microwave 1", "examine apple 1") == (
        "This is a hot and clean apple 1."
    )
    assert not house.cool
    play(house, "go to countertop 1", "move apple 1 to countertop 1", "go to drawer 1", "open drawer 1")
    play(house, "take butterknife 1 from drawer 1", "go to countertop 1")
    assert "slice apple 1 with butterknife 1" in house.commands()
    assert play(house, "slice apple 1 with butterknife 1") == "You sliced the apple 1 with the butterknife 1."
    play(house, "move butterknife 1 to countertop 1", "take apple 1 from countertop 1")
    assert play(house, "examine apple 1") == "This is a hot and clean sliced apple 1."


def test_looking_at_something_in_the_light() -> None:
    house = House(BEDROOM)
    assert shortest_way(house) == ("go to bed 1", "take book 1 from bed 1", "go to desk 1", "use desklamp 1")
    assert play(house, "go to desk 1", "take desklamp 1 from desk 1") == "Nothing happens."
    assert play(house, "use desklamp 1") == "You turn on the desklamp 1."
    play(house, "go to bed 1", "take book 1 from bed 1")
    assert not house.won()
    play(house, "go to desk 1")
    assert house.won()


def test_either_wording_is_understood_and_one_is_spoken() -> None:
    for said, where, answer in (("move", "to", "You move the apple 1 to the countertop 1."),
                                ("put", "in/on", "You put the apple 1 in/on the countertop 1.")):  # fmt: skip
        house = House(KITCHEN, said)
        play(house, "go to countertop 1", "take apple 1 from countertop 1")
        assert f"{said} apple 1 {where} countertop 1" in house.commands()
        for command in (
            "move apple 1 to countertop 1",
            "put apple 1 in/on countertop 1",
            "PUT apple 1 on  countertop 1",
        ):
            assert play(house, command) == answer
            play(house, "take apple 1 from countertop 1")


@pytest.mark.parametrize("size", ["small", "full"])
@pytest.mark.parametrize("task", TASKS)
def test_rooms_can_be_solved_and_are_as_the_tables_say(task: str, size: str) -> None:
    for seed in range(60):
        room = furnish([task], Random(seed), size=size)
        house = House(room)
        assert not house.won()
        way = shortest_way(house)
        assert 0 < len(way) <= TASKS[task].farthest
        play(house, *way)
        assert house.won()
        assert len(room.targets) >= TASKS[task].count
        for kind, place in zip(room.object_kinds, room.places, strict=True):
            assert kind == LAMP or kind in HOLDERS[room.kinds[place]]


def test_the_commands_are_those_that_do_something() -> None:
    """Over random play in full rooms: what is offered is answered, and what else could be said is not."""
    rng = Random(0)
    for seed in range(6):
        house = House(furnish(list(TASKS), Random(seed)))
        room = house.room
        every = {f"{verb} {place}" for verb in ("open", "close", "examine", "go to") for place in room.receptacles}
        every |= {f"{verb} {obj}" for verb in ("use", "examine") for obj in room.objects}
        every |= {f"{verb} {obj} {link} {place}" for obj in room.objects for place in room.receptacles
                  for verb, link in (("take", "from"), ("move", "to"), ("clean", "with"), ("heat", "with"),
                                     ("cool", "with"))}  # fmt: skip
        every |= {f"slice {obj} with {knife}" for obj in room.objects for knife in room.objects}
        for _ in range(12):
            offered = house.commands()
            assert len(set(offered)) == len(offered)
            for command in every | set(offered):
                answer = copy.deepcopy(house).do(command)
                assert (answer != "Nothing happens.") == (command in offered), command
            house.do(rng.choice(offered))


def _fewest(house: House) -> int:
    """The distance by trying everything."""
    reached, queue = {house.state()}, deque([(house, 0)])
    if house.won():
        return 0
    while queue:
        here, steps = queue.popleft()
        for command in here.commands():
            there = copy.deepcopy(here)
            there.do(command)
            if there.won():
                return steps + 1
            if there.state() not in reached:
                reached.add(there.state())
                queue.append((there, steps + 1))
    raise AssertionError("no way")


def _tiny(rng: Random) -> House:
    """A house of a few receptacles in any state."""
    room = furnish(list(TASKS), rng, size="small")
    others = [obj for obj in range(len(room.objects)) if obj not in room.targets and obj not in room.lamps]
    kept = sorted([*room.targets, *room.lamps, *others[:1]])
    places = {room.places[obj] for obj in kept} | set(rng.sample(sorted(room.goal_places), len(room.goal_places))[:2])
    if room.task.process:
        places |= {place for place, kind in enumerate(room.kinds) if kind == room.task.process.place}
    standing = sorted(places)
    house = House(
        Room(
            [room.receptacles[place] for place in standing],
            [room.objects[obj] for obj in kept],
            [standing.index(room.places[obj]) for obj in kept],
            room.goal,
        )
    )
    for _ in range(rng.randrange(25)):
        if house.won():
            break
        house.do(rng.choice(house.commands()))
    for obj in house.room.targets:  # what play alone would seldom reach
        if room.task.process and rng.random() < 0.3:
            house.clean, house.hot, house.cool = (mark | 1 << obj for mark in (house.clean, house.hot, house.cool))
    return house


@pytest.mark.parametrize("part", range(4))
def test_the_shortest_way_is_no_longer_than_a_search_over_all_states_finds(part: int) -> None:
    distances = set()
    for seed in range(40 * part, 40 * part + 40):
        house = _tiny(Random(seed))
        way = shortest_way(house)
        assert len(way) == _fewest(house), (seed, way)
        for left, command in zip(range(len(way), 0, -1), way, strict=True):
            assert len(shortest_way(house)) == left
            house.do(command)
        assert house.won()
        distances.add(len(way))
    assert len(distances) > 5


@pytest.mark.parametrize("task", TASKS)
def test_the_potential_falls_by_one_along_the_plan_from_any_state(task: str) -> None:
    env = Household(task, info_keys="all")
    for seed in range(8):
        env.reset(seed=seed)
        rng = Random(seed)
        for _ in range(rng.randrange(20)):
            env.step(rng.choice(env.commands))
        left = env.info_now()["distance"]
        for command in env.plan():
            _, reward, terminated, _, info = env.step(command)
            left -= 1
            assert info["distance"] == left
            assert info["potential"] == 0.0 - left / env.distance_scale
            assert reward == float(terminated) == float(left == 0)
        assert left == 0


def test_the_subgoals_of_a_plan_come_in_order() -> None:
    for name, task in TASKS.items():
        env = Household(name, info_keys="all")
        for seed in range(5):
            env.reset(seed=seed)
            reached: list[str] = []
            for command in env.plan():
                reached += [event for event, happened in env.step(command)[4]["subgoals"].items() if happened]
            assert set(reached) == set(task.events)
            assert sorted(set(reached), key=reached.index) == list(task.events), (name, reached)


def test_subgoals_are_not_reached_by_other_things() -> None:
    env = Household("PickHeatThenPlace", info_keys="all")
    env.reset(seed=0)
    env.house = House(KITCHEN)
    for command in (
        "go to countertop 1",
        "take mug 1 from countertop 1",
        "go to microwave 1",
        "heat mug 1 with microwave 1",
    ):
        events = env.step(command)[4]["subgoals"]
        assert [event for event, happened in events.items() if happened] == (["found"] if "go to c" in command else [])


def test_a_pool_of_rooms_is_the_same_everywhere_and_all_of_it_is_used() -> None:
    texts = [{Household("PickAndPlace", rooms=4, size="small").reset(seed=seed)[0] for seed in range(40)} for _ in "ab"]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 4


def test_copies_and_saved_games_go_on_alone() -> None:
    env = Household(rooms=3, info_keys="all")
    env.reset(seed=2)
    saved = env.save()
    others = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    plan = env.plan()
    for command in plan:
        want = env.step(command)
        for other in others:
            assert str(other.step(command)) == str(want)
    assert env.restore(saved)[1]["distance"] == len(plan)
    elsewhere = Household(rooms=3, info_keys="all")
    elsewhere.restore(saved)
    assert str(elsewhere.step(plan[0])) == str(env.step(plan[0]))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [({"task": "Nap"}, "task"), ({"size": "vast"}, "size"), ({"wording": "say"}, "wording"), ({"rooms": 0}, "rooms")],
)
def test_what_is_wrong_is_said(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Household(**arguments)


def test_a_room_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="mug 1 can't lie in toaster 1"):
        Room(["toaster 1"], ["mug 1"], [0], KITCHEN.goal)
    with pytest.raises(ValueError, match="needs a apple"):
        Room(["fridge 1"], ["mug 1"], [0], KITCHEN.goal)


def test_without_its_packages_the_real_engine_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_downward", None)
    with pytest.raises(ImportError, match="pip install alfworld"):
        ALFWorld()
