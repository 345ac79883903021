"""Minari: demonstrations come back from a data set as they went, whatever their spaces; others' data sets are read."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from potentia.adapters.minari import from_minari, to_minari
from potentia.demonstrations import beside
from potentia.envs.experts import expert
from potentia.recording import record_demonstrations
from potentia.rollout import Rollout
from potentia.trees import leaves
from tests.episodes import rollout

minari = pytest.importorskip("minari")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Minari misses authors and addresses


@pytest.fixture(autouse=True)
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


def assert_same(one: Rollout, other: Rollout, info: bool = True) -> None:
    """Where the mask is True. What lies behind it is nobody's."""
    np.testing.assert_array_equal(one.mask, other.mask)
    for name in ("obs", "action", "next_obs", "terms", "discount", "terminated", "truncated", *(["info"] * info)):
        left, right = dict(leaves(getattr(one, name))), dict(leaves(getattr(other, name)))
        assert left.keys() == right.keys(), name
        for path, array in left.items():
            assert array.dtype == right[path].dtype, (name, path)
            np.testing.assert_array_equal(array[one.mask], right[path][one.mask], err_msg=f"{name}{path}")


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("DoorKey-5x5", {"observation": "dict"}),  # a picture, a number and a text
        ("Household", {}),  # texts, and texts for actions
        ("Chain", {}),  # numbers
    ],
)
def test_a_round_trip_changes_nothing(name: str, kwargs: dict[str, Any]) -> None:
    envs = gym.make_vec(f"potentia/{name}-v0", num_envs=2, **kwargs)
    columns = ["distance", "next_distance", "success", "next_success"]
    shown, _ = record_demonstrations(envs, 3, expert(envs), gamma=0.9, columns=columns)
    dataset = to_minari(shown, "shown/expert-v0", envs, algorithm_name="expert")
    assert dataset.total_episodes == 3
    assert dataset.total_steps == shown.mask.sum()
    assert dataset.recover_environment().observation_space == envs.single_observation_space
    assert_same(shown, from_minari("shown/expert-v0", gamma=0.9))
    first = from_minari(dataset, gamma=0.9, episodes=2)
    assert_same(beside([shown[:, :2]]), first)


def test_a_bound_box_and_pairs() -> None:
    episode = beside([rollout([0, 1, 2], truncated=True), rollout([3, 1], terminated=True)])
    rows = np.float32([[[0.5, 1.0], [2.0, 3.0]], [[0.0, 0.0], [1.0, 1.0]]])
    shown = replace(episode, action=(rows, episode.action))
    space = spaces.Tuple([spaces.Box(0, 3, (2,), np.float32), spaces.Discrete(4)])
    env = gym.Env[Any, Any]()
    env.observation_space, env.action_space = spaces.Discrete(9), space
    to_minari(shown, "pairs-v0", env)
    assert_same(shown, from_minari("pairs-v0", gamma=0.99))
    terminal = from_minari("pairs-v0", gamma=0.99, truncation="terminal")
    assert terminal.discount[1, 0] == 0.0  # a cut, which such a learner takes for an end


def test_only_the_true_reward_is_written() -> None:
    shown = rollout([0, 1, 2], terminated=True, rewards=[0, 1]).add("bonus", np.ones((2, 1)))
    env = gym.Env[Any, Any]()
    env.observation_space, env.action_space = spaces.Discrete(9), spaces.Discrete(2)
    to_minari(shown, "bonus-v0", env)
    assert from_minari("bonus-v0", gamma=0.99).terms.keys() == {"env"}
    assert from_minari("bonus-v0", gamma=0.99).reward[:, 0].tolist() == [0.0, 1.0]


def test_an_episode_cut_from_a_stream_is_truncated() -> None:
    """As data sets of D4RL are: neither flag is set at their last step."""
    from minari.data_collector import EpisodeBuffer

    flags = np.zeros(2, bool)
    buffer = EpisodeBuffer(
        observations=np.arange(3), actions=np.arange(2), rewards=np.ones(2), terminations=flags, truncations=flags,
        infos={"goal": np.zeros(2), "events": {"met": flags}},
    )  # fmt: skip
    minari.create_dataset_from_buffers(
        "stream-v0", [buffer], observation_space=spaces.Discrete(9), action_space=spaces.Discrete(2), data_format="hdf5"
    )
    shown = from_minari("stream-v0", gamma=0.5)
    assert shown.truncated[:, 0].tolist() == [False, True]
    assert shown.discount[:, 0].tolist() == [0.5, 0.5]
    assert shown.obs[:, 0].tolist() == [0, 1]
    assert shown.next_obs[:, 0].tolist() == [1, 2]
    assert shown.info == {}


def test_refusals_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = rollout([0, 1, 2], terminated=True)
    env = gym.Env[Any, Any]()
    env.observation_space, env.action_space = spaces.Discrete(9), spaces.Discrete(2)
    with pytest.raises(FileNotFoundError, match="no data set 'none-v0' on this machine; fetch it"):
        from_minari("none-v0", gamma=0.9)
    with pytest.raises(TypeError, match="from_minari needs gamma"):
        from_minari("none-v0")  # type: ignore[call-arg]
    dataset = to_minari(shown, "one-v0", env)
    with pytest.raises(ValueError, match="2 episodes were wanted, the data set has 1"):
        from_minari(dataset, gamma=0.9, episodes=2)
    with pytest.raises(ValueError, match="each column of demonstrations must be one whole episode"):
        to_minari(shown[:1], "cut-v0", env)
    env.observation_space = spaces.Discrete(2)
    with pytest.raises(ValueError, match=r"next_obs must lie in Discrete\(2\), got 2"):
        to_minari(shown, "narrow-v0", env)
    env.observation_space = spaces.Sequence(spaces.Discrete(2))
    with pytest.raises(TypeError, match="Minari can't hold the observation space Sequence"):
        to_minari(shown, "sequence-v0", env)
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(ImportError, match=r'pip install "potentia\[minari\]"'):
        from_minari("one-v0", gamma=0.9)
