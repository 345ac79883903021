"""What is recorded is what happened, whatever ends the episode."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs.info_keys import flag
from potentia.replay import Episode, RecordEpisodes, episode_files, load_episode, save_episode
from potentia.replay.images import Encoder, encode_png, media_type
from potentia.replay.reading import action_words, event_names, goal_text, happened, scalars, shown_text
from potentia.shaping import PotentialShaping
from potentia.wrappers import ShapeReward
from tests.replay.worlds import LENGTH, Corridor

RIGHT = [1] * (LENGTH - 1)


def record(env: gym.Env[Any, Any], folder: Path, *episodes: list[int], **options: Any) -> list[Episode]:
    with RecordEpisodes(env, folder, **options) as recorder:
        for actions in episodes:
            recorder.reset(seed=0)
            for action in actions:
                recorder.step(action)
    return [load_episode(path) for path in episode_files(folder)]


def test_an_episode_is_recorded_step_by_step(tmp_path: Path) -> None:
    [episode] = record(Corridor("rgb_array"), tmp_path, [1, 0, 1, 1, 1, 1])
    assert (episode.world, episode.goal) == ("Corridor", "reach the end")
    assert (episode.end, episode.failure, episode.terminated, episode.truncated) == ("success", "", True, False)
    assert episode.actions == ["go right", "go left"] + ["go right"] * 4
    assert episode.true_rewards == [0, 0, 0, 0.5, 0, 1]
    assert episode.terms == {"env": [0, 0, 0, 0.5, 0, 1]}
    cells = [0, 1, 0, 1, 2, 3, 4]
    assert episode.captions == [f"cell {cell}" for cell in cells]
    assert episode.events == [[], [], [], [], ["reached_two"], [], []]
    assert episode.event_names == ["reached_two"]
    assert episode.info == {
        "state_hash": [2**60 + cell for cell in cells],
        "distance": [4.0 - cell for cell in cells],
        "success": [False] * 6 + [True],
        "checklist.left": [1 - cell / 4 for cell in cells],
    }
    assert episode.frames == cells  # each cell was seen first in order; the second visits are the same picture
    assert (episode.length, episode.true_return, episode.shaped_return) == (6, 1.5, 1.5)


def test_each_term_of_a_shaped_environment_is_recorded(tmp_path: Path) -> None:
    shaped = ShapeReward(Corridor(), PotentialShaping([0.0, 1.0, 2.0, 3.0, 4.0]), gamma=0.5)
    [episode] = record(shaped, tmp_path, RIGHT)
    # gamma phi(next) - phi, and 0 for phi at the end: 0.5 - 0, 1 - 1, 1.5 - 2, 0 - 3
    assert episode.terms == {"env": [0, 0.5, 0, 1], "PotentialShaping": [0.5, 0, -0.5, -3]}
    assert episode.true_rewards == [0, 0.5, 0, 1]
    assert (episode.true_return, episode.shaped_return) == (1.5, -1.5)
    assert "terms" not in episode.info


def test_the_wrapper_changes_nothing(tmp_path: Path) -> None:
    plain, recorded = Corridor("rgb_array"), RecordEpisodes(Corridor("rgb_array"), tmp_path)
    assert plain.reset(seed=0) == recorded.reset(seed=0)
    for action in RIGHT:
        assert plain.step(action) == recorded.step(action)
    recorded.close()


@pytest.mark.parametrize(
    ("options", "actions", "end", "failure"),
    [
        ({}, RIGHT, "success", ""),
        ({"says": False}, RIGHT, "terminated", ""),
        ({"limit": 3}, [0, 0, 0], "truncated", ""),
        ({"fails_at": 2}, [1, 1], "failure", "renderer crashed"),
        ({}, [1, 1], "unfinished", ""),
    ],
)
def test_why_it_ended(tmp_path: Path, options: dict[str, Any], actions: list[int], end: str, failure: str) -> None:
    [episode] = record(Corridor("rgb_array", **options), tmp_path, actions)
    assert (episode.end, episode.failure, episode.length) == (end, failure, len(actions))


def test_after_a_failure_no_picture_is_taken(tmp_path: Path) -> None:
    [episode] = record(Corridor("rgb_array", fails_at=2), tmp_path, [1, 1])
    assert episode.frames == [0, 1, 1]


def test_a_reset_in_the_middle_keeps_what_there_was(tmp_path: Path) -> None:
    first, second = record(Corridor(), tmp_path, [1, 1], RIGHT)
    assert (first.length, first.end, second.end) == (2, "unfinished", "success")


def test_an_episode_without_a_step_is_none(tmp_path: Path) -> None:
    assert record(Corridor(), tmp_path, [], []) == []


def test_every_third_episode(tmp_path: Path) -> None:
    episodes = record(Corridor(), tmp_path, RIGHT, [1] * 2, [1] * 3, [0, *RIGHT], every=3)
    assert [episode.length for episode in episodes] == [4, 5]


def test_numbers_go_on_and_nothing_is_overwritten(tmp_path: Path) -> None:
    record(Corridor(), tmp_path, RIGHT)
    before = (tmp_path / "episode-000000.zip").read_bytes()
    (tmp_path / ".episode-000001.zip.tmp").touch()  # another process is about to write this number
    record(Corridor(), tmp_path, [0, *RIGHT], [1, 1])
    assert [path.name for path in episode_files(tmp_path)] == [f"episode-00000{number}.zip" for number in (0, 2, 3)]
    assert (tmp_path / "episode-000000.zip").read_bytes() == before


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_episode(Episode("World", "", "unfinished"), tmp_path)
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import os, sys, time
from potentia.replay import RecordEpisodes
from tests.replay.worlds import Corridor
env = RecordEpisodes(Corridor("rgb_array", limit=10**9), sys.argv[1])
env.reset(seed=0)
for step in range(10**9):
    env.step(0)
    if step == 20:
        print("playing", flush=True)
    time.sleep(0.001)
"""


def test_an_interrupted_process_keeps_its_episode(tmp_path: Path) -> None:
    # Shells start what runs in the background with interrupts ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "playing\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert told.rstrip().endswith("KeyboardInterrupt")
    [path] = episode_files(tmp_path)
    episode = load_episode(path)
    assert episode.end == "unfinished"
    assert episode.length > 20
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_episode_keeps_evenly_spread_pictures(tmp_path: Path) -> None:
    class Clock(Corridor):
        def render(self) -> Any:
            return np.full((2, 2, 3), self.steps, np.uint8)

    [episode] = record(Clock("rgb_array", limit=100), tmp_path, [0] * 100, max_frames=16)
    # 101 states: every 8th, 0 to 96, is 13 pictures, and the last; every 4th would be 26.
    assert episode.stride == 8
    assert len(episode.images) == 14
    assert [episode.frames.index(image) for image in range(14)] == [*range(0, 97, 8), 100]


def test_what_an_environment_shows_is_taken_as_it_comes(tmp_path: Path) -> None:
    [silent] = record(Corridor(says=False), tmp_path / "silent", RIGHT)
    assert (silent.images, silent.frames) == ([], [-1] * 5)
    assert set(silent.captions) == set(silent.texts) == {""}
    [told] = record(Corridor("ansi"), tmp_path / "ansi", RIGHT)
    assert told.texts[:2] == ["@....", ".@..."]
    [unpictured] = record(Corridor("rgb_array"), tmp_path / "none", RIGHT, frames=False)
    assert unpictured.images == []


def test_what_is_not_finite_is_recorded_as_none(tmp_path: Path) -> None:
    class Broken(Corridor):
        def step(self, action: Any) -> Any:
            obs, _, *rest, info = super().step(action)
            return obs, math.nan, *rest, info | {"distance": math.inf}

    [episode] = record(Broken(), tmp_path, RIGHT)
    assert episode.true_rewards == [None] * 4
    assert episode.info["distance"] == [4.0, None, None, None, None]
    assert episode.true_return == 0


def test_the_file_is_a_plain_archive(tmp_path: Path) -> None:
    record(Corridor("rgb_array"), tmp_path, RIGHT)
    with zipfile.ZipFile(tmp_path / "episode-000000.zip") as archive:
        document = json.loads(archive.read("episode.json"))
        pictures = [name for name in archive.namelist() if name.startswith("frames/")]
    assert (document["format"], document["version"]) == ("potentia-episode", 1)
    assert document["captions"] == {"values": [f"cell {cell}" for cell in range(5)], "index": [0, 1, 2, 3, 4]}
    assert len(pictures) == 5


@pytest.mark.parametrize("damage", ["cut", "other", "later", "torn"])
def test_a_file_that_is_no_episode_is_refused(tmp_path: Path, damage: str) -> None:
    record(Corridor(), tmp_path, RIGHT)
    [path] = episode_files(tmp_path)
    with zipfile.ZipFile(path) as archive:
        document = json.loads(archive.read("episode.json"))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:50])
    else:
        change = {"other": {"format": "x"}, "later": {"version": 2}, "torn": {"actions": ["go right"]}}[damage]
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("episode.json", json.dumps(document | change))
    with pytest.raises(ValueError, match="is not a whole episode"):
        load_episode(path)


@pytest.mark.parametrize("pillow", [True, False])
def test_pictures_are_lossless(pillow: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    image = pytest.importorskip("PIL.Image")
    frame = np.random.default_rng(0).integers(0, 256, (13, 7, 3), dtype=np.uint8)
    grid = np.kron(np.arange(64, dtype=np.uint8).reshape(8, 8), np.ones((16, 16), np.uint8))[..., None].repeat(3, -1)
    for shown in (frame, grid):
        encode = Encoder()
        with monkeypatch.context() as patch:
            if not pillow:
                patch.setitem(sys.modules, "PIL", None)
            pictures = [encode(shown), encode(shown)]
        for picture in pictures:
            assert len(picture) <= len(encode_png(shown))
            assert media_type(picture) in (("image/webp", "image/png") if pillow else ("image/png",))
            np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(picture)).convert("RGB")), shown)
    with pytest.raises(ValueError, match="must be"):
        encode(frame.astype(np.float32))


def test_actions_are_said_in_words() -> None:
    class Named(Corridor):
        action_text = None  # type: ignore[assignment]

        def get_action_meanings(self) -> list[str]:
            return ["NOOP", "FIRE"]

    class Numbered(Corridor):
        action_text = None  # type: ignore[assignment]

    grid = gym.make("potentia/Empty-5x5-v0").unwrapped
    assert [action_words(grid)(action) for action in (0, np.int64(2), 5)] == ["turn left", "forward", "toggle"]
    assert action_words(Named())(1) == "FIRE"
    say = action_words(Numbered())
    assert say(np.int64(1)) == "1"
    assert say(np.array([0.25, -1.0], np.float32)) == "[ 0.25, -1.  ]"
    assert say({"move": np.array([1, 2]), "fire": 0}) == "move: [1, 2], fire: 0"
    assert say("click(3)") == "click(3)"


def test_minihack_shows_itself(tmp_path: Path) -> None:
    pytest.importorskip("minihack")
    env = gym.make("potentia/MiniHack-KeyRoom-S5-v0", render_mode="ansi", disable_env_checker=True)
    [episode] = record(env, tmp_path, [0, 2])
    assert episode.actions == ["n (k)", "s (j)"]
    assert all(len(text.splitlines()) == 24 and "@" in text for text in episode.texts)
    assert episode.world == "potentia/MiniHack-KeyRoom-S5-v0"


def test_a_grid_says_its_mission(tmp_path: Path) -> None:
    env = gym.make("potentia/DoorKey-5x5-v0", render_mode="rgb_array", disable_env_checker=True)
    [episode] = record(env, tmp_path, [2, 0])
    assert episode.goal == "use the key to open the door and then get to the goal"
    assert len(episode.frames) == 3
    assert min(episode.frames) == 0


def test_pages_say_their_goal_and_text_in_the_observation() -> None:
    observation = {"goal": "buy a lamp", "text": "[3] button 'Buy'", "role": np.zeros(4, np.uint8)}
    assert goal_text(Corridor(), observation, {}) == "buy a lamp"
    assert goal_text(Corridor(), np.zeros(2), {"goal": "buy two"}) == "buy two"
    assert goal_text(Corridor(), np.zeros(2), {}) == "reach the end"
    assert [shown_text(seen) for seen in (observation, "a room", {"role": 1}, np.zeros(2))] == [
        "[3] button 'Buy'", "a room", "", "",
    ]  # fmt: skip


def test_only_scalars_of_the_info_are_kept() -> None:
    info = {
        "success": np.bool_(True), "count": np.int64(3), "depth": np.float32(0.5), "name": "x", "zero": np.array(2.0),
        "array": np.zeros(3), "subgoals": {"a": True}, "nested": {"a": 1, "b": [1]}, "caption": "c",
        "terms": {"env": 1.0},
    }  # fmt: skip
    assert scalars(info) == {"success": True, "count": 3, "depth": 0.5, "name": "x", "zero": 2.0, "nested.a": 1}


@pytest.mark.parametrize("true", [bool, np.bool_, flag])
def test_events_are_events_in_every_form_of_a_truth_value(true: Callable[[bool], Any]) -> None:
    info = {"subgoals": {"key": true(True), "door": true(False)}, "steps": {"left": 3, "done": true(True)}}
    assert happened(info) == ["key"]
    assert event_names(info) == ["key", "door"]
    assert scalars(info) == {"steps.left": 3, "steps.done": True}


def test_the_subgoals_of_text_worlds_are_recorded_as_events(tmp_path: Path) -> None:
    env = gym.make("potentia/Calculation-v0")
    with RecordEpisodes(env, tmp_path) as recorder:
        recorder.reset(seed=0)
        recorder.step("I don't know")
        recorder.reset(seed=0)
        recorder.step("3")
    silent, number = (load_episode(path) for path in episode_files(tmp_path))
    assert [silent.events, number.events] == [[[], []], [[], ["answered_with_a_number"]]]
    assert silent.event_names == number.event_names == ["answered_with_a_number"]
    assert not any(name.startswith("subgoals") for name in (*silent.info, *number.info))


@pytest.mark.parametrize("options", [{"every": 0}, {"max_frames": 1}])
def test_wrong_options_are_told(tmp_path: Path, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        RecordEpisodes(Corridor(), tmp_path, **options)
