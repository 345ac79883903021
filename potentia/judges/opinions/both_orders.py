"""A judge that reads two texts in both orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from potentia.judges.opinions.merging import merged
from potentia.judges.question import Answer, Prefers, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper

__all__ = ["BothOrders"]


class BothOrders(Wrapper):
    """``(v(a, b) - v(b, a)) / 2``: asks `Prefers` twice, so that a liking for what is read first cancels out.

    Wang et al. 2023, "Large language models are not fair evaluators", arXiv 2305.17926. Other questions are passed on.
    If one of the two answers is not valid, neither is the mean.

    Args:
        judge: Who is asked.

    >>> from potentia.judges import Rules
    >>> first = BothOrders(Rules(lambda question: (1.0,)))  # it likes what it reads first
    >>> first.answer([Prefers("Buy.", "a", "b")])[0].value
    0.0
    """

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside, in both orders."""
        return {"judge": "BothOrders", "of": self.judge.identity}

    def most(self, question: Question) -> Usage:
        """Twice that of the judge inside for `Prefers`."""
        return self.judge.most(question) * (2 if isinstance(question, Prefers) else 1)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The means of both orders."""
        swapped = [question.swapped() for question in questions if isinstance(question, Prefers)]
        answers = self.judge.answer([*questions, *swapped])
        others = iter(answers[len(questions) :])
        return [
            merged(question, [answer, next(others)], lambda one, other: (one - other) / 2)
            if isinstance(question, Prefers)
            else answer
            for question, answer in zip(questions, answers[: len(questions)], strict=True)
        ]
