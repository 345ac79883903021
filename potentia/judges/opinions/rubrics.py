"""A judge that ticks off criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from potentia.judges.judge import Judge
from potentia.judges.opinions.merging import merged
from potentia.judges.question import Answer, Holds, Ideas, Prefers, Progress, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper
from potentia.limits import check_at_least

__all__ = ["Rubrics"]


class Rubrics(Wrapper):
    """`Progress` is the share of criteria that the state meets, `Prefers` the share of the first less the second's.

    Liu et al. 2025 (OpenRubrics), arXiv 2510.07743: rubrics are written once for a task, then both answers are judged
    by them. Where they are not given, the judge inside writes them (`Ideas`), once for each goal, and they are kept.
    A share is the mean of the answer to `Holds`. Other questions are passed on.

    Args:
        judge: Who tells which criteria hold, and writes them where there are none.
        criteria: The criteria for every goal, in words.
        most: How many criteria are asked for.

    Raises:
        ValueError: If ``criteria`` is empty, or ``most`` is less than 1.

    >>> from potentia.judges import Rules
    >>> has = Rules(lambda question: [float(word in question.text) for word in question.criteria])
    >>> judge = Rubrics(has, ["key", "door"])
    >>> [one.value for one in judge.answer([Progress("Go.", "a key"), Prefers("Go.", "no", "a door and a key")])]
    [0.5, -1.0]
    """

    def __init__(self, judge: Judge, criteria: Sequence[str] | None = None, *, most: int = 8) -> None:
        super().__init__(judge)
        check_at_least(1, most=most)
        if criteria is not None and (isinstance(criteria, str) or not criteria):
            raise ValueError(f"criteria must be a list of at least one text, got {criteria!r}")
        self.criteria = None if criteria is None else tuple(criteria)
        self.most_criteria = most
        self.name = f"{judge.name} by rubrics"
        self._written: dict[str, Answer] = {}

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside, and the criteria."""
        criteria = None if self.criteria is None else list(self.criteria)
        return {"judge": "Rubrics", "of": self.judge.identity, "criteria": criteria, "most": self.most_criteria}

    def most(self, question: Question) -> Usage:
        """The list, and `Holds` once or twice, with criteria of at most 192 bytes each."""
        texts = _texts(question)
        if not texts:
            return self.judge.most(question)
        criteria = self.criteria or ("x" * 192,) * self.most_criteria
        cost = Usage() if self.criteria else self.judge.most(self._ask(question))
        return sum((self.judge.most(Holds(criteria, text, _goal(question))) for text in texts), cost)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Shares of criteria."""
        self._write(questions)
        asked: list[Question] = []
        for question in questions:
            texts, criteria = _texts(question), self._criteria(question)
            if not texts:
                asked.append(question)
            elif criteria:
                asked += [Holds(criteria, text, _goal(question), replicate=question.replicate) for text in texts]
        held = iter(self.judge.answer(asked) if asked else ())
        answers = []
        for question in questions:
            texts, criteria = _texts(question), self._criteria(question)
            if not texts:
                answers.append(next(held))
            elif not criteria:
                nothing = question.nothing("no criteria").costing()
                answers.append(merged(question, [self._written.pop(_goal(question), nothing)], float))
            else:
                answers.append(_shares(question, [next(held) for _ in texts]))
        return answers

    def _write(self, questions: Sequence[Question]) -> None:
        """Has criteria written for goals that have none. Those that failed are asked for again the next time."""
        if self.criteria is not None:
            return
        goals = {_goal(question): question for question in questions if _texts(question)}
        new = {goal: self._ask(one) for goal, one in goals.items() if not self._known(goal)}
        if new:
            self._written |= zip(new, self.judge.answer(list(new.values())), strict=True)

    def _known(self, goal: str) -> bool:
        return goal in self._written and self._written[goal].valid

    def _ask(self, question: Question) -> Ideas:
        return Ideas("criteria", _goal(question), most=self.most_criteria)

    def _criteria(self, question: Question) -> tuple[str, ...]:
        if self.criteria is not None:
            return self.criteria
        goal = _goal(question)
        return self._written[goal].texts if self._known(goal) else ()


def _goal(question: Question) -> str:
    return str(question.texts.get("goal", ""))


def _texts(question: Question) -> tuple[str, ...]:
    """What is held against the criteria."""
    match question:
        case Progress(state=state):
            return (state,)
        case Prefers(first=first, second=second):
            return (first, second)
    return ()


def _shares(question: Question, holds: list[Answer]) -> Answer:
    """The share of the first text, less that of the second if there is one."""
    shares = [replace(one, values=(sum(one.values) / len(one.values),)) for one in holds]
    return merged(question, shares, lambda one, other=0.0: one - other)
