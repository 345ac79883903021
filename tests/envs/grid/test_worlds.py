"""The grid worlds under their ids: every rule of environments, captions, hashes, events, states, both forms."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.grid import LEVELS, GridEnv
from potentia.envs.grid.captions import describe_view
from potentia.envs.grid.levels import NAMES
from potentia.envs.grid.worlds import has_distance
from potentia.testing.environments import check_env

LEFT, RIGHT, FORWARD, PICK_UP, DROP, TOGGLE = range(6)
FIRST_OF_FAMILY = list({LEVELS[name].family: name for name in reversed(NAMES)}.values())


@pytest.mark.exhaustive(8)
@pytest.mark.parametrize("name", FIRST_OF_FAMILY)
def test_one_id_of_each_family_keeps_every_rule(name: str) -> None:
    untried = check_env(f"potentia/{name}-v0", episodes=2, max_steps=40)
    # Where the distance is known it was walked to success, unless balls move by chance.
    assert untried <= ({"success"} if not has_distance(LEVELS[name]) else {"distance"} if "Dynamic" in name else set())


def test_names_are_all_levels() -> None:
    assert list(NAMES) == [name for name in LEVELS if not name.endswith("-v0")]


@pytest.mark.parametrize("name", ["DoorKey-5x5", "Fetch-5x5-N2", "LockedRoom", "Playground"])
def test_the_dictionary_of_minigrid_keeps_every_rule_too(name: str) -> None:
    env = gym.make(f"potentia/{name}-v0", observation="dict")
    observation, _ = env.reset(seed=0)
    assert sorted(observation) == ["direction", "image", "mission"]
    assert observation in env.observation_space
    many = gym.make_vec(f"potentia/{name}-v0", 3, observation="dict")
    observations, _ = many.reset(seed=0)
    assert observations in many.observation_space
    assert observations["mission"][0] == observation["mission"]


@pytest.mark.exhaustive(20)
@pytest.mark.parametrize("name", NAMES)
def test_every_id_runs_with_all_its_keys(name: str) -> None:
    env = gym.make(f"potentia/{name}-v0", info_keys="all")
    observation, info = env.reset(seed=1)
    assert observation in env.observation_space
    level = LEVELS[name]
    assert ("distance" in info) == ("potential" in info) == has_distance(level)
    assert info["subgoals"] == dict.fromkeys(level.family.events, False)
    if has_distance(level):
        assert info["distance"] >= 1
        assert -1 < info["potential"] < 0
    for action in (LEFT, FORWARD):
        _, _, terminated, _, after = env.step(action)
        assert after.keys() == info.keys()
        if terminated:
            break


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("name", ["DoorKey-5x5", "Fetch-5x5-N2", "Dynamic-Obstacles-5x5", "ObstructedMaze-1Dlh"])
def test_the_vector_form_is_gymnasiums_own_of_single_worlds(name: str, mode: AutoresetMode) -> None:
    """The same observations, rewards, ends and infos, final ones included, as SyncVectorEnv makes of single worlds."""
    keys = gym.make(f"potentia/{name}-v0").unwrapped.offered_keys
    ours = gym.make_vec(f"potentia/{name}-v0", 3, info_keys=keys, autoreset_mode=mode, max_steps=25)
    kwargs = {"info_keys": keys, "max_steps": 25}
    sync = gym.make_vec(
        f"potentia/{name}-v0", 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **kwargs
    )
    assert type(ours).__name__ == "GridVectorEnv"
    rng = np.random.default_rng(0)
    got, want = ours.reset(seed=5), sync.reset(seed=5)
    assert_equal(got, want)
    ends = 0
    for _ in range(80):
        actions = rng.choice([0, 1, 2, 2, 3, 5] if ours.single_action_space.n > 3 else [0, 1, 2], 3)
        got, want = ours.step(actions), sync.step(actions)
        done = want[2] | want[3]
        ends += int(done.sum())
        if mode is AutoresetMode.SAME_STEP and done.any():
            final = got[4].pop("final_obs"), want[4].pop("final_obs")
            for row in np.flatnonzero(done):
                assert (final[0][row] == final[1][row]).all()
        assert_equal(got, want, done)
        if mode is AutoresetMode.DISABLED and done.any():
            got = ours.reset(options={"reset_mask": done})
            want = sync.reset(options={"reset_mask": done})
            assert (got[0] == want[0]).all()
    assert ends >= 6


def assert_equal(got: Any, want: Any, done: Any = None) -> None:
    assert len(got) == len(want)
    for one, other in zip(got[:-1], want[:-1], strict=True):
        np.testing.assert_array_equal(one, other)
    compare_infos(got[-1], want[-1], done)


def compare_infos(got: dict[str, Any], want: dict[str, Any], done: Any) -> None:
    assert got.keys() == want.keys()
    for key, value in want.items():
        if isinstance(value, dict):
            compare_infos(got[key], value, done)
        else:
            mask = want[f"_{key}"] if f"_{key}" in want else np.ones(len(value), bool)
            assert (np.asarray(got[key])[mask] == np.asarray(value)[mask]).all(), key


def test_tensors_are_what_the_arrays_are() -> None:
    arrays, tensors = (
        gym.make_vec("potentia/LavaGapS5-v0", 3, device=device, info_keys=("distance", "subgoals"))
        for device in (None, "cpu")
    )
    for one, other in zip(arrays.reset(seed=0), tensors.reset(seed=0), strict=True):
        assert_same_as_tensors(one, other)
    for action in (2, 1, 2, 2, 0, 2):
        actions = np.full(3, action)
        for one, other in zip(arrays.step(actions), tensors.step(torch.as_tensor(actions)), strict=True):
            assert_same_as_tensors(one, other)


def assert_same_as_tensors(array: Any, tensor: Any) -> None:
    if isinstance(array, dict):
        for key, value in array.items():
            assert_same_as_tensors(value, tensor[key])
    else:
        assert isinstance(tensor, torch.Tensor)
        assert (array == tensor.numpy()).all()


def test_a_state_is_saved_restored_and_cloned() -> None:
    env = GridEnv("DoorKey-6x6")
    env.reset(seed=1)
    for action in (2, 1, 2):
        env.step(action)
    saved = env.save()
    after = [env.step(action) for action in (1, 2, 0, 2, 5)]
    observation, info = env.restore(saved)
    twin = GridEnv("DoorKey-6x6")
    seen, told = twin.restore(saved)
    assert (seen == observation).all()
    assert told == info
    for action, want in zip((1, 2, 0, 2, 5), after, strict=True):
        for world in (env, twin):
            got = world.step(action)
            assert (got[0] == want[0]).all()
            assert got[1:] == want[1:]
    assert (env.reset()[0] == twin.reset()[0]).all()  # the random numbers came along
    many = gym.make_vec("potentia/DoorKey-6x6-v0", 4).unwrapped
    many.reset(seed=0)
    many.worlds.restore(saved, [0], slice(None))
    assert (many.worlds.out.image == observation).all()


def test_pictures_need_a_render_mode() -> None:
    env = gym.make("potentia/DoorKey-5x5-v0", render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (160, 160, 3)
    many = gym.make_vec("potentia/DoorKey-5x5-v0", 2, render_mode="rgb_array")
    many.reset(seed=0)
    assert (many.render()[0] == env.render()).all()
    with pytest.raises(ValueError, match='render_mode="rgb_array"'):
        GridEnv("DoorKey-5x5").render()
    with pytest.raises(ValueError, match="render_mode must be"):
        GridEnv("DoorKey-5x5", render_mode="human")


def door_key() -> tuple[Any, dict[str, Any]]:
    """DoorKey-5x5, seed 1: key one ahead of the agent, the locked door beside it on the left."""
    env = gym.make("potentia/DoorKey-5x5-v0", info_keys="all")
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
    env = GridEnv(name, info_keys=("state_hash",))
    rng = np.random.default_rng(0)
    states: dict[int, Any] = {}
    marks: dict[Any, int] = {}
    _, info = env.reset(seed=0)
    for _ in range(2000):
        state = env.worlds.state
        mark = state.cells.tobytes(), state.agent[0, :3].tobytes()
        assert states.setdefault(info["state_hash"], mark) == mark
        assert marks.setdefault(mark, info["state_hash"]) == info["state_hash"]
        _, _, terminated, truncated, info = env.step(int(rng.integers(env.action_space.n)))
        if terminated or truncated:
            _, info = env.reset()
    assert len(states) > 30


def test_state_hash_is_the_same_in_another_process() -> None:
    code = "import gymnasium as gym, potentia;env=gym.make('potentia/DoorKey-5x5-v0', info_keys='all');"
    code += "print(env.reset(seed=1)[1]['state_hash'])"
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
    assert gym.make("potentia/DoorKey-5x5-v0").reset(seed=0)[1] == {"success": False}
    assert gym.make("potentia/DoorKey-5x5-v0", info_keys=()).reset(seed=0)[1] == {}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"info_keys": ("colour",)}, "info_keys must be among"),
        ({"observation": "pixels"}, "observation must be one of"),
        ({"level": "Nowhere"}, "unknown grid level"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
    ],
)
def test_bad_options_are_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make("potentia/DoorKey-5x5-v0", **kwargs)


def test_a_key_that_the_task_cannot_offer_is_refused() -> None:
    with pytest.raises(ValueError, match="in this world"):
        gym.make("potentia/Playground-v0", info_keys=("distance",))
