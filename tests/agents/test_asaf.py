"""ASAF: its loss by hand, its windows, and that it learns CartPole from 25 episodes without a reward."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia import demonstrations
from potentia.agents import ASAF, ASAFConfig, EnvCollector, Loop, evaluate
from potentia.agents.asaf import Windows, structured_loss
from potentia.agents.batches import float_rollout
from potentia.collect import collect_episodes
from potentia.rollout import Rollout
from potentia.shaping import Stream

OBS, ACTIONS = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)


class Balances:
    """An expert at CartPole: pushes to the side that the pole falls to."""

    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        return (obs @ np.array([0.05, 0.5, 3.0, 1.0]) > 0).astype(np.int64), carry


def carts(count: int) -> gym.vector.VectorEnv[Any, Any, Any]:
    return gym.make_vec("CartPole-v1", count, vectorization_mode="sync")


def episodes(lengths: list[int], action_space: spaces.Space[Any] = ACTIONS, seed: int = 0) -> Rollout:
    """Whole episodes of random steps, one a column."""
    rng, longest, count = np.random.default_rng(seed), max(lengths), len(lengths)
    steps = np.arange(longest)[:, None]
    action_space.seed(seed)
    actions = np.array([[action_space.sample() for _ in lengths] for _ in range(longest)])
    return Rollout(
        obs=rng.uniform(-1, 1, (longest, count, 2)).astype(np.float32),
        action=actions,
        next_obs=rng.uniform(-1, 1, (longest, count, 2)).astype(np.float32),
        terms={"env": np.full((longest, count), np.pi)},
        discount=np.full((longest, count), 0.9),
        terminated=steps == np.array(lengths) - 1,
        truncated=np.zeros((longest, count), bool),
        mask=steps < np.array(lengths),
    )


def asaf(shown: Rollout, action_space: spaces.Space[Any] = ACTIONS, **settings: Any) -> ASAF:
    return ASAF(OBS, action_space, ASAFConfig(shown, **settings))


def test_the_loss_by_hand() -> None:
    # Demonstrations: q = 3/4 where q_G = 1/4, so D = 3/4. The learner's: q = 1/5 where q_G = 4/5, so 1 - D = 4/5.
    loss, metrics = structured_loss(*(torch.tensor([p]).log() for p in (0.75, 0.25, 0.2, 0.8)))
    assert loss.item() == pytest.approx(-math.log(0.75) - math.log(0.8))
    assert metrics["d_shown"].item() == pytest.approx(0.75)
    assert metrics["d_learner"].item() == pytest.approx(0.2)


@pytest.mark.parametrize("window", [1, 3, None])
@pytest.mark.parametrize("space", [ACTIONS, spaces.Box(-2.0, 2.0, (2,))], ids=["discrete", "continuous"])
def test_equal_policies_give_a_half_and_two_log_two(window: int | None, space: spaces.Space[Any]) -> None:
    agent = asaf(episodes([5, 2, 4], space), space, window=window, n_epochs=1, batch_size=100)
    metrics = agent.learn(episodes([6, 6], space, seed=1))  # one gradient step, before which the policies are one
    assert metrics["loss"].item() == pytest.approx(2 * math.log(2), abs=1e-6)
    assert metrics["d_shown"].item() == pytest.approx(0.5, abs=1e-6)
    assert metrics["d_learner"].item() == pytest.approx(0.5, abs=1e-6)


def test_windows_lie_in_one_episode_and_skip_what_is_masked() -> None:
    ends = np.zeros((7, 2), bool)
    ends[2, 0] = ends[6, 0] = ends[4, 1] = True
    mask = np.ones((7, 2), bool)
    mask[3, 0] = False  # an autoreset step
    rollout = replace(episodes([7, 7]), terminated=ends, mask=mask)
    agent = asaf(episodes([2]))
    data = float_rollout(rollout, agent.device)
    each = agent.network.log_prob(rollout.obs.reshape(14, 2), rollout.action.reshape(14)).reshape(7, 2).detach()
    wanted = {
        2: [each[a:b, env] for env, a, b in [
            (0, 0, 2), (0, 2, 3), (0, 4, 6), (0, 6, 7), (1, 0, 2), (1, 2, 4), (1, 4, 5), (1, 5, 7),
        ]],
        None: [each[0:3, 0], each[4:7, 0], each[0:5, 1], each[5:7, 1]],
    }  # fmt: skip
    for length, parts in wanted.items():
        windows = Windows(agent.network, data, length)
        found = windows.all_log_probs()
        torch.testing.assert_close(found, torch.stack([part.sum() for part in parts]))
        assert sorted(windows.order.tolist()) == list(range(13))
        some = torch.tensor([3, 0, 3])
        torch.testing.assert_close(windows.log_probs(some).detach(), found[some])


def test_the_reward_is_not_read_and_masked_steps_teach_nothing() -> None:
    rollout = episodes([6, 3])
    nonsense = replace(
        rollout,
        obs=np.where(rollout.mask[..., None], rollout.obs, np.nan),
        action=np.where(rollout.mask, rollout.action, 99),
        terms={"env": rollout.terms["env"] * np.inf},
    )
    learned = []
    for one in (rollout, nonsense):
        agent = asaf(episodes([4, 2], seed=1), n_epochs=3)
        agent.learn(one)
        learned.append(agent.state_dict()["network"])
        assert agent.steps == 9
    for name, weight in learned[0].items():
        assert torch.equal(weight, learned[1][name])
    assert asaf(episodes([4])).learn(replace(rollout, mask=rollout.mask & False)) == {}


def test_a_saved_learner_goes_on_exactly() -> None:
    first, second = asaf(episodes([4]), n_epochs=2), asaf(episodes([4]), n_epochs=2)
    first.learn(episodes([9]))
    second.load_state_dict(first.state_dict())
    for agent in (first, second):
        agent.learn(episodes([5], seed=2))
    obs = np.zeros((8, 2), np.float32)
    assert torch.equal(first.act(obs, ())[0], second.act(obs, ())[0])
    for name, weight in first.state_dict()["network"].items():
        assert torch.equal(weight, second.state_dict()["network"][name])


def test_what_it_refuses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="learns from demonstrations and got none"):
        ASAF(OBS, ACTIONS)
    with pytest.raises(TypeError, match="needs an ASAFConfig, got 3"):
        ASAF(OBS, ACTIONS, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        ASAFConfig(episodes([2]), window=0)
    with pytest.raises(ValueError, match=r"obs must have shape \(T, B, 4\)"):
        ASAF(spaces.Box(-1, 1, (4,)), ACTIONS, ASAFConfig(episodes([2])))
    with pytest.raises(ValueError, match="can't value the streams"):
        ASAF(OBS, ACTIONS, ASAFConfig(episodes([2])), streams={"RND": Stream()})
    path = tmp_path / "shown.npz"
    demonstrations.save(path, episodes([3, 2]))
    assert asaf(episodes([3, 2]))._shown.count == ASAF(OBS, ACTIONS, ASAFConfig(path))._shown.count == 5


@pytest.mark.parametrize(("window", "batch_size"), [(1, 100), (20, 20)])
def test_it_balances_as_long_as_the_expert_from_25_episodes(window: int, batch_size: int) -> None:
    shown = collect_episodes(carts(25), Balances(), 25, gamma=0.99, seed=1)
    assert shown.terms["env"].sum(0).min() == 500
    envs = carts(8)
    config = ASAFConfig(shown, window=window, batch_size=batch_size, n_epochs=10)
    agent = ASAF(envs.single_observation_space, envs.single_action_space, config, seed=0)
    loop = Loop(EnvCollector(envs, 250, gamma=0.99), agent)
    loop.begin(0)
    for _ in range(4):  # 8,000 steps, about two seconds
        loop.iterate()
    found = evaluate(lambda: carts(10), agent, 20, seed=5)
    assert np.mean(found.returns) >= 475
