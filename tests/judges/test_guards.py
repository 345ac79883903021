"""Budgets, rates and retries."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import pytest

from potentia.judges import (
    Answer,
    BothOrders,
    Budgeted,
    BudgetError,
    Cached,
    Judge,
    Limited,
    Prefers,
    Progress,
    Question,
    Retried,
    Rules,
    Usage,
    Vote,
)
from potentia.judges.guards import limited, retried


def states(count: int) -> list[Question]:
    return [Progress("go", str(place)) for place in range(count)]


class Costly(Judge):
    """Takes 3 of the 10 tokens that an answer could cost, and one of two calls."""

    name = "costly"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def most(self, question: Question) -> Usage:
        return Usage(questions=1, calls=2, tokens_in=8, tokens_out=2)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.batches.append(len(questions))
        self._spend(Usage(questions=1, calls=1, tokens_in=2, tokens_out=1) * len(questions))
        return [Answer((1.0,), tokens_in=2, tokens_out=1) for _ in questions]


@pytest.mark.parametrize(
    ("limits", "batches", "answered"),
    [
        # 10 calls: 5 might take them all, and take 5. Of the 5 left, 2 might take 4, and take 2. Of 3 left, 1; of 2, 1.
        ({"calls": 10}, [5, 2, 1, 1], 9),
        ({"calls": 1}, [], 0),
        ({"calls": 0}, [], 0),
        # 40 tokens: 4 (12 used, 28 left), 2 (22 left), 2 (16 left), 1 (13 left), 1 (10 left), 1 (7 left, and stop).
        ({"tokens": 40}, [4, 2, 2, 1, 1, 1], 11),
        # A worst of 8 x 1 + 2 x 2 = 12 dollars, in truth 2 x 1 + 1 x 2 = 4: 2 (of 30 left 22), 1, 1, 1 (left 10).
        ({"dollars": 30.0, "prices": (1e6, 2e6)}, [2, 1, 1, 1], 5),
        ({"calls": 1000, "tokens": 40}, [4, 2, 2, 1, 1, 1], 11),
    ],
)  # fmt: skip
def test_a_budget_is_never_exceeded(limits: dict[str, Any], batches: list[int], answered: int) -> None:
    inner = Costly()
    judge = Budgeted(inner, **limits)
    answers = judge.answer(states(20))
    assert inner.batches == batches
    assert [answer.valid for answer in answers] == [True] * answered + [False] * (20 - answered)
    assert answers[-1].reason.startswith("the budget is spent: ")
    assert (answers[-1].value, answers[-1].again) == (0.5, False)
    usage = judge.usage
    assert (usage.questions, usage.calls, usage.tokens, usage.invalid) == (20, answered, 3 * answered, 20 - answered)
    assert usage.dollars == (4.0 * answered if "prices" in limits else 0.0)
    assert sum(answer.dollars for answer in answers) == usage.dollars
    assert [sum(answer.calls for answer in answers), answers[-1].calls] == [answered, 0]
    assert pickle.loads(pickle.dumps(judge)).answer(states(1))[0].valid is False  # a copy has not a budget of its own


def test_an_answer_says_what_all_of_it_cost() -> None:
    asked = Prefers("go", "a", "b")
    priced = Budgeted(Costly(), calls=100, prices=(1e6, 2e6))
    (answer,) = BothOrders(Vote([priced], n=3)).answer([asked])
    # Six replies of 2 tokens read and 1 written, at 1 and 2 dollars a token.
    assert (answer.calls, answer.tokens_in, answer.tokens_out, answer.dollars) == (6, 12, 6, 24.0)
    cached = Cached(priced)
    first, second = (cached.answer([asked])[0] for _ in range(2))
    assert (first.calls, first.dollars, first.cached) == (1, 4.0, False)
    assert (second.calls, second.tokens_in, second.dollars, second.cached) == (0, 0, 0.0, True)


def test_what_was_spent_before_does_not_count() -> None:
    inner = Costly()
    inner.answer(states(100))
    assert Budgeted(inner, calls=2).answer(states(1))[0].valid


def test_a_spent_budget_can_raise_but_never_throws_away_what_was_paid_for() -> None:
    judge = Budgeted(Rules(lambda question: (1.0,)), calls=2, when_spent="raise")
    assert [answer.valid for answer in judge.answer(states(3))] == [True, True, False]
    with pytest.raises(BudgetError, match="the budget of rules is spent: 2 calls"):
        judge.answer(states(1))
    assert judge.answer([]) == []


def test_a_budget_knows_what_stands_inside_it() -> None:
    inner = Rules(lambda question: (1.0,))
    judge = Budgeted(BothOrders(inner), calls=3)
    assert [answer.valid for answer in judge.answer([Prefers("go", "a", "b"), Prefers("go", "c", "d")])] == [
        True,
        False,
    ]
    assert inner.usage.calls == 2
    assert Retried(BothOrders(Costly()), 3).most(Prefers("go", "a", "b")).calls == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give calls, tokens or dollars"),
        ({"calls": -1}, "calls must be at least 0, got -1"),
        ({"dollars": 1.0}, "needs prices"),
        ({"calls": 1, "when_spent": "stop"}, "'neutral' or 'raise', got 'stop'"),
    ],
)
def test_a_budget_that_is_none_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Budgeted(Costly(), **arguments)


class Clock:
    """A time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (limited, retried):
        monkeypatch.setattr(module, "time", made)
    return made


def test_calls_keep_their_rate(clock: Clock) -> None:
    inner = Costly()
    judge = Limited(inner, calls_per_minute=120, burst=5.0)
    judge.answer(states(10))
    assert (clock.now, inner.batches) == (1000.0, [10])  # a burst of 5 s at 2 a second
    judge.answer(states(20))
    assert clock.now == pytest.approx(1010.0, abs=0.05)
    clock.now += 1e6
    judge.answer(states(10))  # a long rest gives no more than a burst
    start = clock.now
    judge.answer(states(2))
    assert clock.now - start == pytest.approx(1.0, abs=0.01)


def test_tokens_keep_their_rate_and_debts_are_paid(clock: Clock) -> None:
    judge = Limited(Costly(), tokens_per_minute=60)
    judge.answer(states(100))  # 300 tokens at once, of which one was there
    assert clock.now == 1000.0
    judge.answer(states(1))
    assert clock.now == pytest.approx(1300.0, abs=0.05)


def test_without_limits_nobody_waits(clock: Clock) -> None:
    inner = Costly()
    assert len(Limited(inner).answer(states(1000))) == 1000
    assert (inner.batches, clock.slept) == ([1000], [])


@pytest.mark.parametrize("name", ["calls_per_minute", "tokens_per_minute", "burst"])
def test_a_rate_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive, got 0"):
        Limited(Costly(), **{name: 0})


class Failing(Judge):
    """Fails so many times for each state, then answers; "broken" fails in a way that does not pass."""

    name = "failing"

    def __init__(self, times: int, wait: float = 0.0) -> None:
        self.times, self.wait = times, wait
        self.seen: dict[str, int] = {}
        self.batches: list[int] = []

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.batches.append(len(questions))
        answers = []
        for question in questions:
            state = str(question.texts["state"])
            self.seen[state] = self.seen.get(state, 0) + 1
            if state == "broken":
                answers.append(question.nothing("for good"))
            elif self.seen[state] <= self.times:
                answers.append(Answer((0.5,), valid=False, reason="busy", again=True, wait=self.wait, tokens_in=1))
            else:
                answers.append(Answer((1.0,), tokens_in=1))
        return answers


def test_only_what_may_pass_is_asked_again(clock: Clock) -> None:
    inner = Failing(2)
    inner.seen["1"] = 2  # this one is answered at once
    answers = Retried(inner, 5, first=1.0).answer([*states(3), Progress("go", "broken")])
    assert [answer.valid for answer in answers] == [True, True, True, False]
    assert inner.batches == [4, 2, 2]
    assert [answer.tokens_in for answer in answers] == [3, 1, 3, 0]
    assert 0 <= clock.slept[0] <= 1.0
    assert 0 <= clock.slept[1] <= 2.0


def test_it_gives_up_and_says_so(clock: Clock) -> None:
    inner = Failing(9)
    (answer,) = Retried(inner, 3, first=100.0, longest=2.0).answer(states(1))
    assert (answer.valid, answer.again, answer.reason) == (False, True, "busy")
    assert inner.batches == [1, 1, 1]
    assert max(clock.slept) <= 2.0


def test_it_waits_as_long_as_the_server_asks(clock: Clock) -> None:
    Retried(Failing(2, wait=7.5), 5, first=0.1).answer(states(2))
    assert clock.slept == [7.5, 7.5]


@pytest.mark.parametrize("arguments", [{"attempts": 0}, {"first": -1.0}, {"longest": -1.0}])
def test_retries_that_are_none_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(arguments))} must be at least"):
        Retried(Costly(), **arguments)
