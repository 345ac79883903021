"""The table: one update by hand, the exact optimum, and look-ahead advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from potentia.agents import QLearning, QLearningConfig
from potentia.collect import collect
from potentia.envs.exact.chain import chain
from potentia.envs.exact.solve import optimum
from potentia.envs.exact.vector import TabularVectorEnv
from potentia.rollout import Rollout
from potentia.shaping import Stream


def experience(mask: Any = None, **info: Any) -> Rollout:
    """0 -> 1 by action 1 for 2; 1 -> 0 by action 0 for 10, an end."""
    state, action = np.array([[0], [1]]), np.array([[1], [0]])
    return Rollout(
        obs=state,
        action=action,
        next_obs=1 - state,
        terms={"env": np.array([[2.0], [10.0]])},
        discount=np.array([[0.5], [0.0]]),
        terminated=np.array([[False], [True]]),
        truncated=np.array([[False], [False]]),
        mask=mask,
        info=info,
    )


def table(
    states: int = 2, actions: int = 2, *, advice: np.ndarray | None = None, seed: int = 0, **settings: Any
) -> QLearning:
    found = spaces.Discrete(states), spaces.Discrete(actions)
    return QLearning(*found, QLearningConfig(**settings), seed=seed, advice=advice)


def test_q_learning_by_hand() -> None:
    # Q(0, 1) = 0 + .5 * (2 + .5 * max(4, 6) - 0) = 2.5; then Q(1, 0) = 4 + .5 * (10 + 0 - 4) = 7.
    agent = table(learning_rate=0.5)
    agent.values[1] = [4.0, 6.0]
    assert agent.learn(experience()) == {"td_error": (5.0 + 6.0) / 2}
    assert agent.values.tolist() == [[0.0, 2.5], [7.0, 6.0]]


def test_sarsa_by_hand_uses_the_action_taken_next() -> None:
    # Q(0, 1) = .5 * (2 + .5 * Q(1, 0)) = .5 * (2 + .5 * 4) = 2.
    agent = table(learning_rate=0.5, target="taken")
    agent.values[1] = [4.0, 6.0]
    agent.learn(experience(next_action=np.array([[0], [1]])))
    assert agent.values.tolist() == [[0.0, 2.0], [7.0, 6.0]]
    with pytest.raises(ValueError, match=r"needs info\['next_action'\]"):
        agent.learn(experience())


def test_environments_in_one_state_move_its_value_as_steps_one_after_the_other() -> None:
    # Four environments do the same: 1 - (1 - 0.5)^4 = 0.9375 of the way to the target 8, not 4 * 0.5 of it.
    agent = table(learning_rate=0.5)
    one = experience()
    four = replace(one[1:], terms={"env": np.full((1, 1), 8.0)}).map(lambda column: np.repeat(column, 4, axis=1))
    agent.learn(four)
    assert agent.values[1, 0] == pytest.approx(0.9375 * 8)
    for _ in range(50):
        agent.learn(four)
    assert agent.values[1, 0] == pytest.approx(8.0)  # and it stays there
    # Targets that differ count by their mean.
    agent = table(learning_rate=0.5)
    agent.learn(replace(four, terms={"env": np.array([[0.0, 8.0, 8.0, 16.0]])}))
    assert agent.values[1, 0] == pytest.approx(0.9375 * 8)


def test_masked_steps_do_not_exist() -> None:
    agent = table(learning_rate=0.5)
    agent.learn(experience(mask=np.array([[True], [False]])))
    assert agent.values.tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert agent.learn(experience(mask=np.zeros((2, 1), dtype=bool))) == {}


def test_sarsa_with_advice_is_sarsa_that_starts_from_the_advice() -> None:
    # Wiewiora 2003: learning Q' on r + discount * advice(s', a') - advice(s, a), Q' + advice is at each step the Q that
    # starts from the advice and learns from r.
    rng = np.random.default_rng(0)
    advice = rng.normal(size=(2, 2))
    following = np.array([[0], [1]])
    data = experience(next_action=following)
    bonus = data.discount * advice[data.next_obs, following] - advice[data.obs, data.action]
    shaped, plain = table(target="taken", advice=advice), table(target="taken")
    plain.values = advice.copy()
    for _ in range(5):
        shaped.learn(data.add("advice", bonus))
        plain.learn(data)
        np.testing.assert_allclose(shaped.values + advice, plain.values, rtol=0, atol=1e-12)


def test_it_finds_the_optimum_of_a_chain() -> None:
    model = chain(length=5)
    envs = TabularVectorEnv(model, num_envs=4, autoreset_mode=AutoresetMode.NEXT_STEP)
    agent = table(model.num_states, model.num_actions, learning_rate=0.5, epsilon=1.0, seed=1)
    state = None
    for _ in range(60):
        rollout, state = collect(envs, agent, 50, gamma=0.9, state=state, seed=2)
        agent.learn(rollout)
    want = optimum(model, 0.9).action_values
    seen = agent.values != 0
    np.testing.assert_allclose(agent.values[seen], want[seen], rtol=0, atol=1e-6)
    assert seen.sum() >= 2 * (model.num_states - 2)


def test_greedy_and_softmax_actions() -> None:
    agent = table(1, 3, epsilon=0.0, seed=3)
    agent.values[0] = [1.0, 1.0, 0.0]
    state = np.zeros(3000, dtype=np.int64)
    counts = np.bincount(agent.act(state, ())[0], minlength=3)
    assert counts[2] == 0
    assert abs(counts[0] - 1500) < 150  # ties at random: five standard deviations are 137
    agent.config = replace(agent.config, temperature=1.0)
    share = np.bincount(agent.act(state, ())[0], minlength=3)[2] / 3000
    assert abs(share - 1 / (1 + 2 * np.e)) < 0.04  # softmax(0) beside two of e
    advised = table(1, 3, epsilon=0.0, target="taken", advice=np.array([[0.0, 0.0, 5.0]]))
    assert set(advised.act(state, ())[0]) == {2}


def test_states_and_actions_may_begin_anywhere() -> None:
    agent = QLearning(spaces.Discrete(2, start=3), spaces.Discrete(2, start=-1), QLearningConfig(learning_rate=0.5))
    data = experience()
    agent.learn(replace(data, obs=data.obs + 3, next_obs=data.next_obs + 3, action=data.action - 1))
    plain = table(learning_rate=0.5)
    plain.learn(data)
    assert agent.values.tolist() == plain.values.tolist() == [[0.0, 1.0], [5.0, 0.0]]
    assert agent.frozen(greedy=True).act(np.array([3, 4]), ())[0].tolist() == [0, -1]


def test_a_frozen_copy_leaves_the_agent_alone_and_a_saved_one_goes_on() -> None:
    agent, other = table(seed=1), table(seed=9)
    before = agent.state_dict()
    agent.frozen(seed=5).act(np.zeros(7, dtype=np.int64), ())
    assert agent.state_dict()["rng"] == before["rng"]
    agent.learn(experience())
    other.load_state_dict(agent.state_dict())
    np.testing.assert_array_equal(other.values, agent.values)
    np.testing.assert_array_equal(*(one.act(np.zeros(9, dtype=np.int64), ())[0] for one in (agent, other)))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"advice must have shape .* = \(2, 2\), got \(3,\)"):
        table(advice=np.zeros(3))
    with pytest.raises(TypeError, match="needs Discrete observations and actions"):
        QLearning(spaces.Discrete(2), spaces.MultiDiscrete([2]))
    with pytest.raises(ValueError, match=r"can't value the streams \['rnd'\] apart; with streams=None"):
        QLearning(spaces.Discrete(2), spaces.Discrete(2), streams={"rnd": Stream()})
    with pytest.raises(ValueError, match="the table is on the CPU, got device='cuda'"):
        QLearning(spaces.Discrete(2), spaces.Discrete(2), device="cuda")
    with pytest.raises(ValueError, match="the target must be 'taken'"):
        table(advice=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"must have shape \(2, 2\), got \(3, 2\)"):
        table().load_state_dict(table(3, 2).state_dict())
