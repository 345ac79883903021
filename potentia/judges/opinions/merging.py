"""One answer out of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from potentia.judges.question import Answer, Question

__all__ = ["merged"]


def merged(question: Question, answers: Sequence[Answer], number: Callable[..., float]) -> Answer:
    """An answer with ``number(first, second, ...)`` for each number of the answers, which must all be valid.

    Args:
        question: The question.
        answers: Answers with as many numbers each.
        number: From one number of each answer to the number of all.

    Returns:
        The answer, at the cost of all. It is not valid, for the reason of the first that is not, if one is not.
    """
    cached = all(answer.cached for answer in answers)
    bad = next((answer for answer in answers if not answer.valid), None)
    if bad is not None:
        values = question.nothing("").values
        return Answer(values, False, reason=bad.reason, again=bad.again, wait=bad.wait).costing(*answers)
    values = tuple(number(*numbers) for numbers in zip(*(answer.values for answer in answers), strict=True))
    reason = "\n".join(answer.reason for answer in answers if answer.reason)
    return Answer(values, reason=reason, cached=cached).costing(*answers)
