"""The progress chain: its thresholds on gamma, exactly, and what discount scheduling makes of them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs import exact
from potentia.envs.exact.progress_chain import LIFT, WALK

M, D, SLIP = 20, 4, 0.04
LIFTED, FAR = M, M + D + 1


def imitating(**options: float) -> exact.TransitionModel:
    """The chain with the resemblance of the state reached as its reward."""
    model = exact.progress_chain(**options)
    reward = np.broadcast_to(model.columns["resemblance"], model.transition.shape)
    return replace(model, reward=reward)


def lucky_way(model: exact.TransitionModel, gamma: float, steps: int) -> list[int]:
    """The states that the optimum at gamma arrives at if the load does not slip."""
    policy, way, state = exact.optimum(model, gamma).policy, [], 0
    for _ in range(steps):
        state = int(model.transition[state, policy[state]].argmax())
        way.append(state)
    return way


def matched(way: list[int], shown: list[int]) -> int:
    """Length of the longest strictly increasing subsequence of the nearest frames shown, by one-hot distance."""
    tails: list[int] = []
    for state in way:
        nearest = shown.index(state) if state in shown else 0
        place = bisect_left(tails, nearest)
        tails[place : place + 1] = [nearest]
    return len(tails)


def true_success(model: exact.TransitionModel, gamma: float) -> float:
    """What the policy that imitates best at gamma earns in the world itself, within its time limit."""
    policy = np.eye(2)[exact.optimum(model, gamma).policy]
    return exact.return_within(exact.progress_chain(), 50, policy)


def test_thresholds_by_hand() -> None:
    """d = 1, p = 0.8: low = 0.4 / 0.8 = 0.5. m = 1, w = 0.9: 1 - g = g (0.9 - 0.8 g) at g = (19 - 41**0.5) / 16."""
    low, high = exact.progress_gammas(lift=1, dark=1, slip=0.2, holding=0.4, empty=0.9)
    assert low == pytest.approx(0.5, abs=1e-15)
    assert high == pytest.approx((19 - 41**0.5) / 16, abs=1e-15)


@pytest.mark.parametrize("numbers", [
    {},
    {"lift": 16, "dark": 3, "slip": 0.05, "holding": 0.7, "empty": 0.99},
    {"lift": 12, "dark": 6, "slip": 0.2, "holding": 0.4, "empty": 0.95},
])  # fmt: skip
def test_each_side_of_a_threshold_has_another_optimum(numbers: dict[str, float]) -> None:
    """Lift and hold; lift and carry; walk away: the solved world changes exactly where the formulas say."""
    model = imitating(**numbers)
    low, high = exact.progress_gammas(**numbers)
    lifted = int(numbers.get("lift", M))
    assert low < high - 1e-3
    for gamma, at_start, when_lifted in (
        (0.5, LIFT, LIFT), (low - 1e-5, LIFT, LIFT), (low + 1e-5, LIFT, WALK),
        (high - 1e-5, LIFT, WALK), (high + 1e-5, WALK, WALK), ((1 + high) / 2, WALK, WALK), (0.9999, WALK, WALK),
    ):  # fmt: skip
        optimal = exact.optimum(model, gamma, tolerance=1e-13).optimal
        assert optimal[0].tolist() == [at_start == LIFT, at_start == WALK], gamma
        assert optimal[lifted].tolist() == [when_lifted == LIFT, when_lifted == WALK], gamma


def test_values_at_the_start() -> None:
    """In units of 1 / (1 - gamma), above the worst: at 0.99 an empty hand is worth 0.99 * 0.99**4 = 0.9510."""
    model = imitating()
    for gamma, wanted in (
        (0.8, 1 - 0.8**20 * (1 - 0.69)),  # hold
        (0.95, 1 - 0.95**20 + 0.96 * 0.95**24),  # carry
        (0.99, 0.99 * 0.99**4),  # walk
    ):
        value = exact.optimum(model, gamma).values[0] + 1 / (1 - gamma)
        assert (1 - gamma) * value == pytest.approx(wanted, abs=1e-12)


def test_fixed_gammas_fail_and_the_scheduled_one_succeeds() -> None:
    """gamma = 0.9 never carries, 0.99 never lifts; gamma from progress lifts first, then carries, with success 0.96."""
    model = imitating()
    assert true_success(model, 0.9) == 0.0
    assert true_success(model, 0.99) == 0.0
    shown = list(range(1, FAR + 1))
    assert matched(shown, shown) == len(shown)
    progress, ways = len(shown) // 5, []
    for _ in range(100):  # as ADS does: the part matched so far sets the gamma whose product over that part is 0.2
        gamma = 0.2 ** (1 / progress)
        ways.append(lucky_way(model, gamma, len(shown)))
        if progress < len(shown) and matched(ways[-1][:progress], shown[:progress]) >= int(0.9 * progress):
            progress += 1
    assert ways[0][LIFTED - 1 :] == [LIFTED] + [FAR + 1] * (D + 1)  # at gamma = 0.2**(1/5) = 0.725: lifted and held
    assert progress == len(shown)
    assert ways[-1] == shown
    assert exact.progress_gammas()[0] < gamma < exact.progress_gammas()[1]
    assert true_success(model, gamma) == pytest.approx(1 - SLIP, abs=1e-15)


def test_anchors_and_what_info_tells() -> None:
    env = gym.make("potentia/ProgressChain-v0", info_keys=("resemblance", "distance", "subgoals"))
    assert env.unwrapped.optimal_return == pytest.approx(0.96, abs=1e-15)
    assert true_success(exact.progress_chain(), 0.999) == pytest.approx(0.96, abs=1e-15)  # as the expert plays
    assert env.unwrapped.time_limit == 50
    _, info = env.reset(seed=0)
    assert (info["resemblance"], info["distance"]) == (-1.0, M + D + 1)
    *_, info = env.step(WALK)
    assert info["subgoals"]["left_empty_handed"]
    assert (info["resemblance"], info["distance"]) == (-1.0, -1.0)
    for _ in range(D):
        state, reward, terminated, _, info = env.step(WALK)
    assert (reward, terminated, info["resemblance"]) == (0.0, False, pytest.approx(-0.01, abs=1e-15))
    assert "empty hands" in env.unwrapped.model.names[state]


def test_bad_numbers_are_refused() -> None:
    for options, message in (
        ({"lift": 0}, "lift and dark must be at least 1"),
        ({"slip": 1.0}, r"slip must be in \[0, 1\)"),
        ({"empty": 1.5}, r"holding and empty must be in \[0, 1\]"),
    ):
        with pytest.raises(ValueError, match=message):
            exact.progress_chain(**options)
    with pytest.raises(ValueError, match=r"wanted holding < 1 - slip < empty, got 0.69, 0.99 and 0.99"):
        exact.progress_gammas(slip=0.01)
