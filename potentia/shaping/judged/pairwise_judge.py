"""A pairwise process reward: a judge says which of two actions is the better step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.judges import Judge, Prefers
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import each_step, text_column
from potentia.shaping.judged.answers import Answers
from potentia.shaping.judged.process_reward import ProcessReward
from potentia.shaping.shaper import Contract

Alternatives = Callable[[str, str, str], Sequence[str]]
"""From (goal, page, action taken) to other actions that could have been taken. It must be pure and fast."""

_TEXTS = ("goal", "caption", "next_response")


class PairwiseJudge(ProcessReward):
    """``mean over alternatives of verdict(action taken, alternative)``, each verdict in [-1, 1].

    Zhang et al. 2026 (WebArbiter), arXiv 2601.21872: rather than give an action a number, a judge compares two, here
    the one taken with others that were rejected: +1 if it was the better step towards the goal, -1 if it was the worse.
    The question is `potentia.judges.Prefers`.

    The judge is asked in `update` only, each question once. `shape` looks verdicts up and never waits. It pays 0 for
    what is not known yet. So in the order collect, shape, learn, update a step is paid only if an earlier
    rollout had the same goal, page, action and alternative. Where pages hardly ever recur, call ``update(rollout)``
    *before* ``shape(rollout)``: a judge does not learn, so it judges a rollout the same before and after. The metric
    ``known`` says what share of the questions had an answer before they were asked. Answers are kept for ever, in about
    150 bytes each. The term can change the optimum.

    It reads the info columns ``goal``, ``caption`` (the page as text), ``next_response`` (the action taken, which the
    environment repeats in ``info["response"]``) and, unless ``alternatives`` is a function, the column it names.

    Args:
        judge: A `potentia.judges.Judge`. Wrap it in `potentia.judges.BothOrders` if it may favour what it reads first.
        alternatives: What the action is compared with: a function, or the name of an info column of texts ``(T, B)`` or
            ``(T, B, A)``. "" and the action itself are left out. A step without any earns 0.
        questions: How many new questions an update puts at most.
        background: Ask on a thread, so that `update` does not wait either.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If ``questions`` is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.judges import Rules
    >>> class Slow(Rules):  # likes the word of the goal
    ...     quick = False
    >>> judge = Slow(lambda asked: (float(asked.goal in asked.first) - float(asked.goal in asked.second),))
    >>> zeros, text = np.zeros((2, 1)), lambda *rows: np.array([rows]).T
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.99,
    ...     terminated=zeros > 0, truncated=zeros > 0, info={
    ...         "goal": text("Buy", "Buy"), "caption": text("a page", "a page"),
    ...         "next_response": text('click("Buy")', "back()"),
    ...         "alternative": np.array([[["back()", "noop()"]], [['click("Buy")', "noop()"]]])})
    >>> shaper = PairwiseJudge(judge)
    >>> shaper.shape(rollout)[0].terms["PairwiseJudge"][:, 0].tolist()  # nobody was asked yet
    [0.0, 0.0]
    >>> shaper.update(rollout)["asked"]  # none of which was known
    4.0
    >>> shaper.shape(rollout)[0].terms["PairwiseJudge"][:, 0].tolist()  # (1 + 1) / 2, and (-1 + 0) / 2
    [1.0, -0.5]
    """

    saved = ("verdicts",)

    def __init__(
        self,
        judge: Judge,
        alternatives: Alternatives | str = "alternative",
        *,
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._alternatives = alternatives
        self.verdicts = Answers(judge, questions, background=background)
        self.maxima = {"verdict": 1.0}
        columns = [*_TEXTS, alternatives] if isinstance(alternatives, str) else _TEXTS
        self.contract: Contract = Contract(reads=frozenset(f"info:{column}" for column in columns), scope="lifelong")

    def parts(self, rollout: Rollout) -> dict[str, Array]:
        """The one part, ``verdict``, from what is known so far.

        Raises:
            ValueError: If a column is missing.
            TypeError: If a column does not hold text.
        """
        asked = self._questions(rollout)

        def verdict(t: int, b: int) -> tuple[float]:
            known = [self.verdicts.get(question) or (0.0,) for question in asked(t, b)]
            return (sum(verdict for (verdict,) in known) / len(known) if known else 0.0,)

        return {"verdict": like_column(each_step(rollout, verdict, 1), rollout.discount)}

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks the judge what is not known yet. Returns what `potentia.shaping.judged.answers.Answers.ask` returns.

        Raises:
            ValueError: If a verdict lies outside [-1, 1].
        """
        del policy
        asked = self._questions(rollout)
        steps = np.argwhere(host_array(rollout.mask)).tolist()
        return self.verdicts.ask(question for t, b in steps for question in asked(t, b))

    def _questions(self, rollout: Rollout) -> Callable[[int, int], Iterator[Prefers]]:
        goals, pages, actions = (text_column(rollout, column, self.name) for column in _TEXTS)
        others = self._alternatives
        column = text_column(rollout, others, self.name) if isinstance(others, str) else None

        def asked(t: int, b: int) -> Iterator[Prefers]:
            goal, page, action = str(goals[t, b]), str(pages[t, b]), str(actions[t, b])
            if column is not None:
                rejected = [str(text) for text in np.ravel(column[t, b])]
            else:
                assert callable(others)
                rejected = list(others(goal, page, action))
            for other in dict.fromkeys(rejected):
                if other not in ("", action):
                    yield Prefers(goal, action, other, page)

        return asked
