"""Designed rewards against numbers worked by hand, and what the audit certifies of them."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia.agents import QLearning, QLearningConfig
from potentia.audit import certify
from potentia.envs import exact
from potentia.rollout import Rollout
from potentia.shaping import EXPRD, ExpAdaRD, ExploRS
from potentia.shaping.designed.expadard import occupancy
from potentia.shaping.designed.reward_design import design_reward

GAMMA = 0.95
ROOM = exact.room()


class Fixed:
    """A policy with these probabilities, ``(S, A)``."""

    def __init__(self, chances: np.ndarray) -> None:
        self.chances = chances

    def log_prob(self, obs: np.ndarray, action: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.log(self.chances[np.asarray(obs), np.asarray(action)]))


def steps(*moves: tuple[int, int, float, int], discount: float = 0.5, ends: bool = True) -> Rollout:
    """An episode of (obs, action, reward, next_obs)."""
    obs, action, reward, after = (np.array(column)[:, None] for column in zip(*moves, strict=True))
    last = np.arange(len(moves))[:, None] == len(moves) - 1
    return Rollout(
        obs=obs, action=action, next_obs=after, terms={"env": reward.astype(float)},
        discount=np.where(last & ends, 0.0, discount), terminated=last & ends, truncated=last & False,
    )  # fmt: skip


@pytest.mark.parametrize("budget", [1, 3, None])
def test_exprd_is_certified_in_the_room(budget: int | None) -> None:
    """Whoever is optimal with the designed reward is optimal in truth. With a budget, only so many states pay."""
    shaper = EXPRD(ROOM, gamma=GAMMA, budget=budget)
    assert certify(ROOM, shaper, gamma=GAMMA).same_optimum
    assert np.abs(shaper.design.reward).max() <= 10.0 + 1e-9
    paying = np.abs(shaper.design.reward).any(axis=1)
    assert paying.sum() <= (budget or 49)
    assert 48 in shaper.design.states
    assert set(np.flatnonzero(paying)) <= set(shaper.design.states)


def test_a_reward_that_is_not_invariant_is_refuted() -> None:
    """The same table upside down: the certificate is not for nothing."""
    shaper = EXPRD(ROOM, gamma=GAMMA)
    shaper.design = replace(shaper.design, reward=-shaper.design.reward)
    assert not certify(ROOM, shaper, gamma=GAMMA).optimum_preserved


def test_more_budget_is_worth_no_less() -> None:
    worth = [design_reward(ROOM, gamma=GAMMA, budget=budget).objective for budget in (1, 2, 3, None)]
    assert worth == sorted(worth)
    assert worth[0] < -0.15  # only the goal pays: 13 steps away nothing is known within 8
    assert worth[-1] == pytest.approx(0.0, abs=1e-9)  # and in all 49 states each optimal action is told at once


def informativeness(model: exact.TransitionModel, reward: np.ndarray, gamma: float, horizons: tuple[int, ...]) -> float:
    """I(R) by its definition, for a world with one optimal policy."""
    best, live = exact.optimum(model, gamma), np.flatnonzero(~model.terminal)
    total = 0.0
    for h in horizons:
        after = np.zeros(model.num_states)
        for _ in range(h + 1):
            q = np.where(model.terminal[:, None], 0.0, reward + gamma * model.continuing() @ after)
            after = q[np.arange(len(q)), best.policy]
        for s in live:
            others = [a for a in range(model.num_actions) if not best.optimal[s, a]]
            gap = min(best.values[s] - best.action_values[s, a] for a in others) / (1 + 1e-5)
            total += max(0.0, *(gap - (q[s, best.policy[s]] - q[s, a]) for a in others))
    return -total / len(horizons) / len(live)


def test_the_mean_of_corners_is_as_good_and_smaller() -> None:
    corner, middle = (design_reward(ROOM, gamma=GAMMA, corners=corners) for corners in (1, 8))
    assert middle.informativeness == pytest.approx(corner.informativeness, abs=1e-8)
    assert np.abs(middle.reward).sum() < 0.7 * np.abs(corner.reward).sum()
    assert certify(ROOM, EXPRD(ROOM, gamma=GAMMA, corners=8), gamma=GAMMA).same_optimum


def test_the_objective_is_the_definition() -> None:
    model = exact.chain(7)
    for budget in (2, 3, None):
        found = design_reward(model, gamma=0.9, horizons=(0, 1, 2), budget=budget)
        by_hand = informativeness(model, found.reward, 0.9, (0, 1, 2))
        assert found.informativeness == pytest.approx(by_hand, abs=1e-8)
        assert (found.informativeness > -1e-9) == (budget is None)


def test_the_objective_by_hand() -> None:
    """Cells 0 to 3, "right" from 2 pays 1, "left" from 1 pays 0.01, gamma 0.5. V = (., 0.5, 1, .).

    Cell 1: Q = (0.01, 0.5), so delta = 0.49. Cell 2: Q = (0.25, 1), so delta = 0.75. At h = 0 the world's own reward
    shows 0 - 0.01 in cell 1, so 0.5 is lacking, and 1 - 0 in cell 2. Two live cells: I = -0.25. A better reward pays
    0.49 for "right" in cell 1 at once.
    """
    model = exact.chain(4)
    assert informativeness(model, model.expected_reward(), 0.5, (0,)) == pytest.approx(-0.25, abs=1e-5)
    found = design_reward(model, gamma=0.5, horizons=(0,))
    assert found.informativeness == pytest.approx(0.0, abs=1e-9)
    assert found.reward[1, 1] - found.reward[1, 0] >= 0.49 - 1e-4
    assert found.reward[2, 1] - found.reward[2, 0] >= 0.75 - 1e-4


def test_size_has_a_price() -> None:
    """With a price that outweighs all information, the least reward is left that keeps the optimum."""
    free, dear = (design_reward(exact.chain(5), gamma=0.9, sparsity=price) for price in (0.0, 10.0))
    assert np.abs(dear.reward).sum() < np.abs(free.reward).sum()
    assert dear.objective == pytest.approx(dear.informativeness - 10.0 * np.abs(dear.reward).sum(), abs=1e-9)
    assert certify(exact.chain(5), EXPRD(exact.chain(5), gamma=0.9, sparsity=10.0), gamma=0.9).optimum_preserved


def test_ties_stay_ties_and_all_optimal_policies_count() -> None:
    """Two ways of equal length round a square: both first actions stay optimal, whatever else is paid."""
    model = exact.room(random_move=0.0)
    best = exact.optimum(model, GAMMA)
    assert best.optimal[~model.terminal].sum() > 60
    found = design_reward(model, gamma=GAMMA, horizons=(1, 4))
    assert found.informativeness == pytest.approx(0.0, abs=1e-8)
    shaped = exact.optimum(replace(model, reward=found.reward), GAMMA, tolerance=1e-7)
    assert (shaped.optimal == best.optimal)[~model.terminal].all()


def test_design_says_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"pays in 2 states.*got budget=1"):
        design_reward(exact.chain(5), gamma=0.9, budget=1)
    with pytest.raises(ValueError, match=r"no reward of at most 0.0001.*raise r_max"):
        design_reward(exact.chain(5), gamma=0.9, r_max=1e-4)
    with pytest.raises(TypeError, match="needs gamma"):
        EXPRD(ROOM)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="enumerable world"):
        EXPRD("potentia/DoorKey-5x5-v0", gamma=0.9)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match=r"potentia\[designed\]"):
        EXPRD(ROOM, gamma=0.9)


def test_exprd_takes_the_place_of_the_reward() -> None:
    shaper = EXPRD("potentia/Chain-v0", gamma=0.9, options={"length": 5})
    shaped, _ = shaper.shape(steps((1, 1, 7.0, 2), (2, 0, 8.0, 1)))
    np.testing.assert_array_equal(shaped.reward[:, 0], shaper.design.reward[[1, 2], [1, 0]])


def test_the_bonus_by_hand() -> None:
    """1 / sqrt(1 + N) for N = 0, 1, 4, 100; with B_max = 0.5 it begins at 0.5 and lambda = 2 makes it fall later."""
    for visits, bonus in ((0, 1.0), (1, 0.7071), (4, 0.4472), (100, 0.0995)):
        shaper = ExploRS(spaces.Discrete(3), spaces.Discrete(2), learning_rate=0.0)
        for _ in range(visits):
            shaper.update(steps((2, 0, 0.0, 0)), policy=Fixed(np.full((3, 2), 0.5)))
        term = shaper.shape(steps((0, 0, 0.0, 2), ends=False))[0].terms["ExploRS"].item()
        assert term == pytest.approx(bonus, abs=5e-5)
    small = ExploRS(spaces.Discrete(3), spaces.Discrete(2), bonus=0.5, scale=2.0)
    small.update(steps(*[(2, 0, 0.0, 2)] * 9), policy=Fixed(np.full((3, 2), 0.5)))
    found = small.shape(steps((0, 0, 0.0, 1), (1, 0, 0.0, 2), ends=False))[0].terms["ExploRS"][:, 0]
    np.testing.assert_allclose(found, [0.5, 2.0 / (16.0 + 9.0) ** 0.5], atol=1e-15)
    assert small.shape(steps((0, 0, 0.0, 1)))[0].terms["ExploRS"].item() == 0.0  # where the episode ends


def test_a_step_of_self_reward_by_hand() -> None:
    """pi(. | 0) = (.2, .3, .5), action 1, G = 4, V = 0: g = .3 * 4 = 1.2, R changes by .01 * 1.2 * (-.2, .7, -.5)."""
    pi = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])
    shaper = ExploRS(spaces.Discrete(2), spaces.Discrete(3), bonus=0.0)
    shaper.update(steps((0, 1, 1.0, 1), (1, 0, 6.0, 0)), policy=Fixed(pi))  # G = 1 + .5 * 6 = 4, and 6
    table = shaper.rewards.table
    np.testing.assert_allclose(table[0], 0.012 * np.array([-0.2, 0.7, -0.5]), atol=1e-15)
    np.testing.assert_allclose(table[1], 0.01 * 0.6 * 6.0 * np.array([0.4, -0.2, -0.2]), atol=1e-15)
    np.testing.assert_allclose(table.sum(axis=1), 0.0, atol=1e-16)
    np.testing.assert_allclose(shaper.rewards.value, [0.04, 0.06], atol=1e-15)  # a hundredth of the way
    term = shaper.shape(steps((0, 1, 0.0, 1), ends=False))[0].terms["ExploRS"].item()
    assert term == table[0, 1]


def test_what_is_cut_off_is_valued() -> None:
    """The rollout ends and the episode goes on: G = 2 + .5 * V(1), with V(1) = .5 * 8 after a visit at that rate."""
    policy = Fixed(np.full((2, 2), 0.5))
    shaper = ExploRS(spaces.Discrete(2), spaces.Discrete(2), critic_rate=0.5)
    shaper.update(steps((1, 0, 8.0, 0)), policy=policy)
    before = shaper.rewards.table.copy()
    shaper.update(steps((0, 0, 2.0, 1), ends=False), policy=policy)
    change = (shaper.rewards.table - before)[0]
    np.testing.assert_allclose(change, 0.01 * 0.5 * 4.0 * np.array([0.5, -0.5]), atol=1e-15)


def test_clipped_self_rewards_stay_within() -> None:
    shaper = ExploRS(spaces.Discrete(2), spaces.Discrete(2), clip=0.01, learning_rate=1.0)
    shaper.update(steps((0, 1, 5.0, 1)), policy=Fixed(np.full((2, 2), 0.5)))
    assert shaper.rewards.table.tolist() == [[-0.01, 0.01], [0.0, 0.0]]


def test_the_network_learns_which_action_was_better() -> None:
    """Action 1 earns 1 and action 0 nothing: R(., 1) - R(., 0) grows to a tenth's tanh; it waits before it pays."""
    space = spaces.Box(-1.0, 1.0, (2,), np.float64)
    shaper = ExploRS(
        space,
        spaces.Discrete(2),
        form="neural",
        bonus=0.0,
        hidden=16,
        wait_returns=2,
        wait_steps=40,
        learning_rate=0.01,
    )
    obs = np.random.default_rng(0).uniform(-1, 1, (40, 1, 2))
    action = np.arange(40)[:, None] % 2
    yes = np.ones((40, 1), bool)
    rollout = Rollout(
        obs=obs, action=action, next_obs=obs, terms={"env": action.astype(float)}, discount=np.zeros((40, 1)),
        terminated=yes, truncated=~yes,
    )  # fmt: skip

    class Even:
        def log_prob(self, obs: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
            return torch.full((len(action),), np.log(0.5))

    other = replace(rollout, action=1 - action)
    for _ in range(30):
        shaper.update(rollout, policy=Even())
        taken, not_taken = (shaper.shape(one)[0].terms["ExploRS"][:, 0] for one in (rollout, other))
        if shaper._paid < 2:
            assert not taken.any()
    gap = np.where(action[:, 0] == 1, taken - not_taken, not_taken - taken)
    assert gap.min() > 0.05
    assert max(np.abs(taken).max(), np.abs(not_taken).max()) <= 0.1


def test_explors_needs_numbered_actions_and_a_policy() -> None:
    with pytest.raises(TypeError, match="must be Discrete"):
        ExploRS(spaces.Discrete(2), spaces.Box(-1.0, 1.0, (1,)))
    with pytest.raises(TypeError, match="use form='neural'"):
        ExploRS(spaces.Box(-1.0, 1.0, (1,)), spaces.Discrete(2))
    with pytest.raises(ValueError, match="got NoneType"):
        ExploRS(spaces.Discrete(2), spaces.Discrete(2)).update(steps((0, 0, 1.0, 1)))


def test_a_table_learner_tells_its_chances() -> None:
    """epsilon 0.2 among 2 actions: the best has 0.9 and the other 0.1; with a temperature, a softmax and the same."""
    agent = QLearning(spaces.Discrete(2), spaces.Discrete(2), QLearningConfig(epsilon=0.2))
    agent.values[0] = [0.0, 1.0]
    np.testing.assert_allclose(agent.policy.log_prob(np.array([0, 0, 1]), np.array([1, 0, 0])).exp(), [0.9, 0.1, 0.5])
    agent = QLearning(spaces.Discrete(2), spaces.Discrete(2), QLearningConfig(epsilon=0.2, temperature=1.0))
    agent.values[0] = [0.0, np.log(3.0)]
    np.testing.assert_allclose(agent.policy.log_prob(np.array([0]), np.array([1])).exp(), 0.8 * 0.75 + 0.1)


def biased(towards: int, share: float) -> np.ndarray:
    """A policy that takes one action mostly, in each state of the room."""
    chances = np.full((ROOM.num_states, 4), (1.0 - share) / 3)
    chances[:, towards] = share
    return chances


def episodes(number: int) -> Rollout:
    """So many episodes of a step, side by side."""
    one = steps((8, 0, 0.0, 15))
    return one[:, np.zeros(number, int)]


def test_expadard_is_certified_and_follows_the_learner() -> None:
    """At every fifth episode R is the best for the policy of then: no worse than the one before, and no less safe."""
    shaper = ExpAdaRD(ROOM, gamma=GAMMA)
    assert certify(ROOM, shaper, gamma=GAMMA).optimum_preserved
    for number, towards in enumerate((0, 3)):
        before, pi = shaper.reward.copy(), biased(towards, 0.85)
        assert shaper.update(episodes(4), policy=Fixed(pi)) == {}
        np.testing.assert_array_equal(shaper.reward, before)
        found = shaper.update(episodes(1), policy=Fixed(pi))["informativeness"]
        live = pi[shaper._kept.live]
        assert found == pytest.approx(shaper.informativeness(shaper.reward, live), rel=1e-12)
        assert found > shaper.informativeness(before, live) - 1e-9
        assert found > shaper.informativeness(ROOM.expected_reward(), live) + 1e-6
        assert number or np.abs(shaper.reward - before).max() > 0.1
        assert certify(ROOM, shaper, gamma=GAMMA).optimum_preserved
        assert np.abs(shaper.reward).max() <= 10.0 + 1e-6


def test_what_expadard_maximises_by_hand() -> None:
    """Cells 0 to 3, gamma 0.5, a policy that goes right with 3/4 in cell 1 and 1/2 in cell 2.

    V = (., 0.5, 1, .), A(1, .) = (-0.49, 0), A(2, .) = (-0.75, 0). The learner is in 2 after 1 with 3/8 and back
    with 1/4: mu ~ (1 / (1 - 3/32)) (1, 3/8), so 8/11 and 3/11. The teacher goes right with 0.8: in 2 after 1 with 0.4,
    back with 0.1: mu_T = 5/7 and 2/7. In cell 1, worths are mu_T mu pi^2 (A - A(pi)), A(pi) = -0.1225.
    """
    model = exact.chain(4)
    shaper = ExpAdaRD(model, gamma=0.5)
    pi = np.array([[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(shaper._teacher, [5 / 7, 2 / 7], atol=1e-12)
    np.testing.assert_allclose(occupancy(model, np.array([1, 2]), pi, 0.5), [8 / 11, 3 / 11], atol=1e-12)
    reward = np.zeros((4, 2))
    reward[1, 1], reward[2, 0] = 2.0, -1.0
    left, right = (5 / 7 * 8 / 11 * p**2 * (a + 0.1225) for p, a in ((0.25, -0.49), (0.75, 0.0)))
    first = left * (0.0 - 1.5) + right * (2.0 - 1.5)
    left, right = (2 / 7 * 3 / 11 * 0.25 * (a + 0.375) for a in (-0.75, 0.0))
    second = left * (-1.0 + 0.5) + right * (0.0 + 0.5)
    assert shaper.informativeness(reward, pi) == pytest.approx(first + second, abs=1e-12)


def test_rewards_of_features_are_shared_by_tiles() -> None:
    """Nine squares of 3 x 3 cells and the goal, as the authors draw them: one number for each and each action."""
    corners = [(0, 0), (3, 0), (4, 0), (0, 3), (0, 4), (3, 3), (3, 4), (4, 3), (4, 4)]
    x, y = np.arange(ROOM.num_states) % 7, np.arange(ROOM.num_states) // 7
    tiles = [(x >= a) & (x < a + 3) & (y >= b) & (y < b + 3) & (y < 7) for a, b in corners]
    features = np.stack([*tiles, np.arange(ROOM.num_states) == 48], axis=1)
    shaper = ExpAdaRD(ROOM, gamma=GAMMA, features=features)
    assert certify(ROOM, shaper, gamma=GAMMA).optimum_preserved
    assert np.ptp(shaper.reward[[0, 1, 2, 7, 8, 9, 14, 15, 16]], axis=0).max() < 1e-8
    with pytest.raises(ValueError, match=r"features must have shape \(S, d\) or \(S, A, d\) with S=51 and A=4"):
        ExpAdaRD(ROOM, gamma=GAMMA, features=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="features that tell the states apart"):
        ExpAdaRD(ROOM, gamma=GAMMA, features=np.ones((51, 1)))
