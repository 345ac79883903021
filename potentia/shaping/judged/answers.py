"""What a slow judge has answered: asked while learning, looked up while shaping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

from potentia.state import Stateful


class Answers(Stateful):
    """A judge's answers by question, so that a question is asked once and looking it up never waits.

    Args:
        judge: From the texts of a question to a number in ``[low, high]``. It may take as long as it likes.
        low: The least that it may answer.
        high: The most.
        limit: How many new questions one call of `ask` puts at most.

    Raises:
        ValueError: If ``limit`` is less than 1.
    """

    saved = ("_known",)

    def __init__(self, judge: Callable[..., float], low: float, high: float, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"questions must be at least 1, got {limit}")
        self._judge, self._low, self._high, self._limit = judge, low, high, limit
        self._known: dict[str, float] = {}

    def get(self, question: tuple[str, ...]) -> float | None:
        """The answer, or None if the question was not asked yet."""
        return self._known.get(_key(question))

    def ask(self, questions: Iterable[tuple[str, ...]]) -> dict[str, float]:
        """Asks what is not known. Returns ``known``, the share that was known before, and ``asked``, how many were put.

        Raises:
            ValueError: If an answer is not a number in the range.
        """
        wanted = {_key(question): question for question in questions}
        new = [key for key in wanted if key not in self._known]
        for key in new[: self._limit]:
            answer = float(self._judge(*wanted[key]))
            if not self._low <= answer <= self._high:
                raise ValueError(f"a judge must answer with a number in [{self._low}, {self._high}], got {answer}")
            self._known[key] = answer
        share = 1.0 - len(new) / len(wanted) if wanted else 1.0
        return {"known": share, "asked": float(min(len(new), self._limit))}


def _key(question: tuple[str, ...]) -> str:
    # As JSON, so that ("ab", "c") and ("a", "bc") differ; hashed, because pages are long.
    return hashlib.blake2b(json.dumps(question).encode(), digest_size=16).hexdigest()
