"""How far a judge's numbers agree with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from potentia.judges.probes.finding import Finding, found
from potentia.judges.question import Answer, Question

__all__ = ["calibration"]

Array = np.ndarray[Any, Any]


def calibration(questions: Sequence[Question], answers: Sequence[Answer]) -> list[Finding]:
    """Calibration error, mean error, right decisions and right order of answers to questions with a truth.

    Numbers of all kinds are stretched to [0, 1] first. The expected calibration error is ``sum over ten bins of
    (share of answers in the bin) |mean answer - mean truth|`` (Guo et al. 2017, arXiv 1706.04599). A decision is 1 from
    1/2 on. A truth of exactly 1/2 asks for none. The order is that of all pairs of one kind of question with different
    truths: 1 if the answers stand in it, 1/2 if they are equal.

    Args:
        questions: Questions with a truth.
        answers: Their answers.
    """
    rows = []
    for question, answer in zip(questions, answers, strict=True):
        if answer.valid and question.truth is not None:
            span, kind = 1.0 - question.low, type(question).__name__
            for value, right in zip(answer.values, question.truth, strict=True):
                rows.append((kind, (value - question.low) / span, (right - question.low) / span))
    kinds = np.array([row[0] for row in rows])
    guess, truth = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    bins = np.minimum((guess * 10).astype(int), 9)
    gaps = [abs(float((guess - truth)[bins == one].sum())) for one in set(bins.tolist())]
    decided = truth != 0.5
    decisions = ((guess >= 0.5) == (truth >= 0.5))[decided].astype(float)
    order = [
        one for kind in sorted(set(kinds.tolist())) for one in _ordered(guess[kinds == kind], truth[kinds == kind])
    ]
    return [
        found("calibration error", 0.0, [sum(gaps) / len(rows)] if rows else [], answers),
        found("mean error", 0.0, abs(guess - truth).tolist(), answers),
        found("right decisions", 1.0, decisions.tolist(), answers),
        found("right order", 1.0, order, answers),
    ]


def _ordered(guess: Array, truth: Array) -> list[float]:
    one, other = np.nonzero(truth[:, None] > truth[None, :])
    order: list[float] = ((np.sign(guess[one] - guess[other]) + 1.0) / 2.0).tolist()
    return order
