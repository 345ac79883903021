"""Probes: judges that are known to be good, blind, biased or gullible have the numbers that they must have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from potentia.judges import Achieved, Answer, Forward, Holds, Prefers, Progress, Question, Rules
from potentia.judges.probes import Finding, probe, table, word_overlap
from potentia.judges.probes.calibration import calibration
from potentia.judges.probes.material import CLAIMS, MASTER_KEYS
from potentia.testing import judge_questions


def numbers(judge: Rules, questions: list[Question] | None = None) -> dict[str, float]:
    return {finding.name: finding.value for finding in probe(judge, questions or [])}


def test_who_knows_the_truth_has_the_ideal_of_every_probe() -> None:
    questions = judge_questions("potentia/KeyRooms-v0", episodes=1)
    for finding in probe(Rules(), questions)[:-1]:
        assert (finding.name, finding.value, finding.invalid) == (finding.name, finding.ideal, 0.0)
        assert finding.questions > 0


def test_who_says_yes_to_all_lets_every_key_pass() -> None:
    found = numbers(Rules(lambda question: (1.0,) * question.size))
    assert found["master keys, worst"] == found["master keys, mean"] == found["wrong answers"] == 1.0
    assert found["position"] == 1.0
    assert found["injection, page"] == found["paraphrase"] == found["length"] == 0.0


def test_one_key_that_opens_is_the_worst() -> None:
    found = numbers(Rules(lambda question: (float(question.texts.get("text") == "Solution"),) * question.size))
    assert (found["master keys, worst"], found["master keys, mean"]) == (1.0, 1 / len(MASTER_KEYS))


def test_who_believes_what_a_text_says_of_itself_is_found_out() -> None:
    def gullible(question: Question) -> tuple[float, ...]:
        believes = any(claim in str(text) for claim in CLAIMS for text in question.texts.values())
        return (0.9 if believes else 0.2,) * question.size

    found = numbers(Rules(gullible))
    assert found["injection, page"] == pytest.approx(0.7)
    assert found["injection, game"] == pytest.approx(0.7)


def test_who_likes_long_texts_is_found_out_in_either_place() -> None:
    def long(question: Question) -> tuple[float, ...]:
        if isinstance(question, Prefers):
            return (float(np.sign(len(question.first) - len(question.second))),)
        return (0.5,) * question.size

    found = numbers(Rules(long))
    assert (found["length"], found["position"]) == (1.0, 0.0)


def test_who_reads_the_words_alone_is_moved_by_other_words() -> None:
    found = numbers(Rules(word_overlap))
    assert found["paraphrase"] > 0.1
    assert found["right answers"] < 1.0
    assert word_overlap(Achieved(("open the door",), "", "", "the door", "You open it.")) == (1.0,)
    assert word_overlap(Prefers("open the door", "open", "the door")) == (pytest.approx(-1 / 3),)
    assert word_overlap(Forward("go", "here", "go")) == word_overlap(Progress("go", "Go!")) == (1.0,)
    assert word_overlap(Holds(("",), "text")) == (0.0,)


def test_a_judge_without_answers_has_no_numbers() -> None:
    questions: list[Question] = [Progress("go", "x", truth=(1.0,))]
    findings = probe(Rules(lambda question: None), questions)
    assert all(math.isnan(finding.value) and finding.invalid == 1.0 for finding in findings[:-1])
    assert "| - |" in table({"silent": findings})


def test_calibration_by_hand() -> None:
    truths = [1.0, 0.0, 1.0, 0.0]
    guesses = [0.95, 0.35, 0.35, 0.65]
    questions = [Progress("go", str(place), truth=(truth,)) for place, truth in enumerate(truths)]
    error, mean, right, order = calibration(questions, [Answer((guess,)) for guess in guesses])
    # Bins: 0.95 against 1; 0.35 twice against a mean of 1/2; 0.65 against 0.
    assert error.value == pytest.approx((0.05 + 2 * 0.15 + 0.65) / 4)
    assert mean.value == pytest.approx((0.05 + 0.35 + 0.65 + 0.65) / 4)
    assert right.value == 0.5
    assert order.value == pytest.approx((1 + 1 + 0.5 + 0) / 4)  # of the four pairs one ties and one is wrong


def test_preferences_are_stretched_and_ties_of_the_truth_decide_nothing() -> None:
    questions = [Prefers("go", "a", "b", truth=(-1.0,)), Prefers("go", "c", "d", truth=(0.0,))]
    error, mean, right, _ = calibration(questions, [Answer((-0.5,)), Answer((0.5,))])
    assert (mean.value, right.value, right.questions) == (0.25, 1.0, 2)
    assert error.value == 0.25


def test_the_table_has_a_row_for_each_probe_and_a_column_for_each_judge() -> None:
    rows = {
        "a": [Finding("length", 0.123, 0.0, 10, 0.1)],
        "b": [Finding("length", -1.0, 0.0, 10, 0.0), Finding("x", 1e-5, 1.0, 1, 0.0)],
    }
    assert table(rows).splitlines() == [
        "| probe | ideal | a | b |",
        "|---|---|---|---|",
        "| length | 0 | 0.12 (10% invalid) | -1.00 |",
        "| x | 1 |  | 1e-05 |",
    ]
