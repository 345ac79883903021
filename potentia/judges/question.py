"""What a judge can be asked, and what it answers: plain data, in texts and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

__all__ = ["Achieved", "Answer", "Forward", "Holds", "Ideas", "Prefers", "Progress", "Question"]


@dataclass(frozen=True)
class Question:
    """A question of one kind. Equal questions have equal texts, and one answer does for all of them.

    Attributes:
        truth: The world's own answer, where that is known: as many numbers as `size`. No judge but `Rules` reads it. It
            is what the others are measured by, and no part of what makes two questions equal.
        replicate: Which of several times this question is asked: a judge that draws its answers draws each apart.
    """

    truth: tuple[float, ...] | None = field(default=None, compare=False, kw_only=True)
    replicate: int = field(default=0, kw_only=True)

    low: ClassVar[float] = 0.0
    """The least number that an answer can have."""
    neutral: ClassVar[float] = 0.5
    """The number that says nothing."""

    @property
    def size(self) -> int:
        """How many numbers an answer has."""
        return 1

    @property
    def texts(self) -> dict[str, str | tuple[str, ...]]:
        """All that is asked, by name: the texts alone."""
        return {one.name: getattr(self, one.name) for one in fields(self) if not one.kw_only}

    def nothing(self, reason: str) -> Answer:
        """The answer of who can't say: neutral numbers, and ``valid`` is False."""
        return Answer((self.neutral,) * self.size, valid=False, reason=reason)


@dataclass(frozen=True)
class Achieved(Question):
    """Which of these subgoals did this step reach? A probability each.

    Attributes:
        subgoals: In words.
        before: What was seen before the step, "" to leave it out.
        action: What was done, "" to leave it out.
        after: What was seen after it.
        message: What the world said, "" to leave it out.
        goal: The whole task, in words.
    """

    subgoals: tuple[str, ...]
    before: str
    action: str
    after: str
    message: str = ""
    goal: str = ""

    @property
    def size(self) -> int:
        """One a subgoal."""
        return len(self.subgoals)


@dataclass(frozen=True)
class Prefers(Question):
    """Which of two texts is better for the goal? 1 for the first, -1 for the second, 0 for neither.

    Attributes:
        goal: What is to be done, in words.
        first: A state, an action or an answer.
        second: The other.
        context: Where both could follow, such as the page on which either action can be taken.
    """

    goal: str
    first: str
    second: str
    context: str = ""

    low: ClassVar[float] = -1.0
    neutral: ClassVar[float] = 0.0

    def swapped(self) -> Prefers:
        """The same question in the other order."""
        truth = None if self.truth is None else (-self.truth[0],)
        return replace(self, first=self.second, second=self.first, truth=truth)


@dataclass(frozen=True)
class Progress(Question):
    """How much of the way to the goal is done in this state? From 0 to 1.

    Attributes:
        goal: What is to be done, in words.
        state: The state, in words.
    """

    goal: str
    state: str


@dataclass(frozen=True)
class Forward(Question):
    """Is this action a step towards the goal? A probability.

    Attributes:
        goal: What is to be done, in words.
        before: The state, in words.
        action: What was done there.
        after: What it led to, "" to leave it out.
    """

    goal: str
    before: str
    action: str
    after: str = ""


@dataclass(frozen=True)
class Holds(Question):
    """Which of these criteria does a text meet? From 0, not at all, to 1, each.

    Attributes:
        criteria: Rubrics, rules or the items of a checklist, in words.
        text: What is judged.
        goal: What the text is for, in words.
    """

    criteria: tuple[str, ...]
    text: str
    goal: str = ""

    @property
    def size(self) -> int:
        """One a criterion."""
        return len(self.criteria)


@dataclass(frozen=True)
class Ideas(Question):
    """A request for a list of texts instead of numbers: subgoals of a task, criteria, rules.

    Attributes:
        wanted: What is asked for: "subgoals", "criteria" or "rules".
        goal: The task, in words.
        examples: What the list is to be drawn from, such as a state, or texts in pairs (better, worse).
        most: The longest list that is of use.
    """

    wanted: str
    goal: str
    examples: tuple[str, ...] = ()
    most: int = 8

    @property
    def size(self) -> int:
        """No numbers."""
        return 0


@dataclass(frozen=True)
class Answer:
    """What a judge says.

    Attributes:
        values: The numbers, `Question.size` of them, each between `Question.low` and 1.
        valid: Whether the judge said so. If not, the numbers are the question's neutral ones, which nobody may take for
            an opinion.
        texts: The list that `Ideas` asked for.
        reason: Why, in words: the judge's own, or why the answer is not valid.
        again: Whether it may help to ask again: a time-out, an overload.
        wait: How many seconds the server asked to wait before that.
        tokens_in: The tokens that were read for this answer. 0 where nothing was.
        tokens_out: The tokens that were written.
        cached: Whether it was looked up.
        calls: How many of a model's or a server's replies, or of a rule's results, it took.
        dollars: What it cost, where `potentia.judges.Budgeted` knows the prices.
    """

    values: tuple[float, ...] = ()
    valid: bool = True
    texts: tuple[str, ...] = ()
    reason: str = ""
    again: bool = False
    wait: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cached: bool = False
    calls: int = 1
    dollars: float = 0.0

    @property
    def value(self) -> float:
        """The first number."""
        return self.values[0]

    def costing(self, *answers: Answer) -> Answer:
        """This answer at the cost of these together: calls, tokens and dollars. At no cost if there are none."""
        return replace(self, **{name: sum(getattr(one, name) for one in answers) for name in COSTS})


COSTS = ("calls", "tokens_in", "tokens_out", "dollars")
"""What an answer costs, each an attribute of `Answer`."""

KINDS: dict[str, type[Question]] = {
    kind.__name__: kind for kind in (Achieved, Prefers, Progress, Forward, Holds, Ideas)
}
"""All kinds of questions by name."""


def checked(question: Question, answer: Answer) -> Answer:
    """The answer, if its numbers are what the question asks for.

    Raises:
        ValueError: If they are too few or too many, or out of range. The message says which.
    """
    values = answer.values
    if len(values) != question.size or not all(question.low <= value <= 1.0 for value in values):
        kind = type(question).__name__
        raise ValueError(
            f"an answer to {kind} must have {question.size} numbers in [{question.low:g}, 1], got {values}"
        )
    return answer


def unique(questions: Sequence[Question]) -> dict[Question, list[int]]:
    """Each question once, with the places where it is asked."""
    places: dict[Question, list[int]] = {}
    for place, question in enumerate(questions):
        places.setdefault(question, []).append(place)
    return places
