"""Who tells whether a text keeps a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from potentia.judges.judge import Judge
from potentia.judges.question import Answer, Holds, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper
from potentia.limits import check_at_least

__all__ = ["Concise", "Functions", "Predicate"]

Predicate = Callable[[str], bool]
"""From a text to whether it keeps a rule."""


class Functions(Judge):
    """Answers `Holds` by a function for each criterion.

    Args:
        functions: From a text to whether the criterion holds, by the criterion.
    """

    name = "functions"
    quick = True

    def __init__(self, functions: Mapping[str, Predicate]) -> None:
        self.functions = dict(functions)

    @property
    def identity(self) -> dict[str, Any]:
        """The functions by name."""
        return super().identity | {
            name: f"{function.__module__}:{function.__qualname__}" for name, function in self.functions.items()
        }

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """1 for a criterion that holds, 0 for one that does not."""
        answers = [self._one(question) for question in questions]
        invalid = sum(not answer.valid for answer in answers)
        self._spend(Usage(questions=len(answers), calls=len(answers), invalid=invalid))
        return answers

    def _one(self, question: Question) -> Answer:
        if not isinstance(question, Holds) or not set(question.criteria) <= set(self.functions):
            return question.nothing(f"there are functions for the criteria {sorted(self.functions)} alone")
        return Answer(tuple(float(self.functions[one](question.text)) for one in question.criteria))


class Concise(Wrapper):
    """A text of more than so many words meets no criterion.

    Args:
        judge: Who tells of shorter texts.
        words: The most words.

    Raises:
        ValueError: If ``words`` is less than 1.
    """

    def __init__(self, judge: Judge, words: int) -> None:
        super().__init__(judge)
        check_at_least(1, words=words)
        self.words = words

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside, and the limit."""
        return {"judge": "Concise", "of": self.judge.identity, "words": self.words}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the judge inside, zeros for long texts."""
        return [
            replace(answer, values=(0.0,) * question.size)
            if answer.valid and isinstance(question, Holds) and len(question.text.split()) > self.words
            else answer
            for question, answer in zip(questions, self.judge.answer(questions), strict=True)
        ]
