"""A judge that is not asked faster than its server allows."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question
from potentia.judges.wrapper import Wrapper

__all__ = ["Limited"]


class Limited(Wrapper):
    """Waits, so that calls and tokens stay within what may be used in a minute.

    Two buckets fill steadily, up to ``burst`` seconds' worth. A batch is asked in parts, each as large as the bucket of
    calls allows, while there are tokens. What a part really used is taken out afterwards, and a bucket may owe: then
    the next part waits until it is out of debt. So the rates hold from the second part on, whatever an answer takes.
    They hold in this process: give each of several processes its share.

    Args:
        judge: Who is asked.
        calls_per_minute: Replies in a minute. None is no limit.
        tokens_per_minute: Tokens, read and written, in a minute. None is no limit.
        burst: How many seconds' worth may be used at once, after a rest.

    Raises:
        ValueError: If a rate or ``burst`` is not positive.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        calls_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        burst: float = 1.0,
    ) -> None:
        super().__init__(judge)
        self.quick = False
        rates = {"calls_per_minute": calls_per_minute, "tokens_per_minute": tokens_per_minute, "burst": burst}
        for name, rate in rates.items():
            if rate is not None and not rate > 0:
                raise ValueError(f"{name} must be positive, got {rate}")
        self.calls_per_minute, self.tokens_per_minute, self.burst = calls_per_minute, tokens_per_minute, burst
        self._calls, self._tokens = _Bucket(calls_per_minute, burst), _Bucket(tokens_per_minute, burst)
        self._lock = Lock()

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the judge inside, after waiting."""
        answers: list[Answer] = []
        with self._lock:
            while len(answers) < len(questions):
                now = time.monotonic()
                wait = max(self._calls.wait(1.0, now), self._tokens.wait(1.0, now))
                if wait > 0:
                    time.sleep(wait + 1e-3)  # rounded up: a rest that is less than the clock's step is no rest
                    continue
                size = min(self._calls.level, float(len(questions)))
                some = questions[len(answers) : len(answers) + max(1, math.floor(size))]
                before = self.judge.usage
                answers += self.judge.answer(some)
                used = self.judge.usage - before
                self._calls.level -= used.calls
                self._tokens.level -= used.tokens
        return answers


class _Bucket:
    """What may be used now: it fills with time, and may be below 0."""

    def __init__(self, per_minute: float | None, burst: float) -> None:
        self.rate = math.inf if per_minute is None else per_minute / 60.0
        self.most = max(1.0, self.rate * burst)
        self.level, self.filled = self.most, 0.0

    def wait(self, amount: float, now: float) -> float:
        """Fills, and says how many seconds are left until there is so much."""
        if math.isinf(self.rate):
            self.level = math.inf
            return 0.0
        self.level = min(self.most, self.level + self.rate * (now - self.filled))
        self.filled = now
        return max(0.0, (amount - self.level) / self.rate)
