"""Curling and the redundant arm: their rules by hand, and what pays."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control import ControlEnv, ControlVectorEnv, curling, find_rules
from potentia.envs.control.paying import pay_of
from potentia.envs.control.rules import PLAYING, REACHED, SUCCESS

FINAL, ARRIVAL = (pay_of(tuple(curling.AREAS.values()), reward) for reward in ("final", "arrival"))


def still(**numbers: float) -> np.ndarray:
    """A state of Curling in which all that is not named is 0: the arm stands straight up, and nothing moves."""
    rules = find_rules("Curling")
    return np.array([numbers.get(name.replace(" ", "_"), 0.0) for name in rules.state])


def test_what_areas_pay() -> None:
    """At (0.8, 0.7), 0.1 from the middle of a disc of 0.4: 0.75 at the end, 1 for arriving. On the rim: 0."""
    assert FINAL(np.array([0.8, 0.7]), 3) == (0.0, PLAYING)
    assert FINAL(np.array([0.8, 0.7]), 0) == (pytest.approx(0.75, abs=1e-12), REACHED)
    assert FINAL(np.array([0.8, 0.4]), 0) == (pytest.approx(0.0, abs=1e-12), REACHED)
    assert FINAL(np.array([0.0, 0.0]), 0) == (0.0, PLAYING)
    assert ARRIVAL(np.array([0.8, 0.7]), 3) == (1.0, SUCCESS)
    assert ARRIVAL(np.array([0.0, 0.0]), 0) == (0.0, PLAYING)


def test_the_ball_slides_rebounds_and_rests() -> None:
    """It loses 0.5 / 60 of its speed a step; from the rim at 1.35 it comes back with 0.7 of it; then it lies still."""
    env = ControlEnv("Curling")
    env.reset(seed=0)
    env.worlds.state[0] = still(x=1.34, y=1.0, x_speed=1.2)
    env.step(np.zeros(2))
    x, y, speed, other = env.worlds.state[0, :4]
    assert (x, y, other) == (1.35, 1.0, 0.0)
    assert speed == pytest.approx(-0.7 * 1.2 + 0.5 / 60, abs=1e-12)
    steps = math.ceil(-speed / (0.5 / 60))
    for _ in range(steps):
        env.step(np.zeros(2))
    assert env.worlds.state[0, 2] == 0.0
    rest = env.worlds.state[0, 0]
    env.step(np.zeros(2))
    assert env.worlds.state[0, 0] == rest


@pytest.mark.parametrize("second", [False, True])
def test_a_link_knocks_the_ball_away(second: bool) -> None:
    """The ball leaves the place that it is hit at with 0.7 of the speed at which they met, and no longer overlaps."""
    w0, w1 = 1.3, -0.8
    q0, q1 = 0.4, 1.1
    state = still(shoulder=q0, elbow=q1, shoulder_speed=w0, elbow_speed=w1)

    def place(share: float, time: float) -> np.ndarray:
        elbow_x, elbow_y, tip_x, tip_y = curling._joints(q0 + time * w0, q1 + time * w1)
        begin, end = ((elbow_x, elbow_y), (tip_x, tip_y)) if second else ((0.0, -1.5), (elbow_x, elbow_y))
        return (1 - share) * np.array(begin) + share * np.array(end)

    along = place(1.0, 0.0) - place(0.0, 0.0)
    away = np.array([-along[1], along[0]])
    state[:2] = place(0.7, 0.0) + 0.19 * away
    state[2:4] = -1.5 * away + 0.2 * along
    moves = (place(0.7, 1e-6) - place(0.7, -1e-6)) / 2e-6
    met = (state[2:4] - moves) @ away
    assert met < 0.0
    elbow_x, elbow_y, tip_x, tip_y = curling._joints(q0, q1)
    ends = (elbow_x, elbow_y, tip_x, tip_y) if second else (0.0, -1.5, elbow_x, elbow_y)
    curling._knock(state, *ends, elbow_x, elbow_y, second)
    assert (state[2:4] - moves) @ away == pytest.approx(-0.7 * met, abs=1e-8)
    assert state[2:4] @ along == pytest.approx(0.2, abs=1e-12)  # what slides past is not slowed
    np.testing.assert_allclose(state[:2], place(0.7, 0.0) + 0.2 * away, rtol=0, atol=1e-12)


def test_a_ball_that_moves_away_faster_is_left_alone() -> None:
    state = still(x=-0.19, y=0.0, x_speed=-2.0, shoulder_speed=1.0)
    curling._knock(state, 0.0, -1.5, 0.0, -0.5, 0.0, -0.5, False)
    curling._knock(state, 0.0, -0.5, 0.0, 0.5, 0.0, -0.5, True)
    assert state[:4].tolist() == [pytest.approx(-0.2, abs=1e-12), 0.0, -2.0, 0.0]


def test_joints_stop_at_their_ends_and_are_no_faster_than_told() -> None:
    """A driven joint nears 10 / 4 = 2.5 radians a second; the elbow stops at half a turn, where its speed is 0."""
    env = ControlEnv("Curling")
    env.reset(seed=0)
    fastest = 0.0
    for _ in range(200):
        env.step(np.array([0.0, 1.0]))
        fastest = max(fastest, env.worlds.state[0, 7])
    assert 2.4 < fastest < 2.5
    assert env.worlds.state[0, 5] == math.pi
    assert env.worlds.state[0, 7] == 0.0


def test_the_ball_stays_on_the_table_and_in_the_observations() -> None:
    """512 worlds, 500 steps of wild play, in which the arm moves the ball."""
    envs = ControlVectorEnv("Curling", 512, parallel=False)
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    actions = rng.choice([-1.0, 1.0], (512, 2))
    low, high = envs.single_observation_space.low, envs.single_observation_space.high
    for _ in range(500):
        turn = rng.random((512, 1)) < 0.03
        actions = np.where(turn, rng.choice([-1.0, 0.0, 1.0], (512, 2)), actions)
        obs = envs.step(actions)[0]
        assert np.isfinite(obs).all()
        assert ((obs >= low) & (obs <= high)).all()
        assert (np.abs(obs[:, :2]) <= np.float32(1.35)).all()
    assert (np.abs(envs.worlds.state[:, :2] - [-0.5, 0.2]).max(axis=1) > 0.1).mean() > 0.5


def test_the_redundant_arms_end() -> None:
    """Straight: (1, 0.5). Its first joint turned by 0.05 and all others straight: 0.5 + 0.5 (cos, sin) of 0.05."""
    env = ControlEnv("RedundantArm", info_keys="all")
    assert env.reset(seed=0)[1]["descriptor"] == pytest.approx([1.0, 0.5], abs=1e-12)
    first = np.eye(20)[0]
    info = env.step(first)[4]
    assert info["descriptor"] == pytest.approx([0.5 + 0.5 * math.cos(0.05), 0.5 + 0.5 * math.sin(0.05)], abs=1e-12)
    # All joints alike lie on a circle: the sum of a geometric series of turns.
    info = env.step(np.ones(20) - 2 * first)[4]
    turn = np.exp(1j * (0.05 * np.arange(20)))
    end = 0.5 + 0.5j + 0.025 * turn.sum()
    assert info["descriptor"] == pytest.approx([end.real, end.imag], abs=1e-12)
    nearest = min(abs(end - complex(*area.centre)) - area.radius for area in env.rules.areas)
    assert info["potential"] == pytest.approx(-nearest, abs=1e-12)
    for _ in range(100):
        env.step(np.ones(20))
    assert env.worlds.state[0, :20].max() == pytest.approx(math.pi, abs=1e-12)


def test_pictures_show_what_is_there() -> None:
    """The arm lies to the right of the middle, its end is blue; the ball lies left of the arm that stands up."""
    arm = gym.make("potentia/RedundantArm-v0", info_keys=("image",)).reset(seed=0)[1]["image"]
    assert arm[32, 40].tolist() == [90, 90, 90]
    assert arm[32, 20].tolist() == [255, 255, 255]
    assert arm[32, 63].tolist() == [40, 80, 220]
    assert arm[48, 16].tolist() == [120, 200, 120]  # the area around (0.25, 0.25): y grows upwards
    table = gym.make("potentia/Curling-v0", info_keys=("image",)).reset(seed=0)[1]["image"]
    assert table[27, 21].tolist() == [40, 80, 220]  # (-0.5, 0.2)
    assert table[50, 32].tolist() == [90, 90, 90]
    assert table[14, 49].tolist() == [120, 200, 120]


def test_areas_and_rewards_that_there_are_not_are_refused() -> None:
    for world in ("Curling", "RedundantArm"):
        with pytest.raises(ValueError, match="areas must be among"):
            ControlEnv(world, areas=("middle",))
        with pytest.raises(ValueError, match="reward must be among"):
            ControlEnv(world, reward="dense")
    assert ControlEnv("RedundantArm", areas=()).goal_text() == "explore"


def test_anchors_hold_for_the_worlds_own_limit_and_reward() -> None:
    """Random actions earn 0.0073 in 100 steps. What they earn in other tasks, or random policies do, is not known."""
    for form, options, anchors in (
        ("RedundantArm", {}, (0.0073, 1.0)),
        ("RedundantArm", {"time_limit": 9}, (None, None)),
        ("RedundantArm", {"reward": "arrival"}, (None, 1.0)),
        ("RedundantArm", {"areas": ("far",)}, (None, 1.0)),
        ("RedundantArmPolicies", {}, (None, 1.0)),
    ):
        for env in (gym.make(f"potentia/{form}-v0", **options), gym.make_vec(f"potentia/{form}-v0", 2, **options)):
            assert (env.unwrapped.random_return, env.unwrapped.optimal_return) == anchors
