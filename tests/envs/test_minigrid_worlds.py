"""The MiniGrid worlds: rules, true rewards and limits, captions, hashes, events."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs import minigrid
from potentia.envs.minigrid.captions import describe_view
from potentia.envs.minigrid.tasks import TASKS, minigrid_id
from potentia.testing.environments import check_env

pytest.importorskip("minigrid")
minigrid.register()

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE = range(6)
NAMES = [name for task in TASKS for name in task.names]


@pytest.mark.parametrize("name", [task.names[0] for task in TASKS])
def test_one_id_of_each_family_keeps_every_rule(name: str) -> None:
    check_env(f"potentia/{name}-v0", episodes=2, max_steps=40)


def test_the_dictionary_of_minigrid_keeps_every_rule_but_the_vector_one() -> None:
    """MiniGrid's mission space cannot be batched by Gymnasium; all else holds."""
    env = gym.make("potentia/DoorKey-5x5-v0", observation="dict")
    observation, _ = env.reset(seed=0)
    assert sorted(observation) == ["direction", "image", "mission"]
    assert observation in env.observation_space


@pytest.mark.parametrize("name", NAMES)
def test_every_id_runs_with_all_its_keys(name: str) -> None:
    env = gym.make(f"potentia/{name}-v0")
    observation, info = env.reset(seed=1)
    assert observation in env.observation_space
    task = env.unwrapped.task
    assert ("distance" in info) == ("potential" in info) == (task.oracle is not None)
    assert info["subgoals"] == dict.fromkeys(task.events, False)
    if task.oracle:
        assert info["distance"] >= 1
        assert -1 < info["potential"] < 0
    for action in (LEFT, FORWARD):
        _, _, terminated, _, after = env.step(action)
        assert after.keys() == info.keys()
        if terminated:
            break


@pytest.mark.parametrize("name", ["DoorKey-5x5", "KeyCorridorS3R1", "Dynamic-Obstacles-5x5", "PutNear-6x6-N2"])
def test_observations_rewards_and_ends_are_minigrids_own(name: str) -> None:
    """Same seed, same actions: all the same, but that an ended episode is not truncated as well."""
    ours = gym.make(f"potentia/{name}-v0")
    bare = gym.make(minigrid_id(name)).unwrapped
    rng = np.random.default_rng(0)
    ended = 0
    ours.reset(seed=3)
    bare.reset(seed=3)
    for _ in range(1500):
        action = int(rng.integers(ours.action_space.n))
        image, reward, terminated, truncated, info = ours.step(action)
        view, wanted, term, trunc, _ = bare.step(action)
        np.testing.assert_array_equal(image, view["image"])
        assert (reward, terminated, truncated) == (wanted, term, trunc and not term)
        assert info["success"] == (term and wanted > 0)
        if term or trunc:
            ended += 1
            np.testing.assert_array_equal(ours.reset()[0], bare.reset()[0]["image"])
    assert ended >= 3


def door_key() -> tuple[Any, dict[str, Any]]:
    """DoorKey-5x5, seed 1: key one ahead of the agent, the locked door beside it on the left."""
    env = gym.make("potentia/DoorKey-5x5-v0")
    _, info = env.reset(seed=1)
    return env, info


def test_a_walkthrough_of_door_key_by_hand() -> None:
    """Key ahead, door on the left: pick up, left, toggle, then into the room of the goal: 7 actions."""
    env, info = door_key()
    assert info["caption"] == ("You carry nothing. You see a locked yellow door 1 to the left, a yellow key 1 ahead.")
    told: list[set[str]] = []
    distances = [info["distance"]]
    for action in (PICK_UP, LEFT, TOGGLE, FORWARD, FORWARD, RIGHT, FORWARD):
        _, reward, terminated, truncated, info = env.step(action)
        told.append({name for name, happened in info["subgoals"].items() if happened})
        distances.append(info["distance"])
        if info["distance"] == 6.0:
            assert info["caption"].startswith("You carry a yellow key.")
    assert distances == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    assert told == [
        {"picked_up_key"},
        set(),
        {"unlocked_door", "opened_door"},
        {"passed_door"},
        set(),
        set(),
        {"reached_goal"},
    ]
    assert (terminated, truncated, info["success"]) == (True, False, True)
    assert reward == pytest.approx(1 - 0.9 * 7 / 250)  # the limit of DoorKey-5x5 is 10 * 5^2


def test_state_hash_is_of_the_state_and_not_of_the_time() -> None:
    env, info = door_key()
    start = info["state_hash"]
    turned = env.step(LEFT)[4]["state_hash"]
    assert turned != start
    assert env.step(RIGHT)[4]["state_hash"] == start
    held = env.step(PICK_UP)[4]["state_hash"]
    assert held not in {start, turned}
    assert env.step(DROP)[4]["state_hash"] == start


@pytest.mark.parametrize("name", ["DoorKey-5x5", "Dynamic-Obstacles-5x5", "ObstructedMaze-1Dlhb"])
def test_state_hash_is_equal_just_when_the_state_is(name: str) -> None:
    env = gym.make(f"potentia/{name}-v0", info_keys=("state_hash",)).unwrapped
    rng = np.random.default_rng(0)
    states: dict[int, Any] = {}
    marks: dict[Any, int] = {}
    _, info = env.reset(seed=0)
    for _ in range(2000):
        game = env.game
        inside = [None if t is None else (t.encode(), t.contains and t.contains.encode()) for t in game.grid.grid]
        load = None if game.carrying is None else (game.carrying.encode(), str(game.carrying.contains))
        mark = (tuple(int(v) for v in game.agent_pos), int(game.agent_dir), load, tuple(inside))
        if load is None:  # the contents of a carried box print with their address
            assert states.setdefault(info["state_hash"], mark) == mark
            assert marks.setdefault(mark, info["state_hash"]) == info["state_hash"]
        _, _, terminated, truncated, info = env.step(int(rng.integers(env.action_space.n)))
        if terminated or truncated:
            _, info = env.reset()
    assert len(states) > 30


def test_state_hash_is_the_same_in_another_process() -> None:
    code = (
        "import gymnasium as gym; from potentia.envs import minigrid; minigrid.register();"
        "print(gym.make('potentia/DoorKey-5x5-v0').reset(seed=1)[1]['state_hash'])"
    )
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert int(other.stdout) == door_key()[1]["state_hash"]


def test_caption_of_a_view_by_hand() -> None:
    """View of 7x7, the agent at column 3, row 6: a wall ahead, lava 2 ahead, an open door 1 to the right."""
    image = np.ones((7, 7, 3), dtype=np.uint8)
    image[3, 6] = (6, 2, 0)
    image[3, 5] = (2, 5, 0)
    image[3, 4] = (9, 0, 0)
    image[4, 6] = (4, 4, 0)
    assert describe_view(image) == (
        "You carry a blue ball. A wall is in front of you. You see an open yellow door 1 to the right, lava 2 ahead."
    )


def test_info_keys_choose_what_is_computed() -> None:
    env = gym.make("potentia/DoorKey-5x5-v0", info_keys=("potential",))
    assert list(env.reset(seed=0)[1]) == ["potential"]
    assert gym.make("potentia/DoorKey-5x5-v0", info_keys=()).reset(seed=0)[1] == {}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"info_keys": ("colour",)}, "info_keys must be among"),
        ({"observation": "pixels"}, 'observation must be "image" or "dict"'),
        ({"name": "Nowhere"}, "name must be one of"),
    ],
)
def test_bad_options_are_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make("potentia/DoorKey-5x5-v0", **kwargs)


def test_a_key_that_the_task_cannot_offer_is_refused() -> None:
    with pytest.raises(ValueError, match="in this task"):
        gym.make("potentia/PutNear-6x6-N2-v0", info_keys=("distance",))
