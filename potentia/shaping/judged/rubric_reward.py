"""Rewards for meeting criteria in words: rubrics that a judge weighs, and rules that hold or don't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.judges import Holds, Ideas, Judge, RuleSet
from potentia.rollout import Rollout
from potentia.shaping.columns import text_column
from potentia.shaping.judged.answers import Answers, of_ideas
from potentia.shaping.shaper import Carry, Contract, Shaper

When = Literal["step", "end"]
"""Whether each step is judged by itself, or an episode as a whole where it ends."""


class RubricReward(Shaper):
    """``mean over criteria of P(the text meets it)``, of each step's text or of a whole episode's.

    Liu et al. 2025, "OpenRubrics", arXiv 2510.07743: a reward from criteria in words, that are given or written by a
    model, which is the share of them that a judge finds satisfied. The question is `potentia.judges.Holds`. It is a
    bonus of its own and can change what is optimal. A difference of potentials of the same states is `Checklist`.

    The judge is asked in `update` only, and `shape` pays 0 for a text that was not judged yet.

    Args:
        judge: A `potentia.judges.Judge`.
        criteria: In words. None asks the judge for them once (`potentia.judges.Ideas`).
        goal: What the text is for, in words.
        when: "step" judges each step's text. "end" judges all texts of an episode, a line each, and pays where it ends.
            That needs whole episodes.
        text: The info column of the text.
        most: The most criteria that the judge is asked for.
        questions: How many new texts an update asks about at most.
        background: Ask on a thread, so that `update` does not wait either.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If there are neither criteria nor a goal to ask them for, or ``when`` is another word.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.judges import Rules
    >>> polite = Rules(lambda asked: [float(criterion in asked.text) for criterion in asked.criteria])
    >>> zeros = np.zeros((2, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=zeros > 0,
    ...     truncated=np.array([[False], [True]]), info={"next_caption": np.array([["Hello!"], ["Thanks, bye."]])})
    >>> RubricReward(polite, ["Hello", "bye", "sorry", "Thanks"]).shape(rollout)[0].terms["RubricReward"][:, 0].tolist()
    [0.25, 0.5]
    >>> end = RubricReward(polite, ["Hello", "bye", "sorry", "Thanks"], when="end")
    >>> end.shape(rollout)[0].terms["RubricReward"][:, 0].tolist()
    [0.0, 0.75]
    """

    saved = ("answers", "ideas")

    def __init__(
        self,
        judge: Judge,
        criteria: Sequence[str] | None = None,
        *,
        goal: str = "",
        when: When = "step",
        text: str = "caption",
        most: int = 8,
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if not criteria and (criteria is not None or not goal):
            raise ValueError(f"{self.name} needs criteria, at least one, or a goal for which the judge can be asked")
        self.criteria, self.goal, self.when, self.text = tuple(criteria or ()), goal, _checked(when), text
        self._idea = Ideas("criteria", goal, most=most)
        self.answers = Answers(judge, questions, background=background)
        self.ideas = Answers(judge, questions, background=background)
        self.contract: Contract = _contract(when, text)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.zeros(tuple(rollout.discount.shape))
        for t, b, question in self._asked(rollout):
            if (values := self.answers.get(question)) is not None:
                term[t, b] = sum(values) / len(values)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks for criteria if there are none, and about new texts. Returns what `Answers.ask` returns."""
        del policy
        metrics: dict[str, Any] = {}
        if not self.criteria and bool(rollout.mask.any()):
            metrics = of_ideas(self.ideas.ask([self._idea]))
        return metrics | self.answers.ask(question for _, _, question in self._asked(rollout))

    def _asked(self, rollout: Rollout) -> Iterator[tuple[int, int, Holds]]:
        criteria = self.criteria or tuple(self.ideas.get(self._idea) or ())
        for t, b, text in _texts(rollout, self.text, self.when, self.name) if criteria else ():
            yield t, b, Holds(criteria, text, self.goal)


class RuleReward(Shaper):
    """``number of rules that hold / number of rules``, of each step's text or of a whole episode's.

    Wang and Xiong 2025, "AutoRule: reasoning chain-of-thought extracted rule-based rewards improve preference
    learning", arXiv 2506.15651: a rule holds or it doesn't, so that a reward is less easily hacked than by a number
    between. Rules in words are judged (`potentia.judges.Holds`) and hold from 1/2 on. Rules that are functions of the
    text are called. It is a bonus of its own and can change what is optimal.

    Args:
        rules: In words, or functions from a text to whether they hold, by name. Or a `potentia.judges.RuleSet`, such as
            one that was fitted to preferences.
        judge: A `potentia.judges.Judge` of rules in words.
        goal: What the text is for, in words.
        when: As for `RubricReward`.
        text: The info column of the text.
        questions: How many new texts an update asks about at most.
        background: As for `RubricReward`.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If there are no rules, or rules in words without a judge, or others with one.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros = np.zeros((2, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=zeros > 0,
    ...     truncated=zeros > 0, info={"next_caption": np.array([["Hello!"], ["Thanks, bye."]])})
    >>> rules = {"short": lambda text: len(text) < 10, "ends": lambda text: text[-1:] in ".!?"}
    >>> RuleReward(rules).shape(rollout)[0].terms["RuleReward"][:, 0].tolist()
    [1.0, 0.5]
    """

    saved = ("answers",)

    def __init__(
        self,
        rules: Sequence[str] | Mapping[str, Callable[[str], bool]] | RuleSet,
        judge: Judge | None = None,
        *,
        goal: str = "",
        when: When = "step",
        text: str = "caption",
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        given = not isinstance(rules, Mapping | RuleSet)
        if not rules or given != (judge is not None):
            raise ValueError("RuleReward needs rules: in words, with a judge, or functions or a RuleSet, without one")
        if isinstance(rules, Mapping | RuleSet):
            judge = rules if isinstance(rules, RuleSet) else RuleSet(rules)
        assert judge is not None
        self.rules = rules.rules if isinstance(rules, RuleSet) else tuple(rules)
        self.goal, self.when, self.text = goal, _checked(when), text
        self.contract: Contract = _contract(when, text)
        self.answers = Answers(judge, questions, background=background)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.zeros(tuple(rollout.discount.shape))
        for t, b, question in self._asked(rollout):
            hold = [value >= 0.5 for value in self.answers.get(question) or ()]
            term[t, b] = sum(hold) / len(self.rules)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks about new texts, if rules are in words. Returns what `Answers.ask` returns."""
        del policy
        return dict(self.answers.ask(question for _, _, question in self._asked(rollout)))

    def _asked(self, rollout: Rollout) -> Iterator[tuple[int, int, Holds]]:
        for t, b, text in _texts(rollout, self.text, self.when, self.name):
            yield t, b, Holds(self.rules, text, self.goal)


def _checked(when: When) -> When:
    if when not in ("step", "end"):
        raise ValueError(f'when must be "step" or "end", got {when!r}')
    return when


def _contract(when: When, text: str) -> Contract:
    ends = frozenset({"terminated", "truncated"} if when == "end" else ())
    return Contract(reads=frozenset({f"info:next_{text}"}) | ends, scope="lifelong", needs_episodes=bool(ends))


def _texts(rollout: Rollout, column: str, when: When, reader: str) -> Iterator[tuple[int, int, str]]:
    """The texts to be judged, each with the step at which that is paid."""
    texts = text_column(rollout, f"next_{column}", reader)
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    if when == "step":
        for t, b in np.argwhere(mask).tolist():
            yield t, b, str(texts[t, b])
        return
    for b in range(rollout.num_envs):
        lines: list[str] = []
        for t in np.flatnonzero(mask[:, b]).tolist():
            lines.append(str(texts[t, b]))
            if done[t, b]:
                yield t, b, "\n".join(lines)
                lines = []
