"""Hyperbolic discounts, horizons that follow the return or the policy's entropy, and meta-gradients, by hand."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia import checkpoint
from potentia.agents import PPO, PPOConfig
from potentia.rollout import Rollout
from potentia.shaping import DiscountByEntropy, DiscountByReturn, HyperbolicDiscount, MetaGradientDiscount
from potentia.shaping.discounts.meta_gradient_discount import returns_and_slopes
from potentia.shaping.schedules import Horizon, Linear


def rollout(length: int, done: Any = (), mask: Any = None, reward: float = 0.0) -> Rollout:
    ends = np.isin(np.arange(length), done)[:, None]
    zeros = np.zeros((length, 1))
    return Rollout(
        obs=np.random.default_rng(0).normal(size=(length, 1, 3)), action=np.arange(length)[:, None] % 2,
        next_obs=np.zeros((length, 1, 3)), terms={"env": zeros + reward}, discount=np.where(ends, 0.0, 0.9),
        terminated=ends, truncated=ends & False, mask=None if mask is None else np.array(mask, bool)[:, None],
    )  # fmt: skip


def test_hyperbolic_discounts_multiply_to_the_hyperbola_and_begin_anew() -> None:
    shaper = HyperbolicDiscount(0.5)
    shaped, carry = shaper.shape(rollout(6, done=[3]))
    column = shaped.discount[:, 0]
    np.testing.assert_allclose(np.cumprod(column[:3]), [1 / (1 + 0.5 * t) for t in (1, 2, 3)])
    assert column[3] == 0
    np.testing.assert_allclose(np.cumprod(column[4:]), [1 / 1.5, 1 / 2])
    assert np.asarray(carry).tolist() == [2.0]


def test_hyperbolic_discounts_pass_over_masked_steps() -> None:
    column = HyperbolicDiscount(1.0).shape(rollout(3, mask=[1, 0, 1]))[0].discount[:, 0]
    np.testing.assert_allclose(column[[0, 2]], [1 / 2, 2 / 3])
    assert HyperbolicDiscount(0.0).shape(rollout(3))[0].discount.tolist() == [[1.0]] * 3


def test_hyperbola_and_integral_over_gammas_agree() -> None:
    """Fedus et al. 2019: 1 / (1 + k t) = the integral of w(gamma) gamma^t with w = gamma^(1/k - 1) / k."""
    k, gamma = 0.5, (np.arange(100_000) + 0.5) / 100_000
    for t in (1, 4, 9):
        assert np.mean(gamma ** (1 / k - 1) / k * gamma**t) == pytest.approx(1 / (1 + k * t), rel=1e-4)


def test_horizons() -> None:
    schedule = Horizon(Linear(1.0, 5.0, 100), alpha=0.5)
    assert [schedule(step) for step in (0, 50, 100)] == pytest.approx([0.5, 0.5 ** (1 / 3), 0.5 ** (1 / 5)])
    assert Horizon(4)(7) == pytest.approx(0.2**0.25)
    with pytest.raises(ValueError, match="more than 0 steps"):
        Horizon(0)
    with pytest.raises(ValueError, match="alpha must lie"):
        Horizon(3, alpha=2)


def test_the_best_return_sets_the_horizon_and_unfinished_episodes_do_not() -> None:
    shaper = DiscountByReturn(worst=0.0, best=4.0, low=0.5, high=0.9)
    assert shaper.gamma == 0.5
    shaper.update(rollout(3, done=[1], reward=1.0))  # 2, and then one that goes on
    assert shaper.gamma == pytest.approx(0.7)
    shaper.update(rollout(2, done=[0, 1], reward=-5.0))
    assert shaper.gamma == pytest.approx(0.7)
    shaper.update(rollout(9, done=[8], reward=1.0))
    assert shaper.gamma == pytest.approx(0.9)
    with pytest.raises(ValueError, match="worst must be less than best"):
        DiscountByReturn(1.0, 1.0)


class Coin:
    """A policy that takes action 1 with probability sigmoid(weights . obs)."""

    def __init__(self, weights: list[float]) -> None:
        self.weights = torch.tensor(weights, dtype=torch.float64, requires_grad=True)

    def parameters(self) -> Any:
        return iter([self.weights])

    def log_prob(self, obs: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        logit = obs @ self.weights
        return torch.nn.functional.logsigmoid(torch.where(action == 1, logit, -logit))


def test_the_entropy_sets_the_horizon() -> None:
    shaper = DiscountByEntropy(low=0.5, high=0.9)
    data = rollout(4)
    shaper.update(data, policy=Coin([0.0, 0.0, 0.0]))  # log 2 of every action
    assert shaper.gamma == pytest.approx(0.5)
    policy = Coin([2.0, -1.0, 0.5])
    with torch.no_grad():
        rows = policy.log_prob(torch.as_tensor(data.obs[:, 0]), torch.as_tensor(data.action[:, 0]))
    surprise = -float(rows.mean())
    found = shaper.update(data, policy=policy)
    assert found["entropy"] == pytest.approx(surprise)
    assert found["gamma"] == pytest.approx(0.9 - 0.4 * min(surprise / np.log(2), 1.0))
    assert shaper.update(rollout(2, mask=[0, 0]), policy=policy) == {}
    with pytest.raises(ValueError, match="needs the learner's policy"):
        shaper.update(data)
    with pytest.raises(ValueError, match="low must be at most high"):
        DiscountByEntropy(0.9, 0.5)


def test_returns_and_their_slopes_are_finite_differences() -> None:
    rng = torch.Generator().manual_seed(0)
    reward = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    ends, mask = (torch.rand(9, 2, generator=rng) < chance for chance in (0.2, 0.8))
    _, slopes = returns_and_slopes(reward, 0.7, ends & mask, mask)
    above, below = (returns_and_slopes(reward, 0.7 + shift, ends & mask, mask)[0] for shift in (1e-6, -1e-6))
    torch.testing.assert_close(slopes, (above - below) / 2e-6, atol=1e-7, rtol=1e-6)


def advantages(data: Rollout, gamma: float) -> torch.Tensor:
    done, mask = (torch.as_tensor(part) for part in (data.done, data.mask))
    returns, _ = returns_and_slopes(torch.as_tensor(data.reward), gamma, done, mask)
    return (returns[mask] - returns[mask].mean()).detach()


def objective(data: Rollout, policy: Coin, gamma: float) -> torch.Tensor:
    """The policy gradient's surrogate, whose gradient is that of the sum of ``G log pi``."""
    obs, action = torch.as_tensor(data.obs[:, 0]), torch.as_tensor(data.action[:, 0])
    return (advantages(data, gamma) * policy.log_prob(obs, action)).sum()


def test_the_meta_gradient_is_a_finite_difference_through_the_update() -> None:
    """theta' = theta + f(gamma) on one rollout, judged on the next: what the shaper finds is d J'(theta') / d gamma."""
    rng = np.random.default_rng(3)
    first, second = (rollout(12, done=[4, 11], reward=rng.normal(size=(12, 1))) for _ in range(2))  # type: ignore[arg-type]
    theta = [0.3, -0.2, 0.5]

    def updated(gamma: float) -> Coin:
        policy = Coin(theta)
        (step,) = torch.autograd.grad(objective(first, policy, gamma), [policy.weights])
        return Coin((policy.weights + step).tolist())

    def judged(gamma: float) -> float:
        return float(objective(second, updated(gamma), 0.99).detach())

    gamma, small = 0.8, 1e-5
    shaper = MetaGradientDiscount(gamma, 0.99)
    assert shaper.update(first, policy=Coin(theta))["slope"] == 0.0  # nothing came before
    found = shaper.update(second, policy=updated(gamma))["slope"]
    want = (judged(gamma + small) - judged(gamma - small)) / (2 * small)
    assert found == pytest.approx(want, rel=1e-6)
    assert np.sign(shaper.gamma - gamma) == np.sign(want)  # Adam's first step is of size learning_rate, uphill


def test_the_trace_adds_what_came_before() -> None:
    rng = np.random.default_rng(5)
    parts = [rollout(6, done=[5], reward=rng.normal(size=(6, 1))) for _ in range(3)]  # type: ignore[arg-type]
    policy = Coin([0.1, 0.4, -0.3])

    def slope(trace: float, data: list[Rollout]) -> float:
        shaper = MetaGradientDiscount(0.8, learning_rate=0.0, trace=trace)
        return [shaper.update(part, policy=policy)["slope"] for part in data][-1]

    first, second = slope(0.0, [parts[0], parts[2]]), slope(0.0, [parts[1], parts[2]])
    assert slope(0.5, parts) == pytest.approx(second + 0.5 * first)


def test_meta_gradients_learn_of_a_learners_policy_and_are_saved() -> None:
    space, actions = spaces.Box(-np.inf, np.inf, (3,), np.float64), gym.spaces.Discrete(2)
    agent = PPO(space, actions, PPOConfig(widths=(8,)), seed=0)
    data = rollout(8, done=[7], reward=1.0)
    shaper, other = MetaGradientDiscount(0.9, trace=0.5), MetaGradientDiscount(0.5)
    for _ in range(2):
        assert shaper.update(data, policy=agent.policy)["gamma"] == shaper.gamma
    assert shaper.gamma != pytest.approx(0.9)
    other.load_state_dict(checkpoint.loads(checkpoint.dumps(shaper.state_dict())))
    other.decay = 0.5
    assert shaper.update(data, policy=agent.policy) == other.update(data, policy=agent.policy)
    with pytest.raises(ValueError, match="needs the learner's policy"):
        shaper.update(data)
    with pytest.raises(ValueError, match="start must lie between"):
        MetaGradientDiscount(1.0)
