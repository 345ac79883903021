"""A judge that lies, for experiments on what a bad judge does to learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from potentia.judges.json_form import digest, question_data
from potentia.judges.judge import Judge
from potentia.judges.question import Answer, Question
from potentia.judges.wrapper import Wrapper

__all__ = ["Mistaken"]


class Mistaken(Wrapper):
    """Says ``low + 1 - v`` for ``v`` with probability ``share``, for each number of an answer apart.

    ``low`` is the question's least number. So "yes" becomes "no", and a preference turns round. Whether a number is
    turned depends on the seed and the question's texts alone: the same question always gets the same lie, in every
    process. A share of 1/2 leaves nothing of what the judge inside knows.

    Args:
        judge: Who tells the truth, such as `potentia.judges.Rules`.
        share: How often it lies, from 0 to 1.
        seed: Whose lies.

    Raises:
        ValueError: If ``share`` lies outside [0, 1].

    >>> from potentia.judges import Progress, Rules
    >>> questions = [Progress("Go.", str(place)) for place in range(1000)]
    >>> judge = Mistaken(Rules(lambda question: (1.0,)), 0.25)
    >>> sum(answer.value == 0.0 for answer in judge.answer(questions)), judge.name
    (248, 'rules, lying 0.25')
    """

    def __init__(self, judge: Judge, share: float, *, seed: int = 0) -> None:
        super().__init__(judge)
        if not 0 <= share <= 1:
            raise ValueError(f"share must lie in [0, 1], got {share}")
        self.share, self.seed = share, seed
        self.name, self.quick = f"{judge.name}, lying {share:g}", judge.quick

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside, the share and the seed."""
        return {"judge": "Mistaken", "of": self.judge.identity, "share": self.share, "seed": self.seed}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The truth, or what it is not."""
        answers = []
        for question, answer in zip(questions, self.judge.answer(questions), strict=True):
            data = question_data(question, truth=False)
            turned = [
                int(digest([self.seed, place, data])[:13], 16) / 16**13 < self.share for place in range(question.size)
            ]
            values = tuple(
                question.low + 1.0 - value if lie else value for value, lie in zip(answer.values, turned, strict=True)
            )
            answers.append(replace(answer, values=values) if answer.valid else answer)
        return answers
