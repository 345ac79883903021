"""A judge around another."""

from __future__ import annotations

from typing import Any

from potentia.judges.judge import Judge
from potentia.judges.question import Question
from potentia.judges.usage import Usage

__all__ = ["Wrapper"]


class Wrapper(Judge):
    """A judge that asks another: what it is called, what it costs and what it reads are the other's.

    Subclasses implement `answer`, and `identity` if their answers may be others than those of the judge inside.

    Args:
        judge: The judge inside.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.name, self.reads_truth, self.quick = judge.name, judge.reads_truth, judge.quick

    @property
    def identity(self) -> dict[str, Any]:
        """That of the judge inside."""
        return self.judge.identity

    @property
    def usage(self) -> Usage:
        """What the judge inside has cost, and what was spared or spent around it."""
        return self.judge.usage + self._usage

    def most(self, question: Question) -> Usage:
        """That of the judge inside."""
        return self.judge.most(question)

    def close(self) -> None:
        """Closes the judge inside."""
        self.judge.close()
