"""Beliefs over finitely many hypotheses, and what a question is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Question", "Vector", "entropy", "gain", "greedy", "posterior"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Question:
    """What can be asked, and how each hypothesis would be answered.

    Attributes:
        text: The command.
        replies: What may be answered, R of them.
        chances: The probability of each reply under each hypothesis, ``(R, N)``. A column adds up to 1.
    """

    text: str
    replies: tuple[str, ...]
    chances: Vector


def entropy(belief: Vector) -> float:
    """``-sum(p log p)`` in nats, of probabilities ``(N,)``.

    >>> round(entropy(np.array([0.5, 0.25, 0.25, 0.0])), 4)
    1.0397
    """
    some = belief[belief > 0]
    return max(0.0, float(-(some * np.log(some)).sum()))


def posterior(belief: Vector, chances: Vector) -> Vector:
    """``p(h | reply)``, proportional to ``p(h) p(reply | h)``.

    Args:
        belief: ``p(h)``, ``(N,)``.
        chances: ``p(reply | h)``, ``(N,)``.

    Raises:
        ValueError: If no hypothesis that is believed in allows for the reply.
    """
    joint = belief * chances
    total = joint.sum()
    if not total > 0:
        raise ValueError("the reply is impossible under each hypothesis that is believed in")
    return np.asarray(joint / total, np.float64)


def gain(belief: Vector, question: Question) -> float:
    """The expected fall of `entropy`: the mutual information of hypothesis and reply, in nats.

    >>> coin = Question("heads?", ("yes", "no"), np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> round(gain(np.array([0.5, 0.5]), coin), 4)
    0.6931
    """
    replies = question.chances @ belief
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(question.chances > 0, question.chances * np.log(question.chances), 0.0)
    return max(0.0, entropy(replies) + float(logs.sum(axis=0) @ belief))


def greedy(belief: Vector, questions: Sequence[Question]) -> Question:
    """The question of largest `gain`, the first of equal ones.

    Without noise that is the one whose reply is least certain. On product spaces it needs the fewest questions that can
    be expected.
    """
    gains = np.array([gain(belief, question) for question in questions])
    return questions[int(np.argmax(gains > gains.max() - 1e-12))]
