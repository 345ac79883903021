"""A judge that is many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from potentia.judges.judge import Judge
from potentia.judges.opinions.merging import merged
from potentia.judges.question import Answer, Ideas, Question
from potentia.judges.usage import Usage
from potentia.limits import check_at_least

__all__ = ["Vote"]


class Vote(Judge):
    """The mean, or the majority, of several answers to each question: of several judges, or of one asked n times.

    Each time a question is put it has another `Question.replicate`, so a judge that draws its answers draws afresh, and
    caches and recordings tell the times apart. A judge whose answers don't vary is as good once. Votes count that are
    valid. With half of them or fewer valid, the answer is not. OpenRubrics (Liu et al. 2025, arXiv 2510.07743) votes
    among five. To vote does not mend what fools every voter (Zhao et al. 2025, "One token to fool LLM-as-a-judge",
    arXiv 2507.08794).

    `Ideas` of all voters are put in one list, those first that most have.

    Args:
        judges: Who votes.
        n: How often each is asked.
        how: ``"mean"``, or ``"majority"``: each number counts as 1 above the neutral one and as the least below it, and
            the answer is what more voters say, or the neutral number.

    Raises:
        ValueError: If there is no judge, or ``n`` is less than 1.

    >>> from potentia.judges import Progress, Rules
    >>> voters = [Rules(lambda question: (0.6,)), Rules(lambda question: (0.7,)), Rules(lambda question: (0.2,))]
    >>> [Vote(voters, how=how).answer([Progress("Go.", "Here.")])[0].value for how in ("mean", "majority")]
    [0.5, 1.0]
    """

    def __init__(
        self, judges: Judge | Sequence[Judge], n: int = 1, *, how: Literal["mean", "majority"] = "mean"
    ) -> None:
        self.judges = [judges] if isinstance(judges, Judge) else list(judges)
        if not self.judges:
            raise ValueError("a vote needs at least one judge")
        check_at_least(1, n=n)
        if how not in ("mean", "majority"):
            raise ValueError(f"how must be 'mean' or 'majority', got {how!r}")
        self.n, self.how = n, how
        self.name = f"{how} of {n} x " + ", ".join(judge.name for judge in self.judges)
        self.reads_truth = any(judge.reads_truth for judge in self.judges)
        self.quick = all(judge.quick for judge in self.judges)

    @property
    def identity(self) -> dict[str, Any]:
        """Those of the voters."""
        return {"judge": "Vote", "of": [judge.identity for judge in self.judges], "n": self.n, "how": self.how}

    @property
    def usage(self) -> Usage:
        """What all voters have cost."""
        return sum((judge.usage for judge in self.judges), self._usage)

    def most(self, question: Question) -> Usage:
        """Those of all voters, n times."""
        return sum((judge.most(question) for judge in self.judges), Usage()) * self.n

    def close(self) -> None:
        """Closes all voters."""
        for judge in self.judges:
            judge.close()

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """What the votes come to."""
        replicas = [
            replace(question, replicate=question.replicate * self.n + time)
            for question in questions
            for time in range(self.n)
        ]
        votes: list[list[Answer]] = [[] for _ in questions]
        for judge in self.judges:
            for place, answer in enumerate(judge.answer(replicas)):
                votes[place // self.n].append(answer)
        return [self._outcome(question, answers) for question, answers in zip(questions, votes, strict=True)]

    def _outcome(self, question: Question, votes: list[Answer]) -> Answer:
        valid = [vote for vote in votes if vote.valid]
        if 2 * len(valid) <= len(votes):
            reason = next(vote.reason for vote in votes if not vote.valid)
            bad = question.nothing(f"{len(valid)} of {len(votes)} votes are valid: {reason}")
            return replace(bad, again=any(vote.again for vote in votes)).costing(*votes)
        if isinstance(question, Ideas):
            count: dict[str, int] = {}
            for text in (text for vote in valid for text in vote.texts):
                count[text] = count.get(text, 0) + 1
            return Answer(texts=tuple(sorted(count, key=lambda text: -count[text])[: question.most])).costing(*votes)

        def number(*values: float) -> float:
            if self.how == "mean":
                return math.fsum(values) / len(values)
            sides = sum((value > question.neutral) - (value < question.neutral) for value in values)
            return question.neutral if sides == 0 else 1.0 if sides > 0 else question.low

        return merged(question, valid, number).costing(*votes)
