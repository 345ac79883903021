"""Answers made of several answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from potentia.judges import (
    Achieved,
    Answer,
    BothOrders,
    BranchAndRethink,
    Cached,
    Forward,
    Holds,
    Ideas,
    Judge,
    Prefers,
    Progress,
    Question,
    Rubrics,
    Rules,
    RuleSet,
    Vote,
)


class Scripted(Judge):
    """Answers by a function, and notes what it is asked."""

    def __init__(self, rule: Callable[[Question], Answer], name: str = "scripted") -> None:
        self.rule, self.name = rule, name
        self.asked: list[Question] = []

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [self.rule(question) for question in questions]


def likes_first(question: Question) -> Answer:
    return Answer((0.2 + 0.8 * ("key" in str(question.texts["first"])),), tokens_in=3)


def test_a_liking_for_what_is_read_first_cancels_out() -> None:
    judge = BothOrders(Scripted(likes_first))
    same, better, worse = judge.answer(
        [Prefers("go", "a", "b"), Prefers("go", "a key", "b"), Prefers("go", "b", "a key")]
    )
    assert (same.value, better.value, worse.value) == pytest.approx((0.0, 0.4, -0.4))
    assert better.tokens_in == 6


def test_one_order_without_an_answer_leaves_none_and_other_questions_pass() -> None:
    inner = Scripted(lambda one: one.nothing("no") if one.texts.get("first") == "a" else Answer((0.7,)))
    verdict, progress = BothOrders(inner).answer([Prefers("go", "a", "b"), Progress("go", "x")])
    assert (verdict.value, verdict.valid, verdict.reason) == (0.0, False, "no")
    assert progress == Answer((0.7,))
    assert len(inner.asked) == 3


def by_replicate(*values: float | None) -> Scripted:
    def rule(question: Question) -> Answer:
        value = values[question.replicate]
        return question.nothing("no") if value is None else Answer((value,) * question.size, tokens_in=1)

    return Scripted(rule)


@pytest.mark.parametrize(
    ("how", "values", "value", "valid"),
    [
        ("mean", (0.0, 1.0, 0.5), 0.5, True),
        ("mean", (0.2, None, 0.4), 0.3, True),
        ("mean", (0.2, None, None), 0.5, False),
        ("mean", (0.2, None), 0.5, False),
        ("majority", (0.6, 0.7, 0.0), 1.0, True),
        ("majority", (0.4, 0.5, 1.0), 0.5, True),
        ("majority", (0.4, 0.5, 0.2), 0.0, True),
    ],
)
def test_votes(how: Any, values: tuple[float | None, ...], value: float, valid: bool) -> None:
    judge = Vote(by_replicate(*values), len(values), how=how)
    (answer,) = judge.answer([Progress("go", "x")])
    assert (answer.value, answer.valid) == (pytest.approx(value), valid)
    assert answer.tokens_in == sum(value is not None for value in values)


def test_a_majority_of_verdicts_has_three_sides() -> None:
    for values, value in (((0.1, -1.0, -0.2), -1.0), ((1.0, -1.0, 0.0), 0.0), ((0.3, 0.0, 0.0), 1.0)):
        assert Vote(by_replicate(*values), 3, how="majority").answer([Prefers("go", "a", "b")])[0].value == value


def test_a_cache_inside_a_vote_keeps_the_voters_apart() -> None:
    inner = by_replicate(0.0, 1.0)
    judge = Vote(Cached(inner), 2)
    for _ in range(2):
        assert judge.answer([Progress("go", "x")])[0].value == 0.5
    assert len(inner.asked) == 2


def test_judges_vote_on_each_question_and_ideas_are_sorted_by_votes() -> None:
    lists = [("a", "b"), ("c", "b"), ("b", "c")]
    voters = [Scripted(lambda one, texts=texts: Answer(texts=texts)) for texts in lists]
    assert Vote(voters).answer([Ideas("rules", "go", most=2)])[0].texts == ("b", "c")
    numbers = [Rules(lambda question: (0.0,)), Rules(lambda question: (1.0,))]
    assert [answer.value for answer in Vote(numbers).answer([Progress("go", "x"), Progress("go", "y")])] == [0.5, 0.5]
    assert Vote(numbers).usage.calls == 4
    assert Vote([Rules()]).reads_truth
    for arguments, message in (
        ({"judges": []}, "at least one judge"),
        ({"judges": numbers, "n": 0}, "n must be at least 1"),
        ({"judges": numbers, "how": "x"}, "got 'x'"),
    ):
        with pytest.raises(ValueError, match=message):
            Vote(**arguments)


def test_the_second_turn_reads_the_points_of_the_first() -> None:
    inner = Scripted(
        lambda one: (
            Answer(texts=("Is it open?",), tokens_in=5) if isinstance(one, Ideas) else Answer((0.25,), tokens_in=7)
        )
    )
    step = Achieved(("the door is open",), "a door", "push", "a gap", truth=(1.0,), goal="leave")
    ideas, answer = BranchAndRethink(inner).answer([Ideas("rules", "go"), step])
    assert (ideas.texts, answer) == (("Is it open?",), Answer((0.25,), tokens_in=12, calls=2))
    first, second = inner.asked[1:]
    assert isinstance(first, Ideas)
    assert (first.most, "after: a gap" in first.examples) == (3, True)
    assert second == Achieved(
        ("the door is open",), "a door", "push", "a gap", goal="leave\n\nConsider:\n- Is it open?"
    )


def test_a_first_turn_that_fails_is_no_default() -> None:
    inner = Scripted(lambda one: one.nothing("no list") if isinstance(one, Ideas) else Answer((1.0,)))
    (answer,) = BranchAndRethink(inner).answer([Prefers("go", "a", "b")])
    assert (answer.value, answer.valid, answer.reason) == (0.0, False, "no list")
    assert len(inner.asked) == 1


def has_words(question: Question) -> Answer:
    if isinstance(question, Ideas):
        return Answer(texts=("key", "door")) if question.goal != "nothing" else question.nothing("no idea")
    assert isinstance(question, Holds)
    return Answer(tuple(float(word in question.text) for word in question.criteria), tokens_in=2)


def test_rubrics_are_written_once_for_a_goal_and_counted() -> None:
    inner = Scripted(has_words)
    judge = Rubrics(inner)
    questions = [Progress("go", "a key"), Prefers("go", "door, key", "key"), Prefers("go", "", "door, key")]
    for _ in range(2):
        assert [answer.value for answer in judge.answer(questions)] == [0.5, 0.5, -1.0]
    assert sum(isinstance(question, Ideas) for question in inner.asked) == 1
    assert judge.answer(questions)[1].tokens_in == 4


def test_rubrics_that_could_not_be_written_leave_no_answer_and_are_asked_for_again() -> None:
    inner = Scripted(has_words)
    judge = Rubrics(inner)
    for times in (1, 2):
        bad, good = judge.answer([Progress("nothing", "key"), Progress("go", "key")])
        assert (bad.value, bad.valid, bad.reason, good.value) == (0.5, False, "no idea", 0.5)
        assert sum(question.texts["goal"] == "nothing" for question in inner.asked) == times


def test_other_questions_pass_through_rubrics() -> None:
    judge = Rubrics(Scripted(lambda one: Answer((0.9,) * one.size)), ["a"])
    assert judge.answer([Forward("go", "x", "y"), Holds(("b", "c"), "x")]) == [Answer((0.9,)), Answer((0.9, 0.9))]
    for criteria in ([], "text"):
        with pytest.raises(ValueError, match="criteria must be a list of at least one text"):
            Rubrics(Rules(), criteria)


WORDS = ("key", "door", "lamp", "please", "north", "south", "east", "west", "sing", "wait")


def has(word: str) -> Callable[[str], bool]:
    return lambda text: word in text


def preferences(noise: float, count: int = 400) -> list[tuple[str, str]]:
    """Pairs of random sentences, of which the better keeps more of the rules "key", "door" and "please"."""
    rng = np.random.default_rng(0)
    pairs = []
    while len(pairs) < count:
        one, other = (" ".join(word for word in WORDS if rng.random() < 0.5) for _ in range(2))
        scores = [sum(word in text for word in ("key", "door", "please")) for text in (one, other)]
        if scores[0] != scores[1]:
            better = (one, other) if (scores[0] > scores[1]) != (rng.random() < noise) else (other, one)
            pairs.append(better)
    return pairs


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_hidden_rules_are_found_again(noise: float) -> None:
    library = {word: has(word) for word in WORDS} | {"always": lambda text: True, "never": lambda text: False}
    judge = RuleSet.fit(preferences(noise), library)
    assert judge.rules == ("key", "door", "please")
    assert RuleSet.fit(preferences(noise), library).rules == judge.rules
    clean = preferences(0.0, 200)
    verdicts = judge.answer([Prefers("go", better, worse) for better, worse in clean])
    assert np.mean([verdict.value > 0 for verdict in verdicts]) == 1.0
    assert judge.answer([Holds(("key", "please"), "a key")])[0].values == (1.0, 0.0)
    assert not judge.answer([Holds(("lamp",), "a key")])[0].valid


def test_a_rule_that_all_keep_or_none_keeps_changes_no_difference() -> None:
    some = {word: has(word) for word in ("key", "door")}
    more = some | {"always": lambda text: True, "never": lambda text: False}
    texts = ["key", "door key", "wait", "door"]
    few, many = (
        np.array([one.value for one in RuleSet(rules).answer([Progress("go", text) for text in texts])])
        for rules in (some, more)
    )
    assert (few - few.mean()) / few.std() == pytest.approx((many - many.mean()) / many.std())


def test_the_length_prior_is_a_flag() -> None:
    long, short = "a key " * 10, "a key"
    for concise, value in ((None, 0.0), (5, -1.0)):
        judge = RuleSet({"key": has("key")}, concise=concise)
        assert judge.answer([Prefers("go", long, short)])[0].value == value


def test_rules_are_extracted_and_verified_by_a_judge() -> None:
    inner = Scripted(has_words)
    judge = RuleSet.extract(inner, "go", [("a key", "wait")], most=5)
    assert (judge.rules, judge.answer([Progress("go", "a key")])[0].value) == (("key", "door"), 0.5)
    assert inner.asked[0].texts["examples"] == ("Better: a key\nWorse: wait",)
    with pytest.raises(ValueError, match="scripted wrote no rules: no idea"):
        RuleSet.extract(inner, "nothing", [])


def test_rules_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(ValueError, match="need a judge to verify them"):
        RuleSet(["it is short"])
    with pytest.raises(ValueError, match=r"none of the predicates \['never'\] tells the better text"):
        RuleSet.fit([("a", "b")], {"never": lambda text: False})
    with pytest.raises(ValueError, match="at least one preference"):
        RuleSet.fit([], {"never": lambda text: False})
