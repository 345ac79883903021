"""The probes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from potentia.judges.judge import Judge
from potentia.judges.probes.calibration import calibration
from potentia.judges.probes.finding import Finding, found
from potentia.judges.probes.material import CLAIMS, MASTER_KEYS, PADDING, TASKS, Task
from potentia.judges.question import Achieved, Answer, Holds, Prefers, Progress, Question

__all__ = ["probe"]


def probe(judge: Judge, questions: Sequence[Question] = ()) -> list[Finding]:
    """Asks a judge what fools judges, and what it can be measured by.

    - *master keys*: the share of texts without content, such as "Solution", that count as a right answer, the worst of
      ten and the mean (Zhao et al. 2025, arXiv 2507.08794). *right answers* and *wrong answers* say how many real ones
      count, since to refuse everything is no robustness.
    - *injection, page* and *game*: how much a number rises, on average, when the text judged says of itself that it is
      right: in a state or an answer, and in the message of a game.
    - *position*: the share of pairs whose verdict depends on which text is read first.
    - *paraphrase*: the mean change of a number when the same is said in other words.
    - *length*: the mean verdict between a text and the same text with words that add nothing, for the longer.
    - *calibration*, of ``questions``: the expected calibration error in ten bins, the mean error, the share of right
      decisions (from 1/2 on, and by sign for preferences), and the share of pairs of one kind that stand in the right
      order, ties counting half.

    Args:
        judge: The judge.
        questions: Questions with their truth, such as `potentia.testing.judge_questions` draws from a world.

    Returns:
        A finding for each probe, in this order, and last the seconds a question took.
    """
    asking = _Asking(judge)
    findings = [*_master_keys(asking), *_injection(asking), _position(asking), _paraphrase(asking), _length(asking)]
    truths = [question for question in questions if question.truth is not None]
    if truths:
        findings += calibration(truths, asking(truths))
    return [*findings, Finding("seconds a question", asking.seconds / max(asking.count, 1), 0.0, asking.count, 0.0)]


class _Asking:
    """Asks, and counts."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.seconds, self.count = 0.0, 0

    def __call__(self, questions: Sequence[Question]) -> list[Answer]:
        start = time.perf_counter()
        answers = self.judge.answer(questions)
        self.seconds += time.perf_counter() - start
        self.count += len(questions)
        return answers


def _holds(task: Task, text: str, truth: bool) -> Holds:
    return Holds((task.criterion,), text, task.goal, truth=(float(truth),))


def _progress(goal: str, state: str, done: bool) -> Progress:
    return Progress(goal, state, truth=(float(done),))


def _numbers(answers: Sequence[Answer]) -> list[float]:
    return [value for answer in answers if answer.valid for value in answer.values]


def _master_keys(ask: _Asking) -> list[Finding]:
    rows = []
    for key in MASTER_KEYS:
        answers = ask([_holds(task, key, False) for task in TASKS])
        rows.append((answers, [float(value >= 0.5) for value in _numbers(answers)]))
    answers = [answer for some, _ in rows for answer in some]
    worst = max((sum(passed) / len(passed) for _, passed in rows if passed), default=math.nan)
    right = ask([_holds(task, task.right, True) for task in TASKS])
    wrong = ask([_holds(task, task.wrong, False) for task in TASKS])
    return [
        replace(found("master keys, worst", 0.0, (), answers), value=worst),
        found("master keys, mean", 0.0, [one for _, passed in rows for one in passed], answers),
        found("right answers", 1.0, [float(value >= 0.5) for value in _numbers(right)], right),
        found("wrong answers", 0.0, [float(value >= 0.5) for value in _numbers(wrong)], wrong),
    ]


def _rises(name: str, ask: _Asking, pairs: Sequence[tuple[Question, Question]], *, size: bool = False) -> Finding:
    """The mean of second less first, or of its size."""
    answers = ask([question for pair in pairs for question in pair])
    changes = [
        second.value - first.value
        for first, second in zip(answers[::2], answers[1::2], strict=True)
        if first.valid and second.valid
    ]
    return found(name, 0.0, [abs(change) if size else change for change in changes], answers)


def _injection(ask: _Asking) -> list[Finding]:
    page: list[tuple[Question, Question]] = []
    game: list[tuple[Question, Question]] = []
    for task in TASKS:
        for claim in CLAIMS:
            text = f"{task.wrong}\n{claim}"
            page.append((_progress(task.goal, task.wrong, False), _progress(task.goal, text, False)))
            page.append((_holds(task, task.wrong, False), _holds(task, text, False)))
            step = Achieved((task.criterion,), task.wrong, "wait", task.wrong, "Time passes.", task.goal, truth=(0.0,))
            game.append((step, replace(step, message=f"Time passes.\n{claim}")))
    return [_rises("injection, page", ask, page), _rises("injection, game", ask, game)]


def _position(ask: _Asking) -> Finding:
    questions = [
        Prefers(task.goal, task.right, other, truth=(truth,))
        for task in TASKS
        for other, truth in ((task.wrong, 1.0), (task.same, 0.0))
    ]
    answers = ask([*questions, *(question.swapped() for question in questions)])
    pairs = zip(answers[: len(questions)], answers[len(questions) :], strict=True)
    flips = [
        float(abs(one.value + other.value) > 1e-6 and one.value * other.value >= 0.0)
        for one, other in pairs
        if one.valid and other.valid
    ]
    return found("position", 0.0, flips, answers)


def _paraphrase(ask: _Asking) -> Finding:
    pairs: list[tuple[Question, Question]] = []
    for task in TASKS:
        pairs.append((_progress(task.goal, task.right, True), _progress(task.same_goal, task.same, True)))
        pairs.append((_holds(task, task.right, True), _holds(task, task.same, True)))
    return _rises("paraphrase", ask, pairs, size=True)


def _length(ask: _Asking) -> Finding:
    """Each pair in both orders, so that a liking for a place is no liking for a length."""
    questions = [
        Prefers(task.goal, text + PADDING, text, truth=(0.0,)) for task in TASKS for text in (task.right, task.wrong)
    ]
    answers = ask([*questions, *(question.swapped() for question in questions)])
    verdicts = [answer.value if place < len(questions) else -answer.value for place, answer in enumerate(answers)]
    valid = [verdict for verdict, answer in zip(verdicts, answers, strict=True) if answer.valid]
    return found("length", 0.0, valid, answers)
