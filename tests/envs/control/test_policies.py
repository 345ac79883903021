"""Policies as actions: each step is the episode that somebody would see who ran the policy by hand."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import potentia  # noqa: F401 - registers the worlds
from potentia.compiling import part
from potentia.envs.control import ControlEnv, Network, PolicyVectorEnv, Rules
from potentia.envs.control.draws import uniform
from potentia.envs.control.rules import FAILURE, PLAYING, SUCCESS


def by_hand(env: Any, genome: Any, network: Network, seed: int) -> tuple[float, int, list[Any]]:
    """The return, the steps and the descriptors of an episode of a policy in NumPy."""
    obs, info = env.reset(seed=seed)
    total, path, done = 0.0, [info["descriptor"]], False
    while not done:
        outputs = network.outputs(genome[None], obs[None])[0]
        discrete = isinstance(env.action_space, gym.spaces.Discrete)
        action = int(outputs.argmax()) if discrete else outputs.astype(np.float32)
        obs, reward, terminated, truncated, info = env.step(action)
        total, done = total + reward, terminated or truncated
        path.append(info["descriptor"])
    return total, len(path) - 1, path


@pytest.mark.parametrize("shared_bias", [False, True])
def test_a_step_is_the_episode_of_the_policy(shared_bias: bool) -> None:
    options: dict[str, Any] = {"time_limit": 90, "areas": ("easy",), "info_keys": "all"}
    envs = gym.make_vec("potentia/HardMazePolicies-v0", 8, shared_bias=shared_bias, path_length=10, **options)
    env = gym.make("potentia/HardMaze-v0", **options)
    network = Network((5, 5, 5, 2), shared_bias)
    genomes = np.random.default_rng(0).normal(size=(8, network.genome_size)).astype(np.float32)
    _, before = envs.reset(seed=0)
    assert (before["steps"] == 0).all()
    obs, reward, terminated, truncated, info = envs.step(genomes)
    assert (obs == 0).all()
    assert terminated.all()
    assert not truncated.any()
    final = info["final_info"]
    for n, genome in enumerate(genomes):
        total, steps, path = by_hand(env, genome, network, n)
        assert (reward[n], final["steps"][n]) == (total, steps) == (total, 90)
        np.testing.assert_allclose(final["descriptor"][n], path[-1], atol=1e-6)
        np.testing.assert_allclose(final["path"][n], path[::10], atol=1e-6)
    assert len(np.unique(final["descriptor"], axis=0)) > 4


def test_an_episode_that_ends_early_repeats_the_end_of_its_path() -> None:
    envs = gym.make_vec(
        "potentia/HardMazePolicies-v0", 1, hidden=(), info_keys="all", reward="arrival", areas=("easy",), path_length=5
    )
    envs.reset(seed=0)
    genome = np.zeros((1, 12))
    genome[0, 4:6] = 0.6, 0.0  # away from what is on the left, along the lower walls
    genome[0, 6:8] = 0.0, 0.9
    genome[0, 10:] = 2.0
    _, reward, _, _, info = envs.step(genome)
    final = info["final_info"]
    if reward[0]:
        assert final["steps"][0] < 2000
    np.testing.assert_array_equal(final["path"][0, -1], final["descriptor"][0])


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_modes_differ_only_in_when_a_world_begins_anew(mode: AutoresetMode) -> None:
    envs = gym.make_vec("potentia/HardMazePolicies-v0", 4, time_limit=30, autoreset_mode=mode)
    envs.reset(seed=0)
    genomes = np.random.default_rng(1).normal(size=(3, 4, 72))
    found = []
    for rows in genomes:
        _, _, terminated, _, info = envs.step(rows)
        assert terminated.all()
        found.append((info.get("final_info") or info)["descriptor"])
        if mode is AutoresetMode.NEXT_STEP:
            _, reward, terminated, _, info = envs.step(rows)
            assert not terminated.any()
            assert not reward.any()
            assert (info["descriptor"] == [108, 552]).all()
        elif mode is AutoresetMode.DISABLED:
            envs.reset(options={"reset_mask": np.ones(4, bool)})
    again = gym.make_vec("potentia/HardMazePolicies-v0", 12, time_limit=30)
    again.reset(seed=0)
    _, _, _, _, info = again.step(genomes.reshape(12, -1))
    np.testing.assert_array_equal(np.concatenate(found), info["final_info"]["descriptor"])


def test_wrong_genomes_are_refused() -> None:
    envs = gym.make_vec("potentia/HardMazePolicies-v0", 2)
    envs.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"genomes of shape \(2, 72\), of a network of \(5, 5, 5, 2\) units, got \(2, 7\)"
    ):
        envs.step(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="genes must be finite numbers, got nan"):
        envs.step(np.full((2, 72), np.nan))
    with pytest.raises(ValueError, match="sizes must be at least two numbers from 1"):
        gym.make_vec("potentia/HardMazePolicies-v0", 2, hidden=(0,))


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[0], state[1] = 0.0, uniform(draws)


@part
def _step(state, action, left, draws):  # type: ignore[no-untyped-def]
    """One to the right, or to the left, with a slip in ten; 5 is success and -5 failure; the last step pays 1/2."""
    way = 1.0 if action[0] == 2.0 else -1.0 if action[0] == 0.0 else 0.0
    state[0] += -way if uniform(draws) < 0.1 else way
    if state[0] >= 5.0:
        return 1.0, SUCCESS
    if state[0] <= -5.0:
        return -1.0, FAILURE
    return 0.5 if left == 0 else 0.0, PLAYING


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[0] / 5.0, state[1]


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0] = state[0]


@part
def _progress(state):  # type: ignore[no-untyped-def]
    return min(max(state[0] / 5.0, 0.0), 1.0)


SLIDE = Rules(
    name="Slide", goal="go to the right", state=("place", "_sign"), begin=_begin, step=_step, observe=_observe,
    observed=("place", "sign"), observation_low=(-1.0, 0.0), observation_high=(1.0, 1.0),
    actions=("left", "stay", "right"), discrete=True, limit=30, descriptor=_describe, described=("place",),
    descriptor_low=(-5.0,), descriptor_high=(5.0,), progress=_progress, chance=True,
)  # fmt: skip


def test_rules_of_ones_own_with_choices_and_chance() -> None:
    """The world above, by its rules alone: ends, slips, what the last step pays, and policies that choose."""
    env = ControlEnv(SLIDE, info_keys="all")
    assert env.action_names == ("left", "stay", "right")
    ends = []
    for seed in range(200):
        obs, info = env.reset(seed=seed)
        assert 0 <= obs[1] < 1
        done, total = False, 0.0
        while not done:
            obs, reward, terminated, truncated, info = env.step(seed % 3)
            total, done = total + reward, terminated or truncated
        ends.append((total, terminated, bool(info["success"]), float(info["progress"])))
    right, left, stay = ends[2::3], ends[0::3], ends[1::3]
    assert set(stay) == {(0.5, False, False, 0.0)}
    assert (1.0, True, True, 1.0) in right
    assert (-1.0, True, False, 0.0) in left
    network = Network((2, 3, 3))
    envs = PolicyVectorEnv(SLIDE, 40, hidden=(3,), info_keys="all")
    envs.reset(seed=0)
    genomes = np.random.default_rng(0).normal(size=(40, network.genome_size))
    _, reward, _, _, info = envs.step(genomes)
    for n, genome in enumerate(genomes):
        total, steps, path = by_hand(env, genome, network, n)
        assert (total, steps) == (reward[n], info["final_info"]["steps"][n])
        assert path[-1] == info["final_info"]["descriptor"][n]
    assert set(reward) == {-1.0, 0.5, 1.0}
