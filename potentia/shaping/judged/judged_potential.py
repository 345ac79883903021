"""A judge's opinion of states as a potential: a bad one can slow learning, and cannot change what is optimal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.judges import Judge, Progress, Question
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, each_step, text_column
from potentia.shaping.judged.answers import Answers, truth_columns
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential

Asked = Callable[[int, int], Question]
"""The question about the state at step t of environment b."""


class JudgedStates(Potential):
    """The mean number of a judge's answer about a state in words, ``unknown`` while there is none.

    Subclasses say what is asked (`asked`), what that reads, and which column holds the truth.

    Args:
        judge: Who is asked, in `update` only.
        reads: The columns that a question is made of.
        truth: The info column that the truth is made of.
        unknown: The value of a state of which nothing is known yet.
        questions: As for `potentia.shaping.judged.answers.Answers`.
        background: As there.
    """

    changes = True
    saved = ("answers",)

    def __init__(
        self, judge: Judge, reads: frozenset[str], truth: str, unknown: float, questions: int, background: bool
    ) -> None:
        self.answers = Answers(judge, questions, background=background)
        known, self.measures = truth_columns(judge, truth)
        self.unknown, self.reads = unknown, reads | known

    def asked(self, rollout: Rollout, prefix: str, reader: str) -> Asked:
        """What is asked of ``obs`` (prefix ``""``) or ``next_obs`` (prefix ``"next_"``)."""
        raise NotImplementedError(f"{type(self).__name__} must implement asked(rollout, prefix, reader)")

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        asked = self.asked(rollout, prefix, reader)

        def value(t: int, b: int) -> tuple[float]:
            numbers = self.answers.get(asked(t, b))
            return (self.unknown if numbers is None else sum(numbers) / len(numbers),)

        return as_column("a judge's answer", each_step(rollout, value, 1)[..., 0], rollout)

    def update(self, rollout: Rollout) -> dict[str, Any]:
        """Asks about the states that are not known. Returns what `Answers.ask` returns."""
        return self.ask(rollout, ("", "next_"))

    def ask(self, rollout: Rollout, prefixes: Sequence[str]) -> dict[str, Any]:
        """The same for ``obs``, ``next_obs`` or both."""
        steps = np.argwhere(host_array(rollout.mask)).tolist()

        def questions() -> Iterator[Question]:
            makers = [self.asked(rollout, prefix, "a judge") for prefix in prefixes]
            for t, b in steps:
                yield from (asked(t, b) for asked in makers)

        return dict(self.answers.ask(questions()))


class JudgedPotential(PotentialShaping):
    """``discount * progress(next_obs) - progress(obs)``: how much of the way to the goal is done, says a judge.

    The judge reads the state in words and answers `potentia.judges.Progress`, from 0 to 1. Its opinion enters as a
    difference of potentials (Ng, Harada and Russell 1999). So a judge that is wrong, even one that lies, can slow
    learning but leaves every optimal policy as it was. Each state is asked about once and its answer is kept, as the
    same draw must be used when a state is entered and when it is left. An answer that comes while the agent is in a
    state is used from the next step on: the step that leaves the state starts from the value with which it was entered.

    The judge is asked in `update` only, and `shape` never waits. So in the order collect, shape, learn, update a state
    counts from the second time on that it is seen.

    It reads the info columns ``caption`` and ``next_caption``, and ``goal`` and ``next_goal`` if no goal is said. Where
    a world gives ``potential``, 1 + potential is the truth that the judge is measured by.

    Args:
        judge: A `potentia.judges.Judge`.
        goal: What is to be done, in words. None reads the info column ``goal``.
        unknown: The value of a state that was not judged yet.
        questions: How many new states an update asks about at most.
        background: Ask on a thread, so that `update` does not wait either.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If ``questions`` is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.judges import Rules
    >>> rule = Rules(lambda question: (0.8 if "door" in question.state else 0.2,))
    >>> text = lambda *rows: np.array([rows]).T
    >>> zeros, ends = np.zeros((2, 1)), np.array([[False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=np.array([[0.5], [0.0]]),
    ...     terminated=ends, truncated=zeros > 0,
    ...     info={"caption": text("a wall", "a door"), "next_caption": text("a door", "outside")})
    >>> shaped, _ = JudgedPotential(rule, "Leave.").shape(rollout)
    >>> shaped.terms["JudgedPotential"][:, 0].round(2).tolist()  # 0.5 * 0.8 - 0.2, and 0 - 0.8 at the end
    [0.2, -0.8]
    """

    def __init__(
        self,
        judge: Judge,
        goal: str | None = None,
        *,
        unknown: float = 0.0,
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(JudgedProgress(judge, goal, unknown, questions, background), name=name)


class JudgedProgress(JudgedStates):
    """How much of the way to the goal is done in a state, says a judge."""

    def __init__(self, judge: Judge, goal: str | None, unknown: float, questions: int, background: bool) -> None:
        self.goal = goal
        reads = frozenset({"info:caption"} | ({"info:goal"} if goal is None else set()))
        super().__init__(judge, reads, "potential", unknown, questions, background)

    def asked(self, rollout: Rollout, prefix: str, reader: str) -> Asked:
        states, goal = text_column(rollout, f"{prefix}caption", reader), self.goal
        goals = text_column(rollout, f"{prefix}goal", reader) if goal is None else None
        potential = rollout.info.get(f"{prefix}potential")
        potential = None if potential is None else host_array(potential)

        def asked(t: int, b: int) -> Question:
            truth = None if potential is None else 1.0 + float(potential[t, b])
            return Progress(
                str(goals[t, b]) if goals is not None else str(goal),
                str(states[t, b]),
                truth=(truth,) if truth is not None and 0.0 <= truth <= 1.0 else None,
            )

        return asked
