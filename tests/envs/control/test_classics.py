"""The sparse classics beside Gymnasium's own, step for step, and their potentials."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control import ControlEnv, acrobot, mountain_car, reacher


def potential(env: ControlEnv, *state: float) -> float:
    env.worlds.state[0] = state
    return float(env.info_now()["potential"])


@pytest.fixture(scope="module")
def car() -> ControlEnv:
    env = ControlEnv("SparseMountainCar", info_keys="all")
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def swing() -> ControlEnv:
    env = ControlEnv("SparseAcrobot", info_keys="all")
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def arm() -> ControlEnv:
    env = ControlEnv("SparseReacher", info_keys="all")
    env.reset(seed=0)
    return env


@pytest.mark.parametrize("play", ["random", "bold"])
def test_mountain_car_is_gymnasiums(car: ControlEnv, play: str) -> None:
    """From each of its states the same next one, to 1e-6; its own are float32. The bold reach the top."""
    game: Any = gym.make("MountainCarContinuous-v0").unwrapped
    rng = np.random.default_rng(0)
    tops = 0
    for seed in range(5):
        seen, _ = game.reset(seed=seed)
        car.reset(seed=seed)
        for _ in range(300):
            action = rng.uniform(-1.0, 1.0, 1) if play == "random" else np.array([math.copysign(1.0, seen[1])])
            action = action.astype(np.float32)
            car.worlds.state[0] = game.state
            seen, paid, terminated, _, _ = game.step(action)
            ours, reward, ended, _, info = car.step(action)
            np.testing.assert_allclose(ours, seen, rtol=0, atol=1e-6)
            assert (ended, reward, bool(info["success"])) == (terminated, float(terminated), terminated)
            assert (paid > 50) == terminated  # Gymnasium's 100 less the force
            tops += terminated
            if terminated:
                break
    assert tops == (5 if play == "bold" else 0)


def test_acrobat_is_gymnasiums(swing: ControlEnv) -> None:
    """The torques -1, 0, 1 are Gymnasium's three actions. 500 steps from its states, and 100 without going back."""
    game: Any = gym.make("Acrobot-v1").unwrapped
    rng = np.random.default_rng(0)
    ups = 0
    for again in (1, 100):
        game.reset(seed=3)
        for time in range(500 if again == 1 else 100):
            action = int(rng.integers(3)) if rng.random() < 0.3 else 2 * int(game.state[3] > 0)
            if time % again == 0:
                swing.worlds.state[0] = game.state
            seen, _, terminated, _, _ = game.step(action)
            ours, reward, ended, _, _ = swing.step(np.array([action - 1.0]))
            np.testing.assert_allclose(ours, seen, rtol=0, atol=1e-6)
            assert (ended, reward) == (terminated, float(terminated))
            ups += terminated
            if terminated:
                game.reset(seed=time)
                swing.worlds.state[0] = game.state
    assert ups > 0


@pytest.mark.parametrize(("name", "low", "high"), [("SparseMountainCar", -0.6, -0.4), ("SparseAcrobot", -0.1, 0.1)])
def test_begins_as_gymnasiums(name: str, low: float, high: float) -> None:
    """Over 4,000 resets the first number is uniform between Gymnasium's bounds: mean within 5 standard errors."""
    envs = gym.make_vec(f"potentia/{name}-v0", 4000)
    envs.reset(seed=0)
    first = envs.unwrapped.worlds.state[:, 0]
    assert first.min() >= low
    assert first.max() < high
    assert first.mean() == pytest.approx((low + high) / 2, abs=5 * (high - low) / math.sqrt(12 * 4000))


def test_the_cars_potential_is_its_time_to_the_top(car: ControlEnv) -> None:
    """Down the table the top is reached in as many steps as it says, within 3, and each step is nearer."""
    longest = mountain_car.steps_to_top().max()
    for position, velocity in ((-0.5, 0.0), (-0.4, 0.0), (-1.2, 0.0), (0.2, -0.02), (0.0, 0.05)):
        foreseen, steps = -potential(car, position, velocity) * longest, 0
        left, ended = foreseen, False
        while not ended:
            sides = [mountain_car.driven(*(np.array([x]) for x in car.worlds.state[0]), side) for side in (-1.0, 1.0)]
            nearer = int(np.argmin([mountain_car.steps_from(*side)[0] for side in sides]))
            _, _, ended, _, info = car.step(np.array([2.0 * nearer - 1.0]))
            now, steps = -float(info["potential"]) * longest, steps + 1
            assert now < left
            left = now
        assert steps == pytest.approx(foreseen, abs=3.0)
    assert potential(car, 0.45, 0.0) == 0.0


def test_the_acrobats_potential_is_the_energy_that_it_lacks(swing: ControlEnv) -> None:
    """Hanging still it lacks all; at rest with the first link level, 1.5 cos + 0.5 cos = -0.5, it lacks 20 %."""
    assert potential(swing, 0.0, 0.0, 0.0, 0.0) == pytest.approx(-1.0, abs=1e-15)
    lacking = (4.9 + 9.8 * 0.5 * math.cos(math.pi / 2 - 0.1)) / 24.5
    assert potential(swing, math.pi / 2, -0.1, 0.0, 0.0) == pytest.approx(-0.1 - 0.9 * lacking, abs=1e-12)
    assert potential(swing, math.pi, 0.0, 0.0, 0.0) == 0.0
    # What swings freely keeps its energy, but for the error of steps of 0.2 s.
    swing.worlds.state[0] = 1.0, 0.5, 0.0, 0.0
    before = acrobot._energy(swing.worlds.state[0])
    for _ in range(20):
        swing.step(np.zeros(1))
    assert acrobot._energy(swing.worlds.state[0]) == pytest.approx(before, abs=0.01 * 24.5)


def test_the_reachers_potential_is_what_is_left_to_turn(arm: ControlEnv) -> None:
    """A target that is touched after turning the shoulder by 0.3 and the elbow by -0.1: 0.3 of pi."""
    at = np.zeros(6)
    at[:2] = 0.7, 1.0
    x, y = reacher._tip(np.array([1.0, 0.9]))
    assert potential(arm, 0.7, 1.0, 0.0, 0.0, x, y) == pytest.approx(-0.3 / math.pi, abs=1e-9)
    assert potential(arm, 1.0, 0.9, 0.0, 0.0, x, y) == 0.0
    # The other posture: the elbow bent the other way is as near to the base, by the law of cosines.
    mirrored = 1.0 + 2 * math.atan2(0.11 * math.sin(0.9), 0.1 + 0.11 * math.cos(0.9)), -0.9
    assert potential(arm, *mirrored, 0.0, 0.0, x, y) == 0.0


def test_the_reacher_turns_by_its_equation_and_ends_at_the_target(arm: ControlEnv) -> None:
    """From rest, w = 0.02 * 40 a = 0.8 a after a step, then 0.8 a * 0.96 + 0.8 a = 1.568 a."""
    arm.worlds.state[0] = 0.0, 0.0, 0.0, 0.0, -0.2, 0.0
    seen = arm.step(np.array([1.0, -0.5]))[0]
    np.testing.assert_allclose(arm.worlds.state[0, :4], [0.016, -0.008, 0.8, -0.4], rtol=0, atol=1e-12)
    tip = reacher._tip(arm.worlds.state[0])
    np.testing.assert_allclose(seen[4:], [-0.2, 0.0, 0.8, -0.4, tip[0] + 0.2, tip[1]], rtol=0, atol=1e-6)
    arm.step(np.array([1.0, -0.5]))
    assert arm.worlds.state[0, 2] == pytest.approx(1.568, abs=1e-12)
    arm.worlds.state[0, 2:4], arm.worlds.state[0, 4:] = 0.0, reacher._tip(arm.worlds.state[0])
    _, reward, terminated, _, info = arm.step(np.zeros(2))
    assert (reward, terminated, bool(info["success"]), float(info["potential"])) == (1.0, True, True, 0.0)
