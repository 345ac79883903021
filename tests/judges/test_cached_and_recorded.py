from __future__ import annotations

import multiprocessing
import pickle
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from potentia.judges import (
    Achieved,
    Answer,
    Cached,
    Forward,
    Holds,
    Ideas,
    Judge,
    Mistaken,
    Prefers,
    Progress,
    Question,
    Recorded,
    Recording,
    Rules,
)
from potentia.judges.json_form import answer_data, question_data, read_answer, read_question

EACH = [
    Achieved(("get the key", "open the door"), "a room", "west", "a key", "You see a key.", "leave", truth=(1.0, 0.0)),
    Prefers("leave", "a door", "a wall", "a room", truth=(-1.0,)),
    Progress("leave", "a \ud800 \u2028 door", truth=(0.1 + 0.2,)),
    Forward("leave", "a room", "west", replicate=3),
    Holds(("short", "polite"), "Please."),
    Ideas("subgoals", "leave", ("a room",), 3),
]


class Counting(Judge):
    """Answers by how often it was asked; a state "bad" has no valid answer."""

    def __init__(self, name: str = "counting") -> None:
        self.name, self.asked = name, 0

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        answers = []
        for question in questions:
            self.asked += 1
            if question.texts.get("state") == "bad":
                answers.append(question.nothing("it is bad"))
            else:
                answers.append(Answer((self.asked / 1000,) * question.size, tokens_in=7, tokens_out=2))
        return answers


@pytest.mark.parametrize("question", EACH, ids=lambda question: type(question).__name__)
def test_questions_and_answers_are_json_and_back(question: Question) -> None:
    read = read_question(question_data(question))
    assert (read, read.truth) == (question, question.truth)
    for answer in (question.nothing("why"), Answer((0.1 + 0.2,) * question.size, texts=("a",), wait=0.5, cached=True)):
        assert read_answer(question, answer_data(answer)) == answer


@pytest.mark.parametrize("data", [{"kind": "Guess"}, {"kind": "Progress", "goal": "a"}, {"goal": "a", "state": "b"}])
def test_what_is_no_question_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must have one of the kinds|this is no Progress"):
        read_question(data)


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_question_is_put_once_and_only_valid_answers_are_kept(tmp_path: Path, on_disk: bool) -> None:
    inner = Counting()
    judge = Cached(inner, tmp_path / "deep" / "cache.sqlite" if on_disk else None)
    a, b, bad = Progress("go", "a"), Progress("go", "b"), Progress("go", "bad")
    first = judge.answer([a, b, a, bad, bad])
    assert [answer.value for answer in first] == [0.001, 0.002, 0.001, 0.5, 0.5]
    assert [answer.cached for answer in first] == [False, False, True, False, False]
    assert [answer.tokens_in for answer in first] == [7, 7, 0, 0, 0]
    assert inner.asked == 3
    again = judge.answer([b, bad])
    assert [answer.value for answer in again] == [0.002, 0.5]
    assert (inner.asked, judge.usage.cached) == (4, 2)
    judge.close()
    assert judge.answer([a])[0].value == 0.001


def test_another_name_another_question_and_another_replicate_are_another_key(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    for place, inner in enumerate([Counting("one"), Counting("two"), Counting("one")]):
        judge = Cached(inner, path)
        judge.answer(EACH)
        assert inner.asked == (0 if place == 2 else len(EACH))
        assert inner.key(EACH[1]) != inner.key(EACH[1].swapped())  # type: ignore[attr-defined]
    fourth = Forward("leave", "a room", "west", replicate=4)
    assert Counting("one").key(EACH[3]) != Counting("one").key(fourth)


def test_what_is_kept_can_be_read_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    Cached(Counting(), path).answer([EACH[1]])
    row = sqlite3.connect(path).execute("SELECT judge, question, answer FROM answers").fetchone()
    assert row == (
        '{"judge":"Counting","name":"counting"}',
        '{"context":"a room","first":"a door","goal":"leave","kind":"Prefers","second":"a wall","truth":[-1.0]}',
        '{"values":[0.001]}',
    )


def test_the_truth_is_a_part_of_the_key_for_who_reads_it_alone() -> None:
    questions = [Progress("go", "a", truth=(0.0,)), Progress("go", "a", truth=(1.0,))]
    assert [answer.value for answer in Cached(Mistaken(Rules(), 1.0)).answer(questions)] == [1.0, 0.0]
    inner = Counting()
    assert [answer.value for answer in Cached(inner).answer(questions)] == [0.001, 0.001]


def test_the_memory_has_a_limit() -> None:
    inner = Counting()
    judge = Cached(inner, limit=2)
    a, b, c = (Progress("go", name) for name in "abc")
    for question in (a, b, a, c, a, b):
        judge.answer([question])
    assert inner.asked == 4  # b went when c came, because a was used since


def _fill(path: Path, start: Any, own: int) -> list[float]:
    judge = Cached(Rules(lambda question: (own / 10,), name="same"), path)
    judge.answer([])
    start.wait(30)
    values = []
    for place in range(0, 200, 10):
        batch = [Progress("go", str(place + step)) for step in range(10)]
        values += [answer.value for answer in judge.answer(batch)]
    return values


def _send(path: Path, start: Any, own: int, pipe: Any) -> None:
    pipe.send(_fill(path, start, own))


def test_processes_that_write_at_the_same_time_all_have_the_answer_that_was_first(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(3)
    path = tmp_path / "cache.sqlite"
    pipes, children = [], []
    for own in (1, 2):
        mine, theirs = context.Pipe()
        children.append(context.Process(target=_send, args=(path, start, own, theirs)))
        pipes.append(mine)
        children[-1].start()
    start.wait(30)
    one, two = (pipe.recv() for pipe in pipes if pipe.poll(60))
    for child in children:
        child.join(10)
    assert one == two
    assert set(one) <= {0.1, 0.2}


def test_a_cache_goes_on_in_a_forked_process_and_in_a_pickle(tmp_path: Path) -> None:
    judge = Cached(Counting(), tmp_path / "cache.sqlite")
    judge.answer([EACH[2]])
    copied = pickle.loads(pickle.dumps(judge))
    assert copied.answer([EACH[2]])[0].cached
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    child = context.Process(target=lambda: theirs.send([one.cached for one in judge.answer(EACH[1:3])]))
    child.start()
    assert mine.poll(30)
    assert mine.recv() == [False, True]
    child.join(10)
    assert judge.answer([EACH[1]])[0].cached  # the child's answer


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 100)
    with pytest.raises(ValueError, match=r"notes\.txt is no SQLite file"):
        Cached(Counting(), path).answer(EACH)
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        Cached(Counting(), limit=0)


def test_a_recording_is_replayed_bit_for_bit_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.jsonl"
    recording = Recording(Counting(), path)
    bad = Progress("go", "bad")
    said = recording.answer([*EACH, bad]) + recording.answer(EACH[:1])
    replay = Recorded(path)
    assert replay.name == "recorded counting"
    assert replay.answer([*EACH, bad]) + replay.answer(EACH[:1]) == said
    assert said[0] != said[-1]
    assert replay.answer(EACH[:1]) == said[-1:]  # the last one again
    unknown = replay.answer([Progress("go", "never seen")])[0]
    assert (unknown.value, unknown.valid) == (0.5, False)
    assert unknown.reason == f"{path} has no answer to this question"
    assert (replay.usage.questions, replay.usage.invalid) == (len(EACH) + 4, 2)
    other = Recording(Counting(), tmp_path / "other.jsonl")
    other.answer(EACH)
    assert Recorded(tmp_path / "other.jsonl").identity != replay.identity == Recorded(path).identity


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "2: Expecting property name"),
        ("[]", "2: a line must be an object"),
        ('{"question": {"kind": "Guess"}, "answer": {}}', "2: a question must have one of the kinds"),
        (
            '{"question": {"kind": "Progress", "goal": "", "state": ""}, "answer": {"values": [2]}}',
            "2: an answer to Pro",
        ),
        ('{"question": {"kind": "Progress", "goal": "", "state": ""}, "answer": {"score": 2}}', "2: this is no answer"),
        ('{"question": 3, "answer": {"values": [2]}}', "2: 'int' object has no attribute 'items'"),
    ],
)
def test_a_line_that_is_no_recording_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ValueError, match=re.escape(f"answers.jsonl:{message}")):
        Recorded(path)


def test_a_lie_is_the_same_in_every_process_and_each_number_has_its_own() -> None:
    truth = Rules(lambda question: (1.0,) * question.size)
    many = Holds(tuple(str(place) for place in range(1000)), "text")
    (answer,) = Mistaken(truth, 0.5).answer([many])
    assert answer == Mistaken(truth, 0.5).answer([many])[0]
    assert answer != Mistaken(truth, 0.5, seed=1).answer([many])[0]
    assert 450 < sum(answer.values) < 550
    assert Mistaken(truth, 1.0).answer([EACH[1]])[0].values == (-1.0,)
    assert Mistaken(truth, 0.0).answer([EACH[1]])[0].values == (1.0,)
    silent = Rules(lambda question: None)
    assert Mistaken(silent, 1.0).answer([EACH[1]]) == silent.answer([EACH[1]])
    with pytest.raises(ValueError, match=r"share must lie in \[0, 1\], got 2"):
        Mistaken(truth, 2)
