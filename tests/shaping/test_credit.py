"""One outcome spread over its steps: sums that stay, values worked by hand, and who learns from it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from potentia.envs.experts import expert
from potentia.rollout import Rollout
from potentia.shaping import Hindsight, Redistribution, Shapley, TurningPoint
from potentia.wrappers import Completion

STATES, ACTIONS = spaces.Discrete(6), spaces.Discrete(2)


def episodes(states: np.ndarray, actions: np.ndarray, rewards: np.ndarray, **info: np.ndarray) -> Rollout:
    """Episodes ``(T, B)`` that all end at the last step."""
    ends = np.zeros(actions.shape, bool)
    ends[-1] = True
    return Rollout(
        obs=states[:-1], action=actions, next_obs=states[1:], terms={"env": rewards.astype(float)},
        discount=1.0 * ~ends, terminated=ends, truncated=np.zeros_like(ends), info=info,
    )  # fmt: skip


def delayed(rng: np.random.Generator, size: int = 64, steps: int = 5) -> Rollout:
    """The first action alone decides the return, which is paid at the end: 1 or 0. State 1 remembers it."""
    actions = rng.integers(0, 2, (steps, size))
    states = np.tile(actions[0], (steps + 1, 1))
    states[0] = 2
    rewards = np.zeros((steps, size))
    rewards[-1] = actions[0]
    return episodes(states, actions, rewards)


@pytest.mark.parametrize("form", ["uniform", "differences", "random"])
def test_the_sum_of_an_episode_stays(form: str) -> None:
    rng = np.random.default_rng(0)
    shaper = Redistribution(STATES, ACTIONS, form=form, subset=2, learning_rate=0.01)
    for _ in range(3):
        shaper.update(delayed(rng))
    rollout = delayed(rng)
    shaped = shaper.shape(rollout)[0]
    np.testing.assert_allclose(shaped.reward.sum(0), rollout.reward.sum(0), atol=1e-9)
    assert np.abs(shaped.terms["Redistribution"]).max() > 0.1


@pytest.mark.parametrize("form", ["differences", "random"])
def test_the_return_moves_to_the_step_that_decided_it(form: str) -> None:
    rng = np.random.default_rng(1)
    shaper = Redistribution(STATES, ACTIONS, form=form, subset=2, learning_rate=0.01, hidden=32)
    for _ in range(60):
        shaper.update(delayed(rng, 128))
    rollout = delayed(rng, 200)
    reward, won = shaper.shape(rollout)[0].reward, rollout.action[0] == 1
    gap = reward[:, won].mean(1) - reward[:, ~won].mean(1)
    # Of 1, the LSTM gives nearly all to the first step. A network of one step sees in each state how it will end.
    assert gap.sum() == pytest.approx(1)
    assert gap[0] > (0.8 if form == "differences" else 0.15)
    assert gap[-1] < 0.3  # where all of it was before


def test_episodes_that_go_on_keep_their_reward() -> None:
    rollout = delayed(np.random.default_rng(0))
    open_ended = Rollout(**{**rollout.__dict__, "terminated": np.zeros_like(rollout.terminated)})
    assert not Redistribution(form="uniform").shape(open_ended)[0].terms["Redistribution"].any()


def test_turning_points_by_hand() -> None:
    def rewards(v: list[float], variant: str) -> list[float]:
        values = np.array(v)[:, None]
        steps = len(v) - 1
        rollout = episodes(
            np.zeros((steps + 1, 1), int), np.zeros((steps, 1), int), np.ones((steps, 1)),
            completion=values[:-1], next_completion=values[1:],
        )  # fmt: skip
        return TurningPoint(variant).shape(rollout)[0].reward[:, 0].tolist()

    # d = -1, -1, 3, 2 and the whole is 3: only the third step turns.
    assert rewards([0, -1, -2, 1, 3], "incremental") == [-1, -1, 5, 2]
    assert rewards([0, -1, -2, 1, 3], "outcome_plus_bonus") == [3, 3, 6, 3]
    # The first step agrees with the whole, -1; the second does not; the third turns back.
    assert rewards([0, -2, 1, -1], "incremental") == [-1, 3, -2]
    # Nothing changes by what does not matter.
    assert rewards([1, 1, 1], "incremental") == [0, 0]
    twice = rewards([0, -2, -4, 2, 6], "incremental")
    assert twice == [2 * one for one in rewards([0, -1, -2, 1, 3], "incremental")]


def test_completions_are_those_of_playing_on() -> None:
    world = gym.make("potentia/Chain-v0", length=5)
    env = Completion(world, expert(world))
    _, info = env.reset(seed=0)
    assert info["completion"] == 1.0
    terminated = False
    while not terminated:
        before = env.unwrapped.save()
        _, reward, terminated, _, info = env.step(1)
        assert info["completion"] == 1.0  # to the right all goes well
        assert env.unwrapped.save() != before
    assert reward == 1.0
    env.reset(seed=0)
    assert env.step(0)[4]["completion"] == 0.01  # to the left it is over at once, with a crumb
    with pytest.raises(TypeError, match="must have save and restore"):
        Completion(gym.make("CartPole-v1"), expert(world))


def glove(episode: Rollout, sets: np.ndarray) -> np.ndarray:
    """Two left gloves and a right one: a pair is worth 3."""
    del episode
    return 3.0 * (sets[:, 2] & (sets[:, 0] | sets[:, 1]))


def three_steps(reward: float = 3.0) -> Rollout:
    rewards = np.array([[0.0], [0.0], [reward]])
    return episodes(np.arange(4)[:, None], np.zeros((3, 1), int), rewards)


def test_shapley_values_are_the_games() -> None:
    values, error = Shapley(glove, orders=4000).values(three_steps())
    assert values == pytest.approx([0.5, 0.5, 2.0], abs=4 * error.max())
    assert values.sum() == pytest.approx(3.0, abs=1e-12)  # all less none, however few orders
    assert 0.005 < error.max() < 0.05
    few, _ = Shapley(glove, orders=2).values(three_steps())
    assert few.sum() == pytest.approx(3.0, abs=1e-12)


def test_an_additive_game_is_solved_by_one_pair_of_orders() -> None:
    weights = np.array([1.0, -2.0, 4.0])
    shaper = Shapley(lambda episode, sets: sets @ weights, orders=2)
    assert shaper.values(three_steps())[0] == pytest.approx(weights)
    reward = shaper.shape(three_steps(9.0))[0].reward[:, 0]
    assert reward == pytest.approx(weights + 2.0)  # the rest, 9 - 3, is spread evenly
    half = Shapley(lambda episode, sets: sets @ weights, orders=2, alpha=0.5).shape(three_steps(9.0))[0].reward[:, 0]
    assert half == pytest.approx((weights + 2.0) / 2 + np.array([0, 0, 4.5]))


def test_the_error_falls_with_the_orders() -> None:
    errors = [Shapley(glove, orders=n).values(three_steps())[1].mean() for n in (50, 5000)]
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.5)


def test_hindsight_pays_the_advantage_of_what_mattered() -> None:
    """Action 1 at the first step earns 1 at the end. Later actions change nothing, so they earn nothing."""
    rng = np.random.default_rng(0)
    shaper = Hindsight(STATES, ACTIONS, hidden=32, learning_rate=0.01)
    for _ in range(60):
        shaper.update(delayed(rng, 128))
    rollout = delayed(rng, 400)
    reward = shaper.shape(rollout)[0].reward
    # At the first step pi = 1/2 and h = 1 for who knows that it earned 1: (1 - 1/2) * 1, and 0 * (1 - ...) else.
    assert reward[0, rollout.action[0] == 1].mean() == pytest.approx(0.5, abs=0.07)
    assert reward[0, rollout.action[0] == 0].mean() == pytest.approx(0.0, abs=0.03)
    assert np.abs(reward[1:].mean()) < 0.05


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ValueError, match="needs observation_space="):
        Redistribution()
    with pytest.raises(ValueError, match="form must be among"):
        Redistribution(form="best")
    with pytest.raises(ValueError, match="variant must be among"):
        TurningPoint("both")
    with pytest.raises(ValueError, match="orders must be even"):
        Shapley(glove, orders=3)
    with pytest.raises(ValueError, match="a number for each of the 16 sets"):
        Shapley(lambda episode, sets: sets[:2, 0], orders=4).values(three_steps())
    with pytest.raises(TypeError, match="must be Discrete"):
        Hindsight(STATES, spaces.Box(-1, 1, (2,)))
