"""The enumerable worlds as environments: sampling, limits, events, and the batch against the single form."""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from potentia.envs import exact
from potentia.envs.exact.registration import WORLDS
from potentia.testing.environments import check_env

exact.register()
IDS = [f"potentia/{name}" for name in WORLDS]


@pytest.mark.parametrize("identifier", IDS)
def test_keeps_every_rule(identifier: str) -> None:
    """Among them: the vector form equals the single one, number for number, in all autoreset modes."""
    check_env(identifier, max_steps=100)


@pytest.mark.parametrize("observation", ["index", "one_hot"])
def test_keeps_every_rule_with_other_options(observation: str) -> None:
    check_env(
        lambda: gym.make("potentia/RandomMDP-v0", branching=3, observation=observation, time_limit=9),
        max_steps=50,
    )


def test_one_hot_shows_the_index() -> None:
    index = gym.make("potentia/FrozenLake8x8-v0")
    one_hot = gym.make("potentia/FrozenLake8x8-v0", observation="one_hot")
    observed, _ = index.reset(seed=3)
    encoded, _ = one_hot.reset(seed=3)
    for _ in range(30):
        assert encoded.sum() == 1.0
        assert encoded[observed] == 1.0
        observed, _, ended, _, _ = index.step(2)
        encoded, *_ = one_hot.step(2)
        if ended:
            break


def test_truncated_at_the_limit_and_terminated_at_the_end() -> None:
    """Chain of 5 from state 1: right, right, right reaches 4; with a limit of 2 it is cut off before."""
    env = gym.make("potentia/Chain-v0", length=5, time_limit=2)
    env.reset(seed=0)
    assert env.step(1)[2:4] == (False, False)
    assert env.step(1)[2:4] == (False, True)
    env = gym.make("potentia/Chain-v0", length=5, time_limit=3, info_keys="all")
    env.reset(seed=0)
    env.step(1)
    env.step(1)
    observation, reward, terminated, truncated, info = env.step(1)
    assert (observation, reward, terminated, truncated) == (4, 1.0, True, False)
    assert info["success"]
    assert (info["distance"], info["potential"]) == (0.0, 0.0)
    assert info["subgoals"] == {"reached_goal": True, "took_distraction": False}


def test_an_event_happens_once_on_arrival() -> None:
    """Around the ring of 3 the checkpoint is passed with every third step."""
    env = gym.make("potentia/LoopTrap-v0", loop=3, info_keys=("subgoals",))
    env.reset(seed=0)
    passed = [env.step(0)[4]["subgoals"]["passed_checkpoint"] for _ in range(7)]
    assert passed == [False, False, True, False, False, True, False]


def test_sampling_follows_the_tensors() -> None:
    """Frequencies from one state over 60,000 draws stay within 5 standard errors of the probabilities."""
    model = exact.random_mdp(states=5, actions=1, mdp_seed=1, reward="dense", time_limit=10**9)
    env = exact.TabularVectorEnv(model, num_envs=200)
    states, _ = env.reset(seed=0)
    counts = np.zeros((5, 5))
    for _ in range(300):
        after, *_ = env.step(np.zeros(200, dtype=np.int64))
        np.add.at(counts, (states, after), 1)
        states = after
    visits = counts.sum(axis=1, keepdims=True)
    wanted = model.transition[:, 0]
    error = np.sqrt(wanted * (1 - wanted) / visits)
    assert (np.abs(counts / visits - wanted) < 5 * error + 1e-12).all()


def test_random_play_earns_the_random_return() -> None:
    """FrozenLake 4x4 at random: 0.01394; 40,000 episodes agree within 4 standard errors."""
    model = exact.frozen_lake("4x4", time_limit=100)
    world = exact.TabularWorld(model)
    env = exact.TabularVectorEnv(model, num_envs=1000, autoreset_mode=AutoresetMode.SAME_STEP, info_keys=())
    env.reset(seed=0)
    env.action_space.seed(0)
    total = episodes = 0.0
    while episodes < 40_000:
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        total += reward.sum()
        episodes += (terminated | truncated).sum()
    p = world.random_return
    assert p is not None
    assert p == pytest.approx(0.01394, abs=1e-5)
    assert total / episodes == pytest.approx(p, abs=4 * (p / episodes) ** 0.5)


def test_info_keys_choose_what_is_computed() -> None:
    env = gym.make("potentia/Chain-v0", info_keys=("success", "distance"))
    assert sorted(env.reset(seed=0)[1]) == ["distance", "success"]
    assert sorted(env.step(1)[4]) == ["distance", "success"]
    assert gym.make("potentia/Chain-v0").reset(seed=0)[1] == {"success": False}
    assert gym.make("potentia/Chain-v0", info_keys=()).reset(seed=0)[1] == {}
    with pytest.raises(ValueError, match="info_keys must be among"):
        gym.make("potentia/Chain-v0", info_keys=("colour",))


def test_reset_mask_resets_only_the_masked_rows() -> None:
    env = exact.TabularVectorEnv(exact.chain(9), num_envs=4, autoreset_mode="Disabled", info_keys=("caption",))
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.ones(4, dtype=np.int64))
    mask = np.array([False, True, False, True])
    states, info = env.reset(options={"reset_mask": mask})
    assert states.tolist() == [4, 1, 4, 1]
    assert info["_caption"].tolist() == mask.tolist()
    for wrong in (np.zeros(4, dtype=bool), np.ones(3, dtype=bool), np.ones(4)):
        with pytest.raises(ValueError, match="reset_mask must be a bool array"):
            env.reset(options={"reset_mask": wrong})


def test_disabled_mode_refuses_to_step_past_an_end() -> None:
    env = exact.TabularVectorEnv(exact.chain(9), num_envs=2, autoreset_mode="Disabled")
    env.reset(seed=0)
    env.step(np.array([0, 1]))
    with pytest.raises(ValueError, match=r"environments \[0\] have ended"):
        env.step(np.array([1, 1]))


def test_vector_entry_point_takes_the_limit_that_time_limit_would() -> None:
    env = gym.make_vec("potentia/Chain-v0", 2, length=30, max_episode_steps=3)
    env.reset(seed=0)
    ends = [env.step(np.array([1, 1]))[3].tolist() for _ in range(3)]
    assert ends == [[False, False], [False, False], [True, True]]


def test_wrong_actions_are_refused() -> None:
    env = gym.make("potentia/Chain-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be in 0\.\.1, got 2"):
        env.step(2)
    batch = exact.TabularVectorEnv(exact.chain(), num_envs=2)
    batch.reset(seed=0)
    with pytest.raises(ValueError, match="actions must have shape"):
        batch.step(np.array([0, 1, 1]))


def test_a_thousand_environments_step_quickly() -> None:
    """A guard against an accidental loop: 0.2M steps a second is a fifth of what a busy core does."""
    env = gym.make_vec("potentia/FrozenLake8x8-v0", 1024, autoreset_mode="SameStep")
    env.reset(seed=0)
    actions = np.ones(1024, dtype=np.int64)
    begin = time.process_time()
    for _ in range(100):
        env.step(actions)
    assert 100 * 1024 / (time.process_time() - begin) > 200_000
