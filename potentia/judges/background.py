"""A judge that is asked on a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from potentia.judges.json_form import answer_data, question_data, read_answer, read_question
from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question

__all__ = ["Background"]


class Background:
    """Puts questions to a judge on a thread of its own: the newest first, in batches.

    `submit` and `drain` never wait for the judge. What the agent sees now is asked before what it saw long ago, as in
    ONI (Zheng et al. 2024, arXiv 2410.23022). If more is submitted than the judge can answer, the oldest questions are
    dropped, and `dropped` counts them. The thread ends when there is nothing to ask, and the next question starts
    another. A copy, one from a pickle and one in a forked process have a thread of their own and ask what is pending
    again. What the judge raises becomes answers that are not valid.

    Args:
        judge: Who is asked.
        batch: How many questions it gets at once.
        backlog: How many questions may be pending.

    Attributes:
        dropped: How many questions were dropped so far.
        answered: How many were answered so far.

    Raises:
        ValueError: If ``batch`` or ``backlog`` is less than 1.

    >>> from potentia.judges import Progress, Rules
    >>> with Background(Rules()) as background:
    ...     background.submit([Progress("Leave.", "A door.", truth=(0.5,))])
    ...     background.wait(10.0)
    ...     [(question.state, answer.value) for question, answer in background.drain()]
    1
    True
    [('A door.', 0.5)]
    """

    def __init__(self, judge: Judge, *, batch: int = 64, backlog: int = 4096) -> None:
        for name, value in (("batch", batch), ("backlog", backlog)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        self.judge, self.batch, self.backlog = judge, batch, backlog
        self.dropped = self.answered = 0
        self._lock = Lock()
        self._pending: OrderedDict[Hashable, Question] = OrderedDict()  # the newest last
        self._asked: dict[Hashable, Question] = {}
        self._finished: list[tuple[Question, Answer]] = []
        self._worker: threading.Thread | None = None

    def submit(self, questions: Iterable[Question]) -> int:
        """Notes questions to be asked, the last of them first. One that is pending already moves to the front.

        Returns:
            How many of them were neither pending nor being asked.
        """
        new = 0
        with self._lock:
            for question in questions:
                key = (question, question.truth) if self.judge.reads_truth else question
                if key in self._asked:
                    continue
                new += key not in self._pending
                self._pending[key] = question
                self._pending.move_to_end(key)
            while len(self._pending) > self.backlog:
                self._pending.popitem(last=False)
                self.dropped += 1
            self._start()
        return new

    def drain(self) -> list[tuple[Question, Answer]]:
        """All that was answered since the last time, in the order in which answers came. The list may be empty."""
        with self._lock:
            self._start()
            finished, self._finished = self._finished, []
        return finished

    @property
    def pending(self) -> int:
        """How many questions wait for an answer."""
        with self._lock:
            return len(self._pending) + len(self._asked)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until nothing is pending, for so many seconds at most. Returns whether nothing is."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                self._start()
                worker = self._worker
            if worker is None:
                return True
            worker.join(None if end is None else max(0.0, end - time.monotonic()))
            if worker.is_alive():
                return False

    def close(self) -> None:
        """Drops what is pending, waits for the batch that is being asked, and closes the judge."""
        with self._lock:
            self._pending.clear()
        self.wait()
        self.judge.close()

    def state_dict(self) -> dict[str, Any]:
        """The questions that wait for an answer, and the answers that wait to be drained, as JSON."""
        with self._lock:
            pending = [question_data(question) for question in (*self._asked.values(), *self._pending.values())]
            finished = [[question_data(question), answer_data(answer)] for question, answer in self._finished]
        return {"pending": pending, "finished": finished}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned. What is pending now is dropped, and what is being asked is forgotten."""
        questions = [read_question(data) for data in state["pending"]]
        pairs = [(read_question(question), answer) for question, answer in state["finished"]]
        with self._lock:
            self._pending.clear()
            self._asked, self._worker = {}, None  # a worker that is at it sees that it was dismissed
            self._finished = [(question, read_answer(question, answer)) for question, answer in pairs]
        self.submit(questions)

    def __enter__(self) -> Background:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            pending = OrderedDict([*self._asked.items(), *self._pending.items()])
            finished = list(self._finished)
        fresh: dict[str, Any] = {"_pending": pending, "_asked": {}, "_finished": finished, "_worker": None}
        return self.__dict__ | fresh

    def _start(self) -> None:
        """Starts a worker if there is something to ask and none at it. In a forked process there is none."""
        if self._worker is not None and not self._worker.is_alive():
            self._pending = OrderedDict([*self._asked.items(), *self._pending.items()])
            self._asked, self._worker = {}, None
        if self._pending and self._worker is None:
            self._worker = threading.Thread(target=self._work, name=f"judge {self.judge.name}", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._lock:
                if self._worker is not me:
                    return
                keys = list(self._pending)[: -self.batch - 1 : -1]
                if not keys:
                    self._worker = None
                    return
                # In this order a fork in between finds each question somewhere.
                self._asked = {key: self._pending[key] for key in keys}
                for key in keys:
                    del self._pending[key]
                asked = list(self._asked.values())
            answers = _answers(self.judge, asked)
            with self._lock:
                if self._worker is not me:
                    return
                self._finished += zip(asked, answers, strict=True)
                self._asked = {}
                self.answered += len(asked)


def _answers(judge: Judge, questions: list[Question]) -> list[Answer]:
    """The judge's answers. They are not valid if it fails."""
    try:
        answers = judge.answer(questions)
        if len(answers) != len(questions):
            raise ValueError(f"the judge gave {len(answers)} answers to {len(questions)} questions")
    except Exception as error:
        return [question.nothing(f"{type(error).__name__}: {error}") for question in questions]
    return answers
