"""The worlds in which reward design is tried, against numbers worked by hand."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs import exact
from potentia.testing import check_env


def test_the_rooms_walls_have_two_gates_each() -> None:
    """Walls stand between columns 2 and 3 and rows 2 and 3. One passes at 1 and at 5."""
    meant = exact.room(random_move=0.0).transition.argmax(axis=2)
    for i in range(7):
        right, up = i * 7 + 2, 2 * 7 + i
        assert (meant[right, 3] == right + 1) == (i in (1, 5))
        assert (meant[right + 1, 1] == right) == (i in (1, 5))
        assert (meant[up, 0] == up + 7) == (i in (1, 5))
        assert (meant[up + 7, 2] == up) == (i in (1, 5))
    assert meant[0].tolist() == [7, 49, 49, 1]  # left and down lead outside
    assert meant[48].tolist() == [48, 47, 41, 50]


def test_the_rooms_values() -> None:
    """From (1, 1) to (6, 6) there are 10 steps, and the 11th pays: 10 * 0.95^10. With chance it is worth less."""
    model = exact.room(random_move=0.0)
    assert exact.optimum(model, 0.95).values[8] == pytest.approx(10.0 * 0.95**10, abs=1e-12)
    assert exact.shortest_distance(model)[8] == 11
    assert exact.return_within(model, 10) == 0.0
    assert exact.optimum(exact.room(), 0.95).values[8] == pytest.approx(5.6243, abs=1e-4)
    # From 38, "up" is meant and 0.9 + 0.1 / 4 = 0.925 of the time done; each other move has 0.025.
    np.testing.assert_allclose(exact.room().transition[38, 0, [45, 37, 31, 39]], [0.925, 0.025, 0.025, 0.025])


def test_a_goal_that_does_not_end_pays_again() -> None:
    """In 30 steps: 10 to come, and 20 that pay. The distractor pays for "up" in (1, 0) only."""
    model = exact.room(reward=1.0, random_move=0.0, ends=False, time_limit=30, distractor=0.01)
    assert model.num_states == 50
    assert exact.return_within(model, 30) == pytest.approx(20.0, abs=1e-12)
    assert np.argwhere(model.reward).tolist() == [[1, 0], [48, 3]]
    with pytest.raises(ValueError, match="size must be odd"):
        exact.room(size=8)


def test_the_two_way_chain() -> None:
    """20 steps to the right, then 20 of 40 pay 1. The distractor is 15 steps to the left."""
    model = exact.two_way_chain(random_move=0.0)
    assert model.num_states == 62
    assert exact.return_within(model, 40) == pytest.approx(20.0, abs=1e-12)
    assert exact.optimum(model, 0.99).values[40] == pytest.approx(0.99**20 / 0.01, abs=1e-9)
    assert model.transition[0, 0, 61] == 1.0
    assert model.terminal.tolist() == [False] * 61 + [True]
    assert np.argwhere(model.reward).tolist() == [[25, 0], [60, 1]]
    assert exact.two_way_chain().transition[5, 0, [4, 6]].tolist() == [0.975, 0.025]
    with pytest.raises(ValueError, match=r"distractor_after must lie in 0\.\.left=3"):
        exact.two_way_chain(left=3)


def play(env: gym.Env, pick: int) -> tuple[float, bool, int]:
    """To the keys, picks one, and goes right to the end. Returns what is paid, whether it terminated, and the steps."""
    obs, _ = env.reset(seed=0)
    total, done, steps = 0.0, False, 0
    while not done:
        action = (pick if obs[2] else 0) if not obs[1] else 1
        obs, reward, terminated, truncated, info = env.step(action)
        total, done, steps = total + float(reward), terminated or truncated, steps + 1
    assert bool(info["success"]) == (total >= 1.0)
    return total, terminated, steps


def test_line_key_by_its_solution() -> None:
    """5 steps of 0.074 to 0.076 from 0.5 to at most 0.13, a pick, 11 to 0.9 or more, and the one that pays."""
    total, terminated, steps = play(gym.make("potentia/LineKey-v0"), 2)
    assert (total, terminated) == (10.0, True)
    assert steps in (5 + 1 + 10 + 1, 5 + 1 + 11 + 1, 4 + 1 + 10 + 1)
    env = gym.make("potentia/LineKey-v0", distractor=0.5)
    env.reset(seed=0)
    paid = [env.step(1)[1] for _ in range(8)]  # without a key
    assert paid == [0.0] * 6 + [0.5] * 2


def test_line_keys_right_and_wrong() -> None:
    """The first key pays at each of the last steps, another one only the distractor, and nothing ends before 60."""
    total, terminated, steps = play(gym.make("potentia/LineKeys-v0"), 2)
    assert (terminated, steps) == (False, 60)
    assert total == round(total) >= 40
    wrong, _, _ = play(gym.make("potentia/LineKeys-v0"), 5)
    assert wrong == pytest.approx(0.01 * total, abs=0.011)


def test_a_wrong_choice_gives_any_wrong_key() -> None:
    """Of 2,000 wrong picks each of the nine other keys is got 222 times, within 5 standard errors of 14."""
    envs = gym.make_vec("potentia/LineKeys-v0", 2000).unwrapped
    envs.reset(seed=0)
    envs.worlds.state[:, 0] = 0.05
    obs = envs.step(np.full(2000, 7))[0]
    counts = obs[:, 4:].sum(axis=0)
    assert counts[0] == 0
    assert obs[:, 4:].sum() == 2000
    assert np.abs(counts[1:] - 2000 / 9).max() < 5 * 14.1
    again = envs.step(np.full(2000, 2))[0]
    np.testing.assert_array_equal(again[:, 4:], obs[:, 4:])  # a key is kept


@pytest.mark.parametrize("world", ["LineKey", "LineKeys"])
def test_success_keeps_the_rules(world: str) -> None:
    def solve(env: gym.Env, obs: np.ndarray, info: dict) -> int:
        return (2 if obs[2] else 0) if not obs[1] else 1

    check_env(f"potentia/{world}-v0", episodes=2, max_steps=61, solution=solve)
