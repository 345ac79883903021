"""Who answers: the one class that all judges share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from potentia.judges.json_form import digest, question_data
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question, checked
from potentia.judges.usage import Usage
from potentia.objects import Recorded

__all__ = ["Judge", "Rules"]

_COUNTING = Lock()


class Judge(Recorded, ABC):
    """Answers questions, in batches.

    A judge never raises for what a question says, nor for a server that fails: such an answer is
    `potentia.judges.question.Question.nothing`, with ``valid`` False and the reason. It raises for what the caller did
    wrong. It may be slow: ask it where waiting does no harm, or through `potentia.judges.Background`.

    Attributes:
        name: What it is called in records and reports: with the model and the version of its prompts.
        reads_truth: Whether its answers come from a question's ``truth``, so that whoever asks must know that.
        quick: Whether an answer takes no longer than looking it up, so that it may be asked at any moment.
    """

    name: str = ""
    reads_truth: bool = False
    quick: bool = False
    _usage: Usage = Usage()

    @abstractmethod
    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each question, in their order."""

    @property
    def identity(self) -> dict[str, Any]:
        """All but the question that decides an answer, as JSON: the model, the prompts, the sampling."""
        return {"judge": type(self).__name__, "name": self.name}

    def key(self, question: Question) -> str:
        """The name of a question put to this judge: SHA-256 of the canonical JSON of `identity` and question."""
        return digest([self.identity, question_data(question, truth=self.reads_truth)])

    @property
    def usage(self) -> Usage:
        """What its answers have cost so far, in this process."""
        return self._usage

    def most(self, question: Question) -> Usage:
        """The most that an answer to this question can cost."""
        del question
        return Usage(questions=1, calls=1)

    def _spend(self, usage: Usage) -> None:
        with _COUNTING:
            self._usage = self._usage + usage

    def close(self) -> None:
        """Gives back connections, threads and files. The judge can't be asked afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Rules(Judge):
    """A judge that knows: the world's symbolic truth, or a rule of your own.

    Args:
        rule: From a question, of which it reads the texts alone, to its numbers, or None if it can't say. It must be
            fast. Without a rule the answer is the question's ``truth``, which worlds give that know it.
        name: What it is called.

    >>> from potentia.judges.question import Progress
    >>> length = Rules(lambda question: (min(len(question.state) / 10, 1.0),))
    >>> [answer.value for answer in length.answer([Progress("Write.", "abc"), Progress("Write.", "")])]
    [0.3, 0.0]
    """

    quick = True

    def __init__(
        self, rule: Callable[[Question], Sequence[float] | None] | None = None, *, name: str = "rules"
    ) -> None:
        self.rule, self.name, self.reads_truth = rule, name, rule is None

    @property
    def identity(self) -> dict[str, Any]:
        """The name, and that of the rule's function: functions of one name must be one function."""
        rule = self.rule
        function = rule if rule is None or hasattr(rule, "__qualname__") else type(rule)
        return super().identity | {"rule": function and f"{function.__module__}:{function.__qualname__}"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The numbers of the rule.

        Raises:
            ValueError: If it gives other numbers than the question asks for.
        """
        answers = []
        for question in questions:
            values = question.truth if self.rule is None else self.rule(question)
            if values is None:
                answers.append(question.nothing("the truth of this is not known" if self.rule is None else "no rule"))
            else:
                answers.append(checked(question, Answer(tuple(float(value) for value in values))))
        silent = sum(not answer.valid for answer in answers)
        self._spend(Usage(questions=len(answers), calls=len(answers), invalid=silent))
        return answers
