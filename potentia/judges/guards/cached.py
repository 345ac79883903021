"""A judge that is asked each question once."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from potentia.judges.guards.store import Store
from potentia.judges.json_form import answer_data, canonical, digest, question_data, read_answer
from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper

__all__ = ["Cached"]


class Cached(Wrapper):
    """Looks answers up by SHA-256 of judge and question, and asks the judge inside only for what is new.

    The key is that of `Judge.key`: the judge's name and model, the version of its prompts, the sampling, and all the
    texts of the question. So another model or prompt finds none of these answers. A question that is asked twice in a
    batch is put once. Only valid answers are kept: what failed is asked again. An answer that was looked up has
    ``cached=True`` and cost nothing.

    Args:
        judge: Who is asked.
        path: A SQLite file of JSON texts, which several processes may use at a time, and which can be given to others
            with a paper. It must lie on a local disk. Without it answers are kept in memory.
        limit: How many answers are kept in memory. Those that were used least recently go first.

    Raises:
        ValueError: If ``limit`` is less than 1. While it answers, if the file is no cache.

    >>> from potentia.judges import Progress, Rules
    >>> judge = Cached(Rules(lambda question: (0.25,)))
    >>> [answer.cached for answer in judge.answer([Progress("Go.", "Here."), Progress("Go.", "Here.")])]
    [False, True]
    >>> judge.usage.calls, judge.usage.cached
    (1, 1)
    """

    def __init__(self, judge: Judge, path: str | Path | None = None, *, limit: int = 100_000) -> None:
        super().__init__(judge)
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit}")
        self.path, self.limit, self.quick = path, limit, judge.quick and path is None
        self._store = None if path is None else Store(Path(path))
        self._lock = Lock()
        self._memory: OrderedDict[str, Answer] = OrderedDict()

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers that are known, and new ones for the rest.

        Raises:
            ValueError: If the file is no cache.
        """
        identity = self.identity
        keys = [digest([identity, question_data(question, truth=self.reads_truth)]) for question in questions]
        by_key = dict(zip(keys, questions, strict=True))
        known = self._read(by_key)
        new = {key: question for key, question in by_key.items() if key not in known}
        fresh = dict(zip(new, self.judge.answer(list(new.values())), strict=True)) if new else {}
        known |= self._keep(fresh, by_key)
        answers = [fresh.pop(key) if key in fresh else known[key] for key in keys]
        spared = len(questions) - len(new)
        self._spend(Usage(questions=spared, cached=sum(answer.cached for answer in answers)))
        return answers

    def close(self) -> None:
        """Closes the file and the judge inside."""
        if self._store is not None:
            self._store.close()
        super().close()

    def _read(self, questions: Mapping[str, Question]) -> dict[str, Answer]:
        """What is known of these, by key."""
        known: dict[str, Answer] = {}
        if self._store is None:
            for key in questions:
                with self._lock:
                    if key in self._memory:
                        self._memory.move_to_end(key)
                        known[key] = self._memory[key]
        else:
            for key, text in self._store.read(list(questions)).items():
                known[key] = replace(read_answer(questions[key], json.loads(text)), cached=True).costing()
        return known

    def _keep(self, fresh: dict[str, Answer], questions: Mapping[str, Question]) -> dict[str, Answer]:
        """Keeps the valid ones of new answers. Returns all of them as they are looked up."""
        looked_up = {key: replace(one, cached=one.valid).costing() for key, one in fresh.items()}
        valid = [key for key, answer in fresh.items() if answer.valid]
        if self._store is None:
            with self._lock:
                self._memory |= {key: looked_up[key] for key in valid}
                while len(self._memory) > self.limit:
                    self._memory.popitem(last=False)
            return looked_up
        judge, bare = (
            canonical(self.judge.identity),
            {key: replace(looked_up[key], cached=False, calls=1) for key in valid},
        )
        rows = {key: (question_data(questions[key]), answer_data(bare[key])) for key in valid}
        self._store.write({key: (judge, canonical(asked), canonical(answer)) for key, (asked, answer) in rows.items()})
        for key, answer in self._read({key: questions[key] for key in valid}).items():
            if answer.values != fresh[key].values:  # another process was first: all have its answer from now on
                fresh[key] = replace(fresh[key], values=answer.values, texts=answer.texts, reason=answer.reason)
            looked_up[key] = answer
        return looked_up
