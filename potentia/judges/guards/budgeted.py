"""A judge that stops before it has spent more than it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.question import Answer, Question
from potentia.judges.usage import Usage
from potentia.judges.wrapper import Wrapper
from potentia.limits import check_at_least

__all__ = ["BudgetError", "Budgeted"]


class BudgetError(RuntimeError):
    """Nothing is left of a judge's budget."""


class Budgeted(Wrapper):
    """Asks only while the worst that can come of it is within the budget: in calls, tokens and dollars.

    ``spent + sum of most(question) <= budget`` holds for what is asked at once, where ``most`` is the judge's own bound
    of what an answer can cost. What an answer really took counts afterwards, and what it did not take is free again. So
    the budget is never exceeded, and a little of it may be left. It counts from when this object was made, in this
    process: give each of several processes its share.

    Args:
        judge: Who is asked. Calls and tokens are those of `Judge.usage`, so this one may stand anywhere around the one
            that costs.
        calls: How many replies may be asked for.
        tokens: How many tokens may be read and written, in all.
        dollars: How much may be paid.
        prices: Dollars for a million tokens that are read, and for a million that are written.
        when_spent: What a question gets that the budget does not allow. ``"neutral"``: an answer that is not valid and
            says so. ``"raise"``: the first call for which nothing is left raises `BudgetError`.

    Raises:
        ValueError: If no budget is set, one is negative, or dollars come without prices.

    >>> from potentia.judges import Progress, Rules
    >>> judge = Budgeted(Rules(lambda question: (1.0,)), calls=2)
    >>> [answer.value for answer in judge.answer([Progress("Go.", str(place)) for place in range(3)])]
    [1.0, 1.0, 0.5]
    """

    def __init__(
        self,
        judge: Judge,
        *,
        calls: int | None = None,
        tokens: int | None = None,
        dollars: float | None = None,
        prices: tuple[float, float] | None = None,
        when_spent: Literal["neutral", "raise"] = "neutral",
    ) -> None:
        super().__init__(judge)
        self.quick = False  # each question costs: it is not asked at every moment
        check_at_least(0, calls=calls, tokens=tokens, dollars=dollars)
        if calls is None and tokens is None and dollars is None:
            raise ValueError("a budget must have a limit: give calls, tokens or dollars")
        if dollars is not None and prices is None:
            raise ValueError("a budget in dollars needs prices: (for a million tokens read, for a million written)")
        if when_spent not in ("neutral", "raise"):
            raise ValueError(f"when_spent must be 'neutral' or 'raise', got {when_spent!r}")
        self.calls, self.tokens, self.dollars, self.prices = calls, tokens, dollars, prices
        self.when_spent = when_spent
        self._before = judge.usage
        self._lock = Lock()

    @property
    def usage(self) -> Usage:
        """What the judge inside has cost, with the dollars of what it cost since this object was made."""
        usage = super().usage
        return replace(usage, dollars=usage.dollars + self._dollars(self.judge.usage - self._before))

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers of the judge inside, as far as the budget goes.

        Raises:
            BudgetError: If nothing is left and ``when_spent`` is ``"raise"``.
        """
        answers: list[Answer] = []
        with self._lock:
            while len(answers) < len(questions):
                affordable = self._affordable(questions[len(answers) :])
                if not affordable:
                    break
                answers += map(self._priced, self.judge.answer(affordable))
        rest = questions[len(answers) :]
        if rest and not answers and self.when_spent == "raise":
            raise BudgetError(f"the budget of {self.name} is spent: {self._limits()}")
        reason = f"the budget is spent: {self._limits()}" if rest else ""
        self._spend(Usage(questions=len(rest), invalid=len(rest)))
        return answers + [question.nothing(reason).costing() for question in rest]

    def _affordable(self, questions: Sequence[Question]) -> Sequence[Question]:
        """As many of the first questions as fit, whatever their answers cost."""
        spent = self.judge.usage - self._before
        for place, question in enumerate(questions):
            spent = spent + self.judge.most(question)
            pairs = (
                (spent.calls, self.calls),
                (spent.tokens, self.tokens),
                (self._dollars(spent), self.dollars),
            )
            if any(limit is not None and amount > limit for amount, limit in pairs):
                return questions[:place]
        return questions

    def _priced(self, answer: Answer) -> Answer:
        own = self._dollars(Usage(tokens_in=answer.tokens_in, tokens_out=answer.tokens_out))
        return replace(answer, dollars=answer.dollars + own) if own else answer

    def _dollars(self, usage: Usage) -> float:
        read, written = self.prices or (0.0, 0.0)
        return (usage.tokens_in * read + usage.tokens_out * written) / 1e6

    def _limits(self) -> str:
        limits = {"calls": self.calls, "tokens": self.tokens, "dollars": self.dollars}
        return ", ".join(f"{limit:g} {name}" for name, limit in limits.items() if limit is not None)
