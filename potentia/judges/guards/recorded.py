"""A judge's answers as lines of a file, and a judge that reads them back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from potentia.judges.json_form import answer_data, canonical, digest, question_data, read_answer, read_question
from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper

__all__ = ["Recorded", "Recording"]


class Recording(Wrapper):
    """Writes each question and answer of a judge as a line of JSON: ``{"judge", "question", "answer", "seconds"}``.

    The answer has the tokens, whether it was looked up and whether it is valid. ``seconds`` is the time that its batch
    took, in equal shares. Several processes may write one file: each batch is one write at its end.

    Args:
        judge: Who is asked.
        path: The file, which `Recorded` replays. New lines are added to it.
    """

    def __init__(self, judge: Judge, path: str | Path) -> None:
        super().__init__(judge)
        self.quick = False
        self.path = Path(path)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the judge inside.

        Raises:
            OSError: If the file can't be written.
        """
        start = time.perf_counter()
        answers = self.judge.answer(questions)
        seconds = round((time.perf_counter() - start) / max(len(answers), 1), 6)
        lines = [
            json.dumps(
                {
                    "judge": self.name,
                    "question": question_data(question),
                    "answer": answer_data(answer),
                    "seconds": seconds,
                }
            )
            for question, answer in zip(questions, answers, strict=True)
        ]
        if lines:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab", buffering=0) as file:
                file.write(("\n".join(lines) + "\n").encode("ascii"))
        return answers


class Recorded(Judge):
    """Answers as a recording says, bit for bit: for tests, and for a paper that others can run without a model.

    A question that was recorded several times gets its answers in turn, and after the last of them that one again. A
    question that was never recorded gets an answer that is not valid and says so.

    Args:
        path: A file of `Recording`.

    Raises:
        ValueError: ``"<path>:<line>: <what is wrong>"``.
        OSError: If it can't be read.

    >>> import tempfile
    >>> from potentia.judges import Progress, Rules
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> _ = Recording(Rules(lambda question: (1 / 3,)), path).answer([Progress("Go.", "Here.")])
    >>> [answer.value for answer in Recorded(path).answer([Progress("Go.", "Here."), Progress("Go.", "There.")])]
    [0.3333333333333333, 0.5]
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = Lock()
        self._answers: dict[str, list[Answer]] = {}
        self._next: dict[str, int] = {}
        names: dict[str, None] = {}
        for name, question, answer in _read(self.path):
            names[name] = None
            self._answers.setdefault(_key(question), []).append(answer)
        self.name = "recorded " + ", ".join(names) if names else "recorded"

    @property
    def identity(self) -> dict[str, Any]:
        """The name, and a digest of all that is recorded."""
        answers = {key: [answer_data(answer) for answer in answers] for key, answers in self._answers.items()}
        return super().identity | {"answers": digest(answers)}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """What was recorded."""
        answers = []
        with self._lock:
            for question in questions:
                key = _key(question)
                known = self._answers.get(key)
                if known is None:
                    answers.append(question.nothing(f"{self.path} has no answer to this question").costing())
                    continue
                place = self._next.get(key, 0)
                self._next[key] = min(place + 1, len(known) - 1)
                answers.append(known[place])
        self._spend(Usage(questions=len(answers), invalid=sum(not answer.valid for answer in answers)))
        return answers


def _key(question: Question) -> str:
    return canonical(question_data(question, truth=False))


def _read(path: Path) -> Iterator[tuple[str, Question, Answer]]:
    # Not splitlines(): it would also cut at the line separators that JSON leaves inside strings.
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not {"question", "answer"} <= set(row):
                raise ValueError("a line must be an object with the keys 'question' and 'answer'")
            question = read_question(row["question"])
            yield str(row.get("judge", "")), question, read_answer(question, row["answer"])
        except (ValueError, RecursionError, AttributeError) as error:
            raise ValueError(f"{path}:{number}: {error}; a recording is written by Recording") from error
