"""Collecting: next actions, memories, bounds and seeds; the modes' ledgers are in tests/agents/test_ppo.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.collect import ACTOR_CARRY, collect, collect_episodes, forget, reset_seed, rollout_tensors
from potentia.shaping import Contract

COUNTER = gym.spaces.Box(0.0, 99.0, (1,), np.float32)


class Corridor(gym.Env[Any, Any]):
    """The observation counts an episode's steps; episode k ends at step 2 + k, the even ones by a cut."""

    observation_space, action_space = COUNTER, gym.spaces.Discrete(100)

    def __init__(self) -> None:
        self.episode = -1

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode, self.t = self.episode + 1, 0
        return np.zeros(1, np.float32), {"room": 10 * self.episode}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        over, cut = self.t == 2 + self.episode, self.episode % 2 == 0
        obs = np.full(1, self.t, np.float32)
        return obs, float(action), over and not cut, over and cut, {"room": 10 * self.episode + self.t}


class Numbering:
    """Acts with the number of its call; remembers how many steps of the episode it has seen."""

    def __init__(self) -> None:
        self.calls = 0

    def init(self, num_envs: int) -> Any:
        return np.zeros((num_envs, 1))

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        self.calls += 1
        return np.full(len(obs), self.calls), carry + 1


def corridor(mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv([Corridor], autoreset_mode=mode)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_transitions_columns_and_memory_are_the_same_in_every_mode(mode: AutoresetMode) -> None:
    rollout, _ = collect(corridor(mode), Numbering(), 7, gamma=0.5, columns=("room", "next_room"))
    real = rollout.mask[:, 0]
    first = slice(0, 5)  # episode 0 (two steps, cut) and episode 1 (three steps, terminated)
    assert rollout.obs[real, 0, 0][first].tolist() == [0, 1, 0, 1, 2]
    assert rollout.next_obs[real, 0, 0][first].tolist() == [1, 2, 1, 2, 3]
    assert rollout.info["room"][real, 0][first].tolist() == [0, 1, 10, 11, 12]
    assert rollout.info["next_room"][real, 0][first].tolist() == [1, 2, 11, 12, 13]
    assert rollout.discount[real, 0][first].tolist() == [0.5, 0.5, 0.5, 0.5, 0.0]
    assert rollout.truncated[real, 0][first].tolist() == [False, True, False, False, False]
    assert rollout.info[ACTOR_CARRY][real, 0, 0][first].tolist() == [0, 1, 0, 1, 2]


def test_a_learner_that_ends_at_a_cut_gets_a_discount_of_zero_there() -> None:
    envs = corridor(AutoresetMode.SAME_STEP)
    rollout, _ = collect(envs, Numbering(), 2, gamma=0.5, truncation="terminal")
    assert rollout.discount[:, 0].tolist() == [0.5, 0.0]


def test_the_next_action_is_the_one_taken_next_or_a_draw_that_is_not_executed() -> None:
    # Calls 1, 2 act; episode 0 is cut, so call 3 is a draw; calls 4, 5 act; the rollout ends, so call 6 is a draw.
    envs, actor = corridor(AutoresetMode.SAME_STEP), Numbering()
    rollout, state = collect(envs, actor, 4, gamma=0.5, columns=("next_action",))
    assert rollout.action[:, 0].tolist() == [1, 2, 4, 5]
    assert rollout.info["next_action"][:, 0].tolist() == [2, 3, 5, 6]
    # The draw has not touched the memory: the next step is the third of its episode.
    after, _ = collect(envs, actor, 1, gamma=0.5, state=state)
    assert after.info[ACTOR_CARRY].item() == 2.0
    assert after.terms["env"].item() == 7.0


def test_parts_joined_equal_the_whole() -> None:
    whole, _ = collect(corridor(AutoresetMode.NEXT_STEP), Numbering(), 9, gamma=0.5)
    envs, actor = corridor(AutoresetMode.NEXT_STEP), Numbering()
    first, state = collect(envs, actor, 4, gamma=0.5)
    second, _ = collect(envs, actor, 5, gamma=0.5, state=state)
    for name in ("obs", "next_obs", "action", "mask", "discount", "terminated", "truncated", "reward"):
        joined = np.concatenate([getattr(first, name), getattr(second, name)])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)


class Push(gym.Env[Any, Any]):
    """Pays the action that it sees."""

    observation_space, action_space = COUNTER, gym.spaces.Box(-1.0, 2.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return np.zeros(1, np.float32), float(action[0]), False, False, {}


def test_the_environment_sees_a_clipped_action_and_the_learner_its_own() -> None:
    class Wild(Numbering):
        def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
            self.calls += 1
            return torch.full((1, 1), 5.0 if self.calls == 1 else -5.0), carry

    envs = SyncVectorEnv([Push], autoreset_mode=AutoresetMode.SAME_STEP)
    rollout, _ = collect(envs, Wild(), 2, gamma=0.5)
    assert rollout.action[:, 0, 0].tolist() == [5.0, -5.0]
    assert rollout.terms["env"][:, 0].tolist() == [2.0, -1.0]


def test_a_rollout_becomes_tensors_but_for_its_texts() -> None:
    rollout, _ = collect(corridor(AutoresetMode.SAME_STEP), Numbering(), 2, gamma=0.5, device="cpu")
    assert isinstance(rollout.obs, torch.Tensor)
    captions = np.array([["a"], ["b"]])
    said = rollout_tensors(replace(rollout, info={"caption": captions}))
    assert said.info["caption"] is captions


def test_memory_is_forgotten_in_the_rows_that_ended() -> None:
    carry = {"h": torch.tensor([[1.0], [2.0]]), "n": np.array([3, 4])}
    fresh = {"h": torch.zeros(2, 1), "n": np.array([9, 9])}
    after = forget(carry, fresh, np.array([False, True]))
    assert after["h"].tolist() == [[1.0], [0.0]]
    assert after["n"].tolist() == [3, 9]
    assert forget((), (), np.array([True])) == ()


def test_the_seeds_of_intervals_are_stable_and_apart() -> None:
    seeds = [reset_seed(seed, interval) for seed in range(20) for interval in range(20)]
    assert len(set(seeds)) == 400
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert reset_seed(3, 4) == int(np.random.SeedSequence([3, 4]).generate_state(1)[0]) // 2


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="num_steps must be at least 1, got 0"):
        collect(corridor(AutoresetMode.SAME_STEP), Numbering(), 0, gamma=0.5)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_whole_episodes_are_columns_and_the_quota_is_fixed_in_advance(mode: AutoresetMode) -> None:
    envs = SyncVectorEnv([Corridor, Corridor], autoreset_mode=mode)
    rollout = collect_episodes(envs, Numbering(), 3, gamma=0.5, columns=("room", "next_room"))
    # Environment 0 plays its episodes 0 and 1 (two and three steps), environment 1 its episode 0.
    assert rollout.mask.T.tolist() == [[True, True, False], [True, True, True], [True, True, False]]
    assert rollout.next_obs[..., 0].T.tolist() == [[1, 2, 2], [1, 2, 3], [1, 2, 2]]
    assert rollout.info["next_room"].T.tolist() == [[1, 2, 2], [11, 12, 13], [1, 2, 2]]
    assert rollout.discount.T.tolist() == [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    assert rollout.truncated.T.tolist() == [[False, True, False], [False] * 3, [False, True, False]]
    assert rollout.terminated.T.tolist() == [[False] * 3, [False, False, True], [False] * 3]
    assert not rollout.terms["env"][~rollout.mask].any()
    assert rollout.info[ACTOR_CARRY][..., 0].T[rollout.mask.T].tolist() == [0, 1, 0, 1, 2, 0, 1]


def test_whole_episodes_have_the_next_actions_that_steps_have() -> None:
    envs = corridor(AutoresetMode.SAME_STEP)
    steps, _ = collect(envs, Numbering(), 5, gamma=0.5, columns=("next_action",))
    episodes = collect_episodes(corridor(AutoresetMode.SAME_STEP), Numbering(), 2, gamma=0.5, columns=("next_action",))
    assert episodes.info["next_action"].T[episodes.mask.T].tolist() == steps.info["next_action"][:, 0].tolist()


def test_episodes_are_the_same_as_tensors_and_endless_ones_are_refused() -> None:
    rollout = collect_episodes(corridor(AutoresetMode.SAME_STEP), Numbering(), 2, gamma=0.5, device="cpu")
    assert isinstance(rollout.mask, torch.Tensor)
    assert rollout.mask.T.tolist() == [[True, True, False], [True, True, True]]
    with pytest.raises(ValueError, match=r"environment 0 did not end within max_steps=4 steps; give .* a time limit"):
        collect_episodes(corridor(AutoresetMode.SAME_STEP), Numbering(), 9, gamma=0.5, max_steps=4)
    with pytest.raises(ValueError, match="num_episodes must be at least 1, got 0"):
        collect_episodes(corridor(AutoresetMode.SAME_STEP), Numbering(), 0, gamma=0.5)


class Eventful(Corridor):
    """Says in a dictionary which events happened."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        obs, info = super().reset(seed=seed)
        return obs, info | {"subgoals": {"one": np.array(False), "two": np.array(False)}}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        *step, info = super().step(action)
        return *step, info | {"subgoals": {"one": np.array(self.t == 1), "two": np.array(self.t == 2)}}  # type: ignore[return-value]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_dictionary_in_info_is_a_tree_of_columns(mode: AutoresetMode) -> None:
    envs = SyncVectorEnv([Eventful], autoreset_mode=mode)
    rollout, _ = collect(envs, Numbering(), 7, gamma=0.5, columns=("subgoals", "next_subgoals"))
    real = rollout.mask[:, 0]
    # Episodes of 2 steps and of 3, then a third one.
    after, before = rollout.info["next_subgoals"], rollout.info["subgoals"]
    assert sorted(after) == ["one", "two"]
    assert after["one"][real, 0].tolist()[:5] == [True, False, True, False, False]
    assert after["two"][real, 0].tolist()[:5] == [False, True, False, True, False]
    assert before["one"][real, 0].tolist()[:5] == [False, True, False, True, False]


def test_a_contract_names_the_columns_and_those_it_measures_with_where_they_are_offered() -> None:
    contract = Contract(reads=frozenset({"info:caption"}), measures=frozenset({"info:next_subgoals", "info:score"}))
    envs = gym.make_vec("potentia/KeyRooms-v0", 2, size=2)
    rollout, _ = collect(envs, Waiting(), 3, gamma=0.5, columns=contract, seed=0)
    assert rollout.info.keys() == {"caption", "next_subgoals"}  # KeyRooms has no score
    assert collect_episodes(envs, Waiting(), 2, gamma=0.5, columns=contract).info.keys() == rollout.info.keys()
    foreign, _ = collect(
        corridor(AutoresetMode.NEXT_STEP), Numbering(), 3, gamma=0.5,
        columns=Contract(reads=frozenset({"info:room"}), measures=frozenset({"info:next_room"})),
    )  # fmt: skip
    assert foreign.info.keys() == {"room", "actor_carry"}  # it offers nothing, so nothing is asked of it


class Waiting:
    """Takes action 0."""

    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        return np.zeros(len(obs), np.int64), carry
