"""What a judge has answered: asked while learning, looked up while shaping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from potentia.judges import Answer, Ideas, Judge, Question
from potentia.judges.question import COSTS, checked
from potentia.shaping.judged.quality import Quality
from potentia.state import Stateful

_OF_IDEAS = ("known", "asked", "answered", "cached", "invalid", *COSTS)


class Answers(Stateful):
    """A judge's answers by question. A question is asked once, in `ask`, and `get` never waits.

    An answer that is not valid is no knowledge: the question stays unknown. It is asked again, ``tries`` times in all,
    or for ever where the judge says that asking again may help.

    A judge that is quick, such as `potentia.judges.Rules`, is asked in `get` itself and nothing is kept.

    Args:
        judge: Who is asked. It may take as long as it likes.
        questions: How many new questions one call of `ask` puts at most: the last ones, which are the newest.
        background: Ask through `potentia.judges.Background`. Then `ask` does not wait either: it hands new questions
            over and takes what was answered meanwhile.
        tries: How often a question is asked that gets no valid answer.

    Attributes:
        judge: The judge.
        quality: How well its answers agree with the world's truth, where that is known.
        arrived: The questions that the last `ask` got valid answers to, and these.

    Raises:
        TypeError: If ``judge`` is no `potentia.judges.Judge`.
        ValueError: If ``questions`` or ``tries`` is less than 1.

    >>> from potentia.judges import Progress, Rules
    >>> class Slow(Rules):
    ...     quick = False
    >>> answers = Answers(Slow(lambda question: (0.25,)))
    >>> question = Progress("Leave.", "A room with a door.")
    >>> answers.get(question), answers.ask([question, question])["asked"], answers.get(question)
    (None, 1.0, (0.25,))
    """

    def __init__(self, judge: Judge, questions: int = 256, *, background: bool = False, tries: int = 3) -> None:
        if not isinstance(judge, Judge):
            raise TypeError(
                f"a judge must be a potentia.judges.Judge, got {type(judge).__name__}; make one of a function of a "
                "question by potentia.judges.Rules(function)"
            )
        if questions < 1 or tries < 1:
            raise ValueError(f"questions and tries must be at least 1, got {questions} and {tries}")
        self.judge, self.quality = judge, Quality()
        self._most, self._tries = questions, tries
        self._known: dict[str, list[Any]] = {}
        self._failed: dict[str, int] = {}
        self.arrived: list[tuple[Question, tuple[Any, ...]]] = []
        self.saved = ("_known", "_failed", "quality")
        if background:
            from potentia.judges import Background  # noqa: PLC0415 - it starts threads

            self._background = Background(judge)
            self.saved = (*self.saved, "_background")

    def get(self, question: Question) -> tuple[Any, ...] | None:
        """The numbers of the answer, or the texts for `potentia.judges.Ideas`. None if there is no answer yet."""
        if self.judge.quick:
            [answer] = self.judge.answer([question])
            return _content(question, answer) if answer.valid else None
        known = self._known.get(self._key(question))
        return None if known is None else tuple(known)

    def ask(self, questions: Iterable[Question]) -> dict[str, float]:
        """Asks what is not known.

        Returns:
            ``known``, the share of the different questions that had an answer before. ``asked``: how many were put.
            ``answered``: how many answers came, and of those ``cached``: how many the judge looked up, and ``invalid``:
            how many were not valid. ``calls``, ``tokens_in``, ``tokens_out`` and ``dollars``: what the answers took
            that were not looked up. And `Quality.metrics`, of all questions so far.

        Raises:
            ValueError: If an answer's numbers are not what the question asks for.
        """
        listed = list(questions)
        wanted = {self._key(question): question for question in listed}
        new = [key for key in wanted if key not in self._known and self._failed.get(key, 0) < self._tries]
        known = 1.0 - sum(key not in self._known for key in wanted) / len(wanted) if wanted else 1.0
        if self.judge.quick:
            pairs = list(zip(wanted.values(), self.judge.answer(list(wanted.values())), strict=True))
            found = {self._key(one): _content(one, answer) for one, answer in pairs if answer.valid}
            known = len(found) / len(wanted) if wanted else 1.0
        else:
            pairs = self._put([wanted[key] for key in new[-self._most :]])
            for question, answer in pairs:
                self._take(question, answer)
            found = {key: tuple(self._known[key]) for key in wanted if key in self._known}
        self.arrived = [(one, _content(one, answer)) for one, answer in pairs if answer.valid]
        for question in listed:
            if (values := found.get(self._key(question))) is not None:
                self.quality.add(question, values)
        fresh = [answer for _, answer in pairs if not answer.cached]
        return {
            "known": known,
            "asked": float(len(pairs) if self.judge.quick else min(len(new), self._most)),
            "answered": float(len(pairs)),
            "cached": float(len(pairs) - len(fresh)),
            "invalid": float(sum(not answer.valid for _, answer in pairs)),
            **{name: float(sum(getattr(answer, name) for answer in fresh)) for name in COSTS},
            **self.quality.metrics,
        }

    def _put(self, questions: list[Question]) -> list[tuple[Question, Answer]]:
        if "_background" not in self.saved:
            return list(zip(questions, self.judge.answer(questions), strict=True)) if questions else []
        self._background.submit(questions)
        return self._background.drain()

    def _take(self, question: Question, answer: Answer) -> None:
        key = self._key(question)
        if answer.valid:
            self._known[key] = list(_content(question, answer))
            self._failed.pop(key, None)
        elif not answer.again:
            self._failed[key] = self._failed.get(key, 0) + 1

    def _key(self, question: Question) -> str:
        return _digest(question, question.truth if self.judge.reads_truth else None)


def truth_columns(judge: Judge, column: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a contract reads, and what it measures with, because of the info column that holds the world's truth.

    A judge that answers by the truth needs the column. Any other is only measured by it, where it is there.
    """
    known = frozenset({f"info:{column}"})
    return (known, frozenset()) if judge.reads_truth else (frozenset(), known)


def of_ideas(found: Mapping[str, float]) -> dict[str, float]:
    """What `Answers.ask` returned for `Ideas`, as metrics beside those of the questions proper."""
    return {f"ideas_{name}": found[name] for name in _OF_IDEAS}


def _content(question: Question, answer: Answer) -> tuple[Any, ...]:
    return answer.texts if isinstance(question, Ideas) else checked(question, answer).values


@lru_cache(maxsize=1 << 16)
def _digest(question: Question, truth: tuple[float, ...] | None) -> str:
    # As JSON, so that ("ab", "c") and ("a", "bc") differ; hashed, because pages are long.
    data = json.dumps([type(question).__name__, question.texts, truth])
    return hashlib.blake2b(data.encode("utf-8", "replace"), digest_size=16).hexdigest()
