"""Calculations: the truth against Python's own arithmetic, answers that are read safely, and steps that are checked."""

from __future__ import annotations

import time
from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.calculation import (
    Calculation,
    CalculationSteps,
    alternatives,
    closeness,
    draw,
    read_number,
    reductions,
    shown,
    value,
    written,
)
from potentia.testing.environments import check_env


@pytest.mark.parametrize("name", ["Calculation", "CalculationSteps"])
def test_keeps_every_rule(name: str) -> None:
    check_env(f"potentia/{name}-v0", episodes=2, max_steps=20)


def test_keeps_every_rule_by_number_and_walks_to_success() -> None:
    """Distances are walked command by command: nothing is left untried."""
    assert check_env(lambda: gym.make("potentia/CalculationSteps-v0", steps=3, form="flat")) == frozenset()
    assert check_env(lambda: gym.make("potentia/Calculation-v0", steps=3, form="flat")) == frozenset()


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 60])
def test_the_truth_is_that_of_pythons_own_arithmetic(steps: int) -> None:
    rng = np.random.default_rng(steps)
    for _ in range(20):
        expression = draw(rng, steps)
        text = shown(expression)
        assert sum(text.count(f" {sign} ") for sign in "+-*/") == steps
        code = "".join(f"F({part})" if part.isdigit() else part for part in _split(text)).replace("^F", "**F")
        assert value(expression) == eval(code, {"F": Fraction})


def _split(text: str) -> list[str]:
    parts = [""]
    for character in text:
        if character.isdigit() == parts[-1].isdigit():
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def test_closeness_is_the_papers() -> None:
    """|9.5 - 10| = 0.5 and 0.5 / 10.000001 = 0.05: 1 - 0.25 - 0.025 = 0.725. A truth of 0 has 1e-6 below the line."""
    assert closeness(Fraction(19, 2), Fraction(10)) == pytest.approx(0.725, abs=1e-8)
    assert closeness(Fraction(10**9), Fraction(1)) == 0.0
    assert closeness(Fraction(1, 10**6), Fraction(0)) == pytest.approx(1 - 0.5e-6 - 0.5)
    assert closeness(None, Fraction(1)) == 0.0


@given(st.fractions(), st.fractions())
def test_closeness_is_1_for_the_truth_alone(answer: Fraction, truth: Fraction) -> None:
    got = closeness(answer, truth)
    assert 0.0 <= got <= 1.0
    assert closeness(truth, truth) == 1.0
    if answer != truth:
        exact = abs(answer - truth) / 2 + abs(answer - truth) / (abs(truth) + Fraction(1, 10**6)) / 2
        assert got < 1.0 or exact < 1e-15


@given(st.fractions())
def test_what_is_written_is_read_back(number: Fraction) -> None:
    assert read_number(written(number)) == number
    assert read_number(f" ({written(number)}) ") == number


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=9))
def test_decimals_are_read(number: object) -> None:
    assert read_number(f"{number:f}") == Fraction(str(number))


def test_what_is_no_number_is_not_read_and_takes_no_time() -> None:
    hostile = [
        "", ".", "e5", "1/0", "1e999999999", "9" * 5000, "1/" + "9" * 5000, "0x10", "1_000", "inf", "nan", "2**9",
        "1 2", "__import__('os')", "9" * 4000 + "e99999", "٣", "1e5/2", "--1", "((1))", "1;",
        "(" * 4000 + ")" * 4000,
    ]  # fmt: skip
    begun = time.perf_counter()
    assert [read_number(text) for text in hostile] == [None] * len(hostile)
    assert time.perf_counter() - begun < 1.0


def test_one_turn_pays_the_closeness_and_ends() -> None:
    env = Calculation(3, tolerance=0, info_keys="all")
    env.reset(seed=1)
    near = env.truth + Fraction(1, 2)
    _, reward, terminated, truncated, info = env.step(written(near))
    assert reward == closeness(near, env.truth)
    assert (terminated, truncated, bool(info["success"]), bool(info["lost"])) == (True, False, False, True)
    assert (info["distance"], info["potential"]) == (-1.0, -1.0)
    env.reset()
    _, reward, terminated, _, info = env.step(written(env.truth))
    assert (reward, terminated, bool(info["success"]), info["distance"]) == (1.0, True, True, 0.0)
    env.reset()
    _, reward, terminated, _, info = env.step("what?")
    assert (reward, terminated, bool(info["lost"])) == (0.0, True, True)
    assert not info["subgoals"]["answered_with_a_number"]


def test_success_allows_for_the_stated_tolerance() -> None:
    """A third as a decimal: 0.3333333 is 3.3e-8 away, 0.333 is 3.3e-4."""
    env = Calculation(1, tolerance=1e-6)
    env.reset(seed=0)
    env._expression = ("1", "3", "/")
    saved = env.save()
    assert env.step("0.3333333")[4]["success"]
    env.restore(saved)
    assert not env.step("0.333")[4]["success"]


def test_one_of_the_candidates_is_right_and_its_place_says_nothing() -> None:
    """Over 800 expressions each place of eight is right 100 times on average, 5 standard errors being 47."""
    env = Calculation(4)
    places = np.zeros(8, int)
    for seed in range(800):
        env.reset(seed=seed)
        commands = list(env.commands)
        right = [place for place, text in enumerate(commands) if read_number(text) == env.truth]
        assert len(right) == 1
        if len(commands) == 8:
            places[right[0]] += 1
    assert places.sum() > 700
    assert np.abs(places - places.mean()).max() < 47


def test_no_candidate_is_the_one_that_the_others_were_made_from() -> None:
    """From 5 - 3 and 8 + 3 alike come the four values of {5, 8} {-, +} 3, the right one among the rest."""
    values = {alternatives((a, "3", sign), 2) for a in "58" for sign in "+-"}
    for expression in ((a, "3", sign) for a in "58" for sign in "+-"):
        found = alternatives(expression, 2)
        assert value(expression) in found
        assert len(found) == 4
    assert len(values) == 4


@pytest.mark.parametrize("reward", ["step", "final"])
def test_working_an_expression_out_earns_1(reward: str) -> None:
    env = CalculationSteps(12, reward=reward, info_keys="all")
    for seed in range(5):
        _, info = env.reset(seed=seed)
        total, left = 0.0, 12.0
        while left:
            assert info["distance"] == left
            assert len(info["plan"].split("\n")) == left
            _, earned, terminated, _, info = env.step(info["plan"].split("\n")[0])
            total, left = total + earned, left - 1
        assert terminated
        assert info["success"]
        assert total == pytest.approx(1.0)


def test_a_wrong_result_is_kept_or_refused() -> None:
    kept, refused = CalculationSteps(2, info_keys="all"), CalculationSteps(2, wrong="refused", info_keys="all")
    for env in (kept, refused):
        env.reset(seed=0)
        env._expression, env._truth = ("3", "1/2", "+", "2", "*"), Fraction(7)
    text, reward, *_, info = kept.step("3+(1/2)=4")
    assert text.startswith("That is no operation")
    text, reward, *_, info = kept.step("3 + (1/2)  = 4")
    assert (text, reward, info["distance"], info["potential"]) == ("4 * 2", 0.0, -1.0, -1.0)
    assert info["subgoals"]["wrong_result"]
    text, reward, terminated, _, info = kept.step("4 × 2 = 8")
    assert (text, reward, terminated, bool(info["lost"])) == ("8", 0.5, True, True)
    text, reward, *_, info = refused.step("3 + (1/2) = 4")
    assert (text, reward, info["distance"]) == ("That is wrong.\n(3 + (1/2)) * 2", 0.0, 2.0)
    assert refused.step("3 + (1/2) = 3.5")[1] == 0.5


def test_the_commands_of_steps_have_the_right_result_of_each_operation() -> None:
    env = CalculationSteps(6)
    for seed in range(30):
        env.reset(seed=seed)
        for text, place in reductions(env.expression).items():
            results = [read_number(command.split(" = ")[1]) for command in env.commands if command.startswith(text)]
            assert value(env.expression[place - 2 : place + 1]) in results
            assert len(results) == len(set(results)) <= 4


def test_the_longest_calculation_is_worked_out() -> None:
    """500 operations: about 2,000 digits, each result read back as it was written."""
    env = CalculationSteps(500)
    env.reset(seed=0)
    for command in env._plan().split("\n"):
        _, _, terminated, _, _ = env.step(command)
    assert terminated
    assert env._turn.success


def test_no_result_can_grow_without_end() -> None:
    """A result has one digit more than both numbers together at most, so that wrong ones can't become endless."""
    env = CalculationSteps(1)
    env.reset(seed=0)
    env._expression, env._truth = ("12", "34", "*"), Fraction(408)
    assert env.step("12 * 34 = 123456")[0].startswith("No result has so many digits")
    assert env.step("12 * 34 = 40800")[0] == "40800"


@pytest.mark.parametrize("steps", [0, 501, True, 2.0])
def test_other_numbers_of_steps_are_refused(steps: object) -> None:
    with pytest.raises(ValueError, match=r"1\.\.500"):
        Calculation(steps)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"1\.\.500"):
        CalculationSteps(steps)  # type: ignore[arg-type]


def test_other_options_are_refused() -> None:
    with pytest.raises(ValueError, match="tolerance"):
        Calculation(tolerance=-1.0)
    with pytest.raises(ValueError, match="wrong must be among"):
        CalculationSteps(wrong="ignored")
    with pytest.raises(ValueError, match="reward must be among"):
        CalculationSteps(reward="dense")
