from __future__ import annotations

import copy
import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from potentia.judges import Answer, Background, Judge, Progress, Question, Rules


def states(*names: object) -> list[Question]:
    return [Progress("go", str(name), truth=(0.25,)) for name in names]


class Gate(Judge):
    """Answers nothing until it is opened, and notes in which batches it is asked."""

    name = "gate"

    def __init__(self) -> None:
        self.open, self.inside = threading.Event(), threading.Event()
        self.batches: list[list[str]] = []

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.batches.append([question.state for question in questions])  # type: ignore[attr-defined]
        self.inside.set()
        assert self.open.wait(10)
        return [Answer((0.25,)) for _ in questions]


def held(background: Background, gate: Gate) -> None:
    """The worker is in the judge, with the question "first"."""
    background.submit(states("first"))
    assert gate.inside.wait(10)


def test_nobody_waits_the_newest_are_first_and_the_oldest_are_dropped() -> None:
    gate = Gate()
    background = Background(gate, batch=2, backlog=3)
    held(background, gate)
    start = time.thread_time()
    assert background.submit(states("a", "b", "c", "d")) == 4
    assert background.submit(states("b", "first")) == 0  # one pending, one being asked
    assert background.drain() == []
    assert time.thread_time() - start < 0.05
    assert (background.pending, background.dropped) == (4, 1)
    assert not background.wait(0.0)
    gate.open.set()
    assert background.wait(10)
    assert gate.batches == [["first"], ["b", "d"], ["c"]]
    assert [question.state for question, _ in background.drain()] == ["first", "b", "d", "c"]  # type: ignore[attr-defined]
    assert (background.drain(), background.pending, background.answered) == ([], 0, 4)


def test_an_answered_question_can_be_asked_again_and_the_thread_ends_when_it_has_nothing_to_do() -> None:
    background = Background(Rules())
    for _ in range(3):
        assert background.submit(states("a")) == 1
        assert background.wait(10)
        assert background._worker is None
    assert len(background.drain()) == 3


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (lambda question: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda question: (2.0,), r"ValueError: an answer to Progress must have 1 numbers in [0, 1], got (2.0,)"),
    ],
)
def test_a_judge_that_raises_gives_answers_that_are_not_valid(
    rule: Callable[[Question], tuple[float]], reason: str
) -> None:
    with Background(Rules(rule)) as background:
        background.submit(states("a"))
        assert background.wait(10)
        ((_, answer),) = background.drain()
        assert (answer.value, answer.valid, answer.reason) == (0.5, False, reason)
        background.judge = Rules()
        background.submit(states("b"))
        assert background.wait(10)
        assert background.drain()[0][1] == Answer((0.25,))


def test_a_judge_that_answers_too_few_is_told_so() -> None:
    class Short(Judge):
        def answer(self, questions: Sequence[Question]) -> list[Answer]:
            return []

    background = Background(Short())
    background.submit(states("a"))
    assert background.wait(10)
    assert background.drain()[0][1].reason == "ValueError: the judge gave 0 answers to 1 questions"


def test_questions_that_only_their_truth_tells_apart_are_two_for_who_reads_it() -> None:
    background = Background(Rules())
    background.submit([Progress("go", "a", truth=(0.0,)), Progress("go", "a", truth=(1.0,))])
    assert background.wait(10)
    assert sorted(answer.value for _, answer in background.drain()) == [0.0, 1.0]


class Slow(Judge):
    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        time.sleep(0.2)
        return [Answer((0.25,)) for _ in questions]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_asks_again_what_is_pending_and_what_is_being_asked(copied: Callable[[Background], Background]) -> None:
    background = Background(Slow(), batch=1)
    background.submit(states("a", "b", "c"))
    while background.pending == len(background._pending):
        time.sleep(0.001)
    other = copied(background)
    assert other.pending == 3
    assert other.wait(10)
    assert background.wait(10)
    assert len(other.drain()) == len(background.drain()) == 3


def _answers_of_a_child(background: Background, pipe: multiprocessing.connection.Connection) -> None:
    assert background.wait(10)
    pipe.send(len(background.drain()))


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    background = Background(Slow(), batch=1)
    background.submit(states("a", "b", "c"))
    while background.pending == len(background._pending):
        time.sleep(0.001)
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    child = context.Process(target=_answers_of_a_child, args=(background, theirs))
    child.start()
    assert mine.poll(60)
    assert mine.recv() == 3
    child.join(10)
    assert child.exitcode == 0
    assert background.wait(10)
    assert len(background.drain()) == 3


def test_what_is_pending_and_what_is_answered_is_saved() -> None:
    gate = Gate()
    background = Background(gate, batch=1)
    gate.open.set()
    background.submit(states("done"))
    assert background.wait(10)
    gate.open.clear()
    gate.inside.clear()
    held(background, gate)
    background.submit(states("b"))
    state = background.state_dict()
    gate.open.set()
    other = Background(Rules())
    other.submit(states("of before"))
    other.load_state_dict(state)
    assert other.wait(10)
    assert [(question, answer.value) for question, answer in other.drain()] == [
        (question, 0.25) for question in states("done", "b", "first")
    ]


def test_closing_drops_what_is_pending() -> None:
    gate = Gate()
    background = Background(gate, batch=1)
    held(background, gate)
    background.submit(states("b"))
    threading.Timer(0.05, gate.open.set).start()
    background.close()
    assert gate.batches == [["first"]]
    assert background.pending == 0


@pytest.mark.parametrize("name", ["batch", "backlog"])
def test_less_than_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        Background(Rules(), **{name: 0})
