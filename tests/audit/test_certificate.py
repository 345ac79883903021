"""Certificates: what they prove and refute, by hand and on real worlds."""

from __future__ import annotations

import json

import gymnasium as gym
import numpy as np
import pytest

from potentia.audit import certify, transitions_of
from potentia.envs.exact import TransitionModel, chain, key_rooms, loop_trap, optimum, random_mdp
from potentia.envs.exact.loop_trap import critical_bonus
from potentia.shaping import (
    ClipReward,
    Count,
    EpisodicCount,
    LookAheadAdvice,
    PotentialShaping,
    Progress,
    Scale,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping.shaper import Contract
from tests.shaping.law_table import ADVICE_TABLE


class Bonus(Shaper):
    """Pays a number for each state that is arrived in."""

    contract = Contract(reads=frozenset({"next_obs"}))

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table = table

    def shape(self, rollout, carry=()):
        return rollout.add(self.name, self.table[rollout.next_obs]), carry


class Loiterer(Shaper):
    """Pays 0.2 for the second step of an episode and every step after it: it counts to two in its carry."""

    def init(self, num_envs):
        return np.zeros(num_envs)

    def shape(self, rollout, carry=()):
        steps = np.asarray(carry) if not isinstance(carry, tuple) else np.zeros(rollout.num_envs)
        term = np.zeros(rollout.discount.shape)
        for t in range(rollout.num_steps):
            term[t] = np.where(steps >= 1, 0.2, 0.0)
            steps = np.where(rollout.done[t], 0.0, np.minimum(steps + 1, 1))
        return rollout.add(self.name, term), steps


def two_ways() -> TransitionModel:
    """From 0, action 0 ends with 1, action 1 leads to state 1, from where either action ends with 1."""
    transition = np.zeros((3, 2, 3))
    transition[0, 0, 2] = transition[0, 1, 1] = transition[1, :, 2] = transition[2, :, 2] = 1
    reward = np.zeros((3, 2, 3))
    reward[0, 0, 2] = reward[1, :, 2] = 1
    return TransitionModel(
        transition, reward, np.array([False, False, True]), np.array([1.0, 0, 0]), np.zeros(3, bool), ("a", "b", "end")
    )


def test_by_hand() -> None:
    # In truth ending at once is worth 1 and the detour 0.9. A bonus of 0.3 for b makes the detour worth 1.2.
    found = certify(two_ways(), Bonus(np.array([0, 0.3, 0])), gamma=0.9)
    assert not found.optimum_preserved
    assert found.worst_regret == pytest.approx(0.1)
    assert found.optimal_value == 1.0
    assert found.witness == (("a", "1"), ("b", "0"))
    assert [(one.state, one.true, one.shaped) for one in found.changes] == [("a", ("0",), ("1",))]
    # A bonus of 0.05 is too small for that, and one of 0.1 makes both equally good, which is as bad as the worse.
    assert certify(two_ways(), Bonus(np.array([0, 0.05, 0])), gamma=0.9).same_optimum
    assert certify(two_ways(), Bonus(np.array([0, 0.1, 0])), gamma=0.9).worst_regret == pytest.approx(0.1)


def test_a_bonus_that_tells_equals_apart_keeps_the_optimum_but_not_the_set() -> None:
    model = two_ways()
    model.reward[1, 1, 2] = 1.0
    paid = Bonus(np.array([0.0, 0.0, 0.0]))
    assert certify(model, paid, gamma=0.9).same_optimum
    model.reward[0, 1, 1] = 0.1  # now both ways are worth 1
    assert certify(model, Bonus(np.array([0, 0.3, 0])), gamma=0.9).optimum_preserved
    assert not certify(model, Bonus(np.array([0, 0.3, 0])), gamma=0.9).same_optimum


def test_a_memory_is_a_part_of_the_state() -> None:
    # Without memory of its own the loiterer's term is a function of the step's number. In truth ending at once is best.
    found = certify(two_ways(), Loiterer(), gamma=0.9)
    assert found.num_nodes == 2  # a without, b with one step remembered
    assert not found.optimum_preserved  # 0.9 * 1.2 = 1.08 > 1
    assert found.worst_regret == pytest.approx(0.1)


def test_a_memory_that_grows_is_told() -> None:
    with pytest.raises(ValueError, match="more than 50 pairs of state and memory"):
        certify(chain(5), EpisodicCount(), gamma=0.9, max_nodes=50)


@pytest.mark.parametrize("seed", range(10))
def test_potentials_are_certified_in_random_worlds(seed: int) -> None:
    model = random_mdp(8, 3, mdp_seed=seed)
    table = np.random.default_rng(seed).normal(size=8)
    for gamma in (0.5, 0.9, 0.99):
        assert certify(model, PotentialShaping(table), gamma=gamma).same_optimum


def test_values_are_those_of_the_exact_solver() -> None:
    model = random_mdp(8, 3, mdp_seed=3)
    value = certify(model, PotentialShaping(np.zeros(8)), gamma=0.95).optimal_value
    assert value == pytest.approx(model.start @ optimum(model, 0.95).values, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.8, 0.9, 0.97])
def test_the_loop_trap_is_sprung_above_its_critical_bonus(gamma: float) -> None:
    critical = critical_bonus(gamma)
    for share, harmless in ((0.99, True), (1.01, False)):
        table = np.eye(len(loop_trap().names))[0] * share * critical
        found = certify(loop_trap(), Bonus(table), gamma=gamma)
        assert found.optimum_preserved == harmless
        assert found.worst_regret == pytest.approx(0.0 if harmless else found.optimal_value)  # it circles for ever


def test_a_discount_that_changes_the_optimum_is_found() -> None:
    # 0.2 now, or 1 two steps later: at 0.9 waiting is worth 0.81, at 0.3 it is worth 0.09.
    transition = np.zeros((4, 2, 4))
    transition[0, 0, 3] = transition[0, 1, 1] = transition[1, :, 2] = transition[2, :, 3] = transition[3, :, 3] = 1
    reward = np.zeros((4, 2, 4))
    reward[0, 0, 3], reward[2, :, 3] = 0.2, 1.0
    model = TransitionModel(
        transition, reward, np.array([0, 0, 0, 1], bool), np.array([1.0, 0, 0, 0]), np.zeros(4, bool), tuple("abcd")
    )
    found = certify(model, ScheduleDiscount(0.3), gamma=0.9)
    assert found.worst_regret == pytest.approx(0.81 - 0.2)
    assert certify(model, ScheduleDiscount(0.9), gamma=0.9).same_optimum


def test_gymnasiums_tables_and_walked_grids() -> None:
    assert certify("FrozenLake-v1", PotentialShaping(np.arange(16.0)), gamma=0.99).same_optimum
    assert certify("Taxi-v3", PotentialShaping(np.zeros(500)), gamma=0.9).num_states == 500
    found = certify("potentia/DoorKey-5x5-v0", PotentialShaping("potential"), gamma=0.99)
    assert found.same_optimum
    assert found.num_nodes > 200
    assert any("seed 0" in line for line in found.not_covered)
    spoilt = certify("potentia/DoorKey-5x5-v0", Progress("potential"), gamma=0.99)
    assert 0 < spoilt.worst_regret_anywhere < 0.01  # without gamma it pays for dawdling, but hardly


def test_what_a_walked_grid_is_equals_what_it_does() -> None:
    world = transitions_of("potentia/Empty-5x5-v0", ["potential"])
    env = gym.make("potentia/Empty-5x5-v0", info_keys=("potential", "state_hash"))
    _, info = env.reset(seed=0)
    state, rng = 0, np.random.default_rng(0)
    for _ in range(100):
        action = int(rng.integers(world.num_actions))
        row = int(np.flatnonzero((world.state == state) & (world.action == action))[0])
        _, _, terminated, truncated, info = env.step(action)
        assert world.rollout.info["next_potential"][0, row] == info["potential"]
        assert world.terminated[row] == terminated
        state = int(world.next_state[row])
        if terminated or truncated:
            env.reset(seed=0)
            state = 0


def test_the_same_certificate_has_the_same_text() -> None:
    first, second = (certify(key_rooms(2), PotentialShaping("potential"), gamma=0.9) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert json.loads(first.to_json())["shaper"] == {"type": "PotentialShaping", "potential": "potential"}
    other = certify(key_rooms(2), Scale(PotentialShaping("potential"), 2.0), gamma=0.9)
    assert other.world_digest == first.world_digest
    assert other.shaper_digest != first.shaper_digest
    assert "CERTIFIED" in str(first)
    assert "REFUTED" in str(certify(two_ways(), Bonus(np.array([0, 0.3, 0])), gamma=0.9))


def test_a_learned_shaper_is_taken_as_it_is() -> None:
    found = certify(chain(5), Count(), gamma=0.9)
    assert any("as it is now" in line for line in found.not_covered)


def test_what_cannot_be_certified_is_told() -> None:
    with pytest.raises(ValueError, match="the next action, which single transitions"):
        certify(chain(5), LookAheadAdvice(ADVICE_TABLE), gamma=0.9)
    with pytest.raises(TypeError, match="wanted a world that can be enumerated"):
        certify("CartPole-v1", ClipReward(), gamma=0.9)
    with pytest.raises(TypeError, match="has chance in it"):
        certify("potentia/Dynamic-Obstacles-5x5-v0", ClipReward(), gamma=0.9)
    with pytest.raises(ValueError, match="gamma must be below 1"):
        certify(chain(5), ClipReward(), gamma=1.0)
    with pytest.raises(TypeError, match="needs gamma"):
        certify(chain(5), ClipReward())
    with pytest.raises(ValueError, match=r"reads \['reference'\] of info"):
        transitions_of(chain(5), ["reference"])
    with pytest.raises(ValueError, match="more than max_states=20"):
        transitions_of("potentia/DoorKey-5x5-v0", max_states=20)
