"""A judge that is asked again where that may help."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from potentia.judges.judge import Judge
from potentia.judges.question import Answer, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper
from potentia.limits import check_at_least

__all__ = ["Retried"]


class Retried(Wrapper):
    """Puts questions again whose answers say that it may help (``again``): a time-out, an overload, a lost connection.

    Before attempt k + 1 it waits ``uniform(0, min(longest, first 2^(k - 1)))`` seconds, or as long as the server asked,
    if that is more. The jitter keeps many askers from coming back at the same time (Brooker 2015, "Exponential backoff
    and jitter"). An answer that is not valid for what it says is not asked for again: it would be as wrong and cost as
    much. A question has no effect on the world, so to repeat it is safe.

    Args:
        judge: Who is asked.
        attempts: How often a question is put, at most.
        first: The longest wait before the second attempt, in seconds.
        longest: The longest wait of its own before any attempt.

    Raises:
        ValueError: If ``attempts`` is less than 1, or a wait is negative.
    """

    def __init__(self, judge: Judge, attempts: int = 5, *, first: float = 0.5, longest: float = 30.0) -> None:
        super().__init__(judge)
        check_at_least(1, attempts=attempts)
        check_at_least(0, first=first, longest=longest)
        self.attempts, self.first, self.longest = attempts, first, longest

    def most(self, question: Question) -> Usage:
        """That of the judge inside, for each attempt."""
        return self.judge.most(question) * self.attempts

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the last attempts, at the cost of all attempts."""
        answers = list(self.judge.answer(questions))
        for attempt in range(1, self.attempts):
            places = [place for place, answer in enumerate(answers) if answer.again and not answer.valid]
            if not places:
                break
            jitter = random.uniform(0.0, min(self.longest, self.first * 2.0 ** (attempt - 1)))
            time.sleep(max(jitter, *(answers[place].wait for place in places)))
            new = self.judge.answer([questions[place] for place in places])
            for place, answer in zip(places, new, strict=True):
                answers[place] = answer.costing(answers[place], answer)
        return answers
