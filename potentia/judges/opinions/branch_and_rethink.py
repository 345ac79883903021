"""A judge that first looks for what matters, then answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from potentia.judges.json_form import question_data
from potentia.judges.judge import Judge
from potentia.judges.opinions.merging import merged
from potentia.judges.question import Answer, Ideas, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper
from potentia.limits import check_at_least

__all__ = ["BranchAndRethink"]

_WANTED = "points on which this must be judged, each with the main issue that the examples show in it"


class BranchAndRethink(Wrapper):
    """Two turns: which few points matter here and what is the issue in each, then the question with them before it.

    Jiao et al. 2025 (BR-RM), arXiv 2510.23596: the first turn chooses one to three dimensions and drafts issues, the
    second reads again with them in view. Here the first turn is `Ideas` of the judge inside, and its list is added to
    the goal of the second. In the paper's code a first turn that can't be read gets a default, so its failure is never
    seen. Here the answer is then not valid.

    Args:
        judge: Who is asked. It must answer `Ideas`.
        points: How many points it may name.

    Raises:
        ValueError: If ``points`` is less than 1.
    """

    def __init__(self, judge: Judge, points: int = 3) -> None:
        super().__init__(judge)
        check_at_least(1, points=points)
        self.points = points
        self.name = f"{judge.name}, thinking twice"

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside, in two turns."""
        return {"judge": "BranchAndRethink", "of": self.judge.identity, "points": self.points, "wanted": _WANTED}

    def most(self, question: Question) -> Usage:
        """Both turns: the second is longer by the first one's list."""
        if isinstance(question, Ideas):
            return self.judge.most(question)
        first = self.judge.most(self._first(question))
        second = self.judge.most(question)
        return first + second + Usage(tokens_in=2 * 16 * first.tokens_out)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the second turn. `Ideas` are passed on."""
        firsts = [question if isinstance(question, Ideas) else self._first(question) for question in questions]
        found = self.judge.answer(firsts)
        seconds = [
            replace(
                question, goal=f"{question.texts['goal']}\n\nConsider:\n" + "\n".join(f"- {one}" for one in ideas.texts)
            )  # type: ignore[call-arg]
            for question, ideas in zip(questions, found, strict=True)
            if ideas.valid and not isinstance(question, Ideas)
        ]
        rest = iter(self.judge.answer(seconds) if seconds else ())
        answers = []
        for question, ideas in zip(questions, found, strict=True):
            if isinstance(question, Ideas):
                answers.append(ideas)
            elif not ideas.valid:
                answers.append(merged(question, [ideas], float))
            else:
                answer = next(rest)
                answers.append(answer.costing(answer, ideas))
        return answers

    def _first(self, question: Question) -> Ideas:
        data = question_data(question, truth=False)
        goal = str(data.pop("goal", ""))
        data.pop("replicate", None)
        kind = data.pop("kind")
        lines = tuple(f"{name}: {text}" for name, text in data.items() if text)
        return Ideas(
            _WANTED, f"{goal}\n\nThe question is one of {kind}.", lines, self.points, replicate=question.replicate
        )
