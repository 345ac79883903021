"""The least that a judge can do: count words."""

from __future__ import annotations

import re

from potentia.judges.question import Achieved, Forward, Holds, Prefers, Progress, Question

__all__ = ["word_overlap"]


def word_overlap(question: Question) -> tuple[float, ...] | None:
    """The share of the words of the goal, subgoal or criterion that are in the text: a judge by `Rules`.

    `Prefers` is the difference of two shares. It is what a model must beat to have understood anything.

    >>> from potentia.judges import Holds
    >>> word_overlap(Holds(("the door is open", "you sleep"), "You open the door."))
    (0.75, 0.5)
    """
    match question:
        case Achieved(subgoals, _, _, after, message):
            return tuple(_share(subgoal, f"{message} {after}") for subgoal in subgoals)
        case Prefers(goal, first, second):
            return (_share(goal, first) - _share(goal, second),)
        case Progress(goal, state):
            return (_share(goal, state),)
        case Forward(goal, _, action, after):
            return (_share(goal, f"{action} {after}"),)
        case Holds(criteria, text):
            return tuple(_share(criterion, text) for criterion in criteria)
    return None


def _share(wanted: str, text: str) -> float:
    words, found = (set(re.findall(r"\w+", part.casefold())) for part in (wanted, text))
    return len(words & found) / len(words) if words else 0.0
