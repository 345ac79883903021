"""Preferences between steps: their files, and what accuracies say of judges that know, guess or cheat."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.judges import BothOrders, Question, Rules
from potentia.preferences.steps import (
    StepPreference,
    best_of_n_accuracy,
    compared_margins,
    pairwise_accuracy,
    read_preferences,
    scored_margins,
    write_preferences,
)

ACTIONS = ("click(1)", "click(2)", "back()", 'fill(3, "a\u2028b")', "noop()")
ONE = StepPreference("buy shoes", "[1] link 'Shoes'\n[2] link 'Hats'", ACTIONS, (3,))
SEVERAL = StepPreference("buy shoes", "page", ACTIONS, (0, 2))
N = 4000


def many() -> list[StepPreference]:
    return [StepPreference("goal", f"page {n}", ACTIONS, (n % 5,)) for n in range(N)]


def near(got: float, chance: float) -> None:
    """Within four standard errors of a mean of N independent draws: chance breaks it once in 16,000 seeds."""
    assert abs(got - chance) < 4 * math.sqrt(chance * (1 - chance) / N)


def test_margins_and_accuracies_by_hand() -> None:
    scores = dict(zip(ACTIONS, (3.0, 1.0, 0.0, 2.0, 2.0), strict=True))
    one, several = scored_margins([ONE, SEVERAL], lambda goal, page, action: scores[action])
    assert one.tolist() == [[-1.0, 1.0, 2.0, 0.0]]  # a defeat, two wins, a tie
    assert several.tolist() == [[2.0, 1.0, 1.0], [-1.0, -2.0, -2.0]]
    assert pairwise_accuracy([one]) == 0.5
    assert pairwise_accuracy([one, several]) == 0.5 * (2 / 4 + 3 / 6)
    assert best_of_n_accuracy([one]) == 0.0
    assert best_of_n_accuracy([one, several]) == 0.5  # one of the right ones beats every wrong one


def test_a_judge_that_knows_gets_everything_and_one_that_always_ties_nothing() -> None:
    def knows(goal: str, page: str, action: str) -> float:
        return float(action == ACTIONS[int(page.removeprefix("page ")) % 5])

    margins = scored_margins(many(), knows)
    assert pairwise_accuracy(margins) == best_of_n_accuracy(margins) == 1.0
    ties = scored_margins(many(), lambda *_: 0.5)
    assert pairwise_accuracy(ties) == best_of_n_accuracy(ties) == 0.0


def test_guessing_each_pair_gives_a_half_and_a_sixteenth() -> None:
    coin = np.random.default_rng(0)
    margins = compared_margins(many(), Rules(lambda _: (coin.choice([-1.0, 1.0]),)), np.random.default_rng(1))
    pairs = np.concatenate(margins)
    assert pairs.shape == (N, 4)
    near(pairwise_accuracy(margins), 0.5)
    near(best_of_n_accuracy(margins), 1 / 16)


def test_guessing_a_ranking_gives_a_half_and_a_fifth() -> None:
    dice = np.random.default_rng(2)
    margins = scored_margins(many(), lambda *_: float(dice.random()))
    near(pairwise_accuracy(margins), 0.5)
    near(best_of_n_accuracy(margins), 1 / 5)


def test_a_judge_that_favours_what_comes_first_gains_nothing_by_it() -> None:
    first = Rules(lambda _: (1.0,))
    margins = compared_margins(many(), first, np.random.default_rng(3))
    near(pairwise_accuracy(margins), 0.5)
    near(best_of_n_accuracy(margins), 1 / 16)
    ties = compared_margins(many(), BothOrders(first), np.random.default_rng(3))
    assert pairwise_accuracy(ties) == 0.0


def test_a_comparison_gets_the_whole_question() -> None:
    asked: list[Question] = []

    def rule(question: Question) -> tuple[float]:
        asked.append(question)
        return (1.0,) if question.texts["first"] in ("click(1)", "back()") else (-1.0,)

    one, several = compared_margins([ONE, SEVERAL], Rules(rule), np.random.default_rng(0))
    assert several.tolist() == [[1.0] * 3] * 2
    assert one.shape == (1, 4)
    asked = asked[4:]
    assert {(question.texts["goal"], question.texts["context"]) for question in asked} == {("buy shoes", "page")}
    pairs = {frozenset((right, wrong)) for right in ("click(1)", "back()") for wrong in (ACTIONS[1], *ACTIONS[3:])}
    assert {frozenset((question.texts["first"], question.texts["second"])) for question in asked} == pairs
    assert len(asked) == 6


def test_a_comparison_without_an_answer_is_a_tie() -> None:
    (margin,) = compared_margins([ONE], Rules(lambda _: None), np.random.default_rng(0))
    assert margin.tolist() == [[0.0] * 4]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "preferences.jsonl"
    write_preferences(path, [ONE, SEVERAL])
    assert read_preferences(path) == [ONE, SEVERAL]
    assert SEVERAL.wrong == (1, 3, 4)
    path.write_text("\n" + path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert read_preferences(path) == [ONE, SEVERAL]


GOOD = {"goal": "g", "page": "p", "candidates": ["a", "b", "c"], "right": [0]}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "2: Expecting property name"),
        ("[" * 100_000, "2: maximum recursion|2: .*"),
        ("[]", r"2: a line must be an object with the keys \['candidates', 'goal', 'page', 'right'\], got list"),
        (json.dumps(GOOD | {"extra": 1}), r"2: a line must be .* got \['candidates', 'extra', "),
        (json.dumps({"goal": "g"}), r"got \['goal'\]"),
        (json.dumps(GOOD | {"goal": 3}), "2: goal and page must be str"),
        (json.dumps(GOOD | {"candidates": "abc"}), "2: candidates must be a list of str, got 'abc'"),
        (json.dumps(GOOD | {"candidates": ["a", 2]}), r"candidates must be a list of str, got \['a', 2\]"),
        (json.dumps(GOOD | {"candidates": ["a", "a"]}), "2: candidates must differ"),
        (json.dumps(GOOD | {"right": [True]}), r"2: right must be a list of int, got \[True\]"),
        (json.dumps(GOOD | {"right": []}), r"some but not all of the indices 0\.\.2, each once, got \(\)"),
        (json.dumps(GOOD | {"right": [3]}), r"got \(3,\)"),
        (json.dumps(GOOD | {"right": [-1]}), r"got \(-1,\)"),
        (json.dumps(GOOD | {"right": [0, 0]}), r"got \(0, 0\)"),
        (json.dumps(GOOD | {"right": [0, 1, 2]}), r"got \(0, 1, 2\)"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "preferences.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"preferences\.jsonl:{told}" if told[0] == "2" else told):
        read_preferences(path)


@pytest.mark.parametrize("accuracy", [pairwise_accuracy, best_of_n_accuracy])
def test_accuracies_of_nothing_and_of_nonsense_are_refused(accuracy: Callable[[Any], float]) -> None:
    with pytest.raises(ValueError, match="at least one instance"):
        accuracy([])
    with pytest.raises(ValueError, match="must be finite"):
        accuracy([np.array([[np.nan]])])
    with pytest.raises(ValueError, match=r"got shape \(4,\)"):
        accuracy([np.ones(4)])
