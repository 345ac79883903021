"""The tensors of the enumerable worlds against numbers worked by hand and against Gymnasium."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs import exact
from potentia.envs.exact.registration import MODELS

MODEL_NAMES = sorted(MODELS)


def test_chain_optimum_is_the_closed_form() -> None:
    """Chain of 6: V*(s) = max(0.9^(4-s), 0.7 * 0.9^(s-1)); V*(1) = 0.9^3 = 0.729 beats 0.7."""
    model = exact.chain(length=6, distraction=0.7)
    solution = exact.optimum(model, 0.9)
    closed = [0.0, *(max(0.9 ** (4 - s), 0.7 * 0.9 ** (s - 1)) for s in range(1, 5)), 0.0]
    np.testing.assert_allclose(solution.values, closed, rtol=0, atol=1e-14)
    assert solution.policy[1:5].tolist() == [1, 1, 1, 1]
    # 0.88^3 = 0.681 < 0.7: with a shorter sight the distraction wins at the start.
    assert exact.optimum(model, 0.88).policy[1] == 0


def test_chain_random_walk_is_gamblers_ruin() -> None:
    """From 1 of 0..5 a fair walk ends at 5 with probability 1/5: 1/5 + 4/5 * 0.01 = 0.208."""
    model = exact.chain(length=6, time_limit=2000)
    assert exact.return_within(model, 2000, np.full((6, 2), 0.5)) == pytest.approx(0.208, abs=1e-12)
    assert exact.return_within(model, 3) == 0.01  # 4 steps to the far end: only the small reward is in reach
    assert exact.return_within(model, 4) == 1.0


def test_deep_sea_optimal_and_random_return() -> None:
    """N moves right cost 0.01, the treasure pays 1: 0.99. At random half the moves cost, 0.005 in all."""
    for mapping_seed in (None, 0, 42):
        env = gym.make("potentia/DeepSea-v0", size=8, mapping_seed=mapping_seed).unwrapped
        assert env.optimal_return == pytest.approx(0.99, abs=1e-12)
        assert env.random_return == pytest.approx(2.0**-8 - 0.005, abs=1e-15)
    mapped = exact.deep_sea(size=8).transition
    assert not np.array_equal(mapped, exact.deep_sea(size=8, mapping_seed=None).transition)


def test_loop_trap_circling_is_optimal_just_above_the_critical_bonus() -> None:
    """L=2, C=3, discount 0.5: circling pays b*0.5/(1-0.25), leaving 0.25; equal at b = 0.375."""
    assert exact.critical_bonus(0.5, loop=2, corridor=3) == 0.375
    for discount in (0.5, 0.9, 0.99):
        model = exact.loop_trap(loop=4, corridor=6)
        critical = exact.critical_bonus(discount, loop=4, corridor=6)
        for factor, action in ((0.999, 1), (1.001, 0)):
            arrival = np.zeros_like(model.reward)
            arrival[:, :, 0] = factor * critical
            trapped = exact.TransitionModel(
                transition=model.transition,
                reward=model.reward + arrival,
                terminal=model.terminal,
                start=model.start,
                success=model.success,
                names=model.names,
            )
            assert exact.optimum(trapped, discount).policy[0] == action
        assert exact.optimum(model, discount).values[0] == pytest.approx(discount**5, abs=1e-14)


@pytest.mark.parametrize("slippery", [True, False])
def test_frozen_lake_has_gymnasiums_tensors(slippery: bool) -> None:
    game = gym.make("FrozenLake-v1", map_name="8x8", is_slippery=slippery).unwrapped
    model = exact.frozen_lake(slippery=slippery)
    live = np.flatnonzero(~model.terminal)
    for state in live:
        for action in range(4):
            wanted = np.zeros(64)
            reward = np.zeros(64)
            for probability, after, paid, ended in game.P[state][action]:
                wanted[after] += probability
                reward[after] = paid
                assert ended == model.terminal[after]
            np.testing.assert_allclose(model.transition[state, action], wanted, rtol=0, atol=1e-15)
            reached = wanted > 0
            np.testing.assert_array_equal(model.reward[state, action][reached], reward[reached])


def test_frozen_lake_anchors() -> None:
    """7 right and 7 down are 14 steps; no limit below 14 lets the goal be reached."""
    env = gym.make("potentia/FrozenLake8x8Deterministic-v0").unwrapped
    assert env.model.time_limit == 14
    assert env.optimal_return == 1.0
    assert exact.return_within(env.model, 13) == 0.0


def test_key_rooms_shortest_way() -> None:
    """n=2: to the key 1; to the door's row 0; through it to the goal 4 right and 1 up = 6 = 4*2 - 2."""
    for size in (2, 3, 4, 5):
        model = exact.key_rooms(size)
        start = int(model.start.argmax())
        assert exact.shortest_distance(model)[start] == 4 * size - 2
        assert exact.return_within(model, 4 * size - 3) == 0.0
        assert exact.return_within(model, 4 * size - 2) == 1.0


def test_random_mdp_branching_and_seed() -> None:
    model = exact.random_mdp(states=7, actions=2, branching=3, mdp_seed=5)
    assert ((model.transition > 0).sum(axis=2) == 3).all()
    np.testing.assert_array_equal(model.transition, exact.random_mdp(7, 2, 3, mdp_seed=5).transition)
    assert not np.array_equal(model.transition, exact.random_mdp(7, 2, 3, mdp_seed=6).transition)


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("discount", [0.0, 0.9, 0.99])
def test_optimum_solves_the_bellman_equation(name: str, discount: float) -> None:
    model = MODELS[name]()
    solution = exact.optimum(model, discount)
    backed_up = model.expected_reward() + discount * model.continuing() @ solution.values
    live = ~model.terminal
    np.testing.assert_allclose(solution.action_values[live], backed_up[live], rtol=0, atol=1e-12)
    np.testing.assert_allclose(solution.values, solution.action_values.max(axis=1), rtol=0, atol=0)
    assert (solution.values[model.terminal] == 0).all()
    policy = np.eye(model.num_actions)[solution.policy]
    np.testing.assert_allclose(exact.policy_values(model, policy, discount), solution.values, rtol=0, atol=1e-9)
    assert solution.optimal[np.arange(model.num_states), solution.policy].all()


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_distance_is_one_more_than_the_nearest_successors(name: str) -> None:
    model = MODELS[name]()
    distance = exact.shortest_distance(model)
    reach = np.where(distance < 0, np.inf, distance)
    for state in np.flatnonzero(~model.terminal & ~model.success):
        nearest = min(reach[model.transition[state, a] > 0].min() for a in range(model.num_actions))
        assert reach[state] == nearest + 1
    assert (distance[model.success] == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transition": np.ones((2, 2, 3))}, "transition must have shape"),
        ({"transition": np.full((3, 2, 3), 0.5)}, "transition must hold distributions"),
        ({"start": np.array([0.5, 0.0, 0.0])}, "start must hold distributions"),
        ({"reward": np.zeros((3, 3))}, "reward must have shape"),
        ({"success": np.zeros(2, dtype=bool)}, "success must have shape"),
        ({"names": ("one",)}, "names must describe 3 states"),
        ({"time_limit": 0}, "time_limit must be at least 1"),
    ],
)
def test_a_broken_model_is_refused_with_what_was_wanted(change: dict[str, object], message: str) -> None:
    fields = {
        "transition": np.full((3, 2, 3), 1 / 3),
        "reward": np.zeros((3, 2)),
        "terminal": np.zeros(3, dtype=bool),
        "start": np.array([1.0, 0.0, 0.0]),
        "success": np.zeros(3, dtype=bool),
        "names": ("a", "b", "c"),
    }
    exact.TransitionModel(**fields)
    with pytest.raises(ValueError, match=message):
        exact.TransitionModel(**{**fields, **change})


def test_bad_parameters_are_refused() -> None:
    for make, message in (
        (lambda: exact.chain(2), "length must be at least 3"),
        (lambda: exact.deep_sea(1), "size must be at least 2"),
        (lambda: exact.loop_trap(1), "loop must be at least 2"),
        (lambda: exact.random_mdp(reward="rare"), 'reward must be "sparse" or "dense"'),
        (lambda: exact.frozen_lake("9x9"), "map_name must be one of"),
        (lambda: exact.optimum(exact.chain(), 1.0), "discount must be in"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
