"""ELLM: what the agent did is compared with goals that make sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.judges import Answer, Embeddings, Holds, Ideas, Judge, Question
from potentia.rollout import Rollout
from potentia.shaping.columns import text_column
from potentia.shaping.judged.answers import Answers, of_ideas
from potentia.shaping.shaper import Carry, Contract, Shaper

Embed = Callable[[Sequence[str]], Any]
"""From texts to vectors ``(N, D)``."""


class ELLM(Shaper):
    """``max over goals g not yet paid in the episode of cos(e(next caption), e(g))`` where that is above a threshold.

    Du et al. 2023, "Guiding pretraining in reinforcement learning with large language models" (ELLM), arXiv 2302.06692.
    A language model suggests goals that make sense, and the agent is paid for what it does by how alike the sentence
    vectors e of its caption and of a goal are. Each goal is paid once in an episode. This is a bonus of its own: it is
    new in every episode and can change what is optimal.

    Sentence vectors and goals are computed in `update` only. `shape` looks them up, never waits, and pays 0 for a
    caption that was not compared yet.

    Args:
        goals: In words. Or a `potentia.judges.Judge`, which is asked for some in each state that is met
            (`potentia.judges.Ideas`).
        embed: `potentia.judges.Embeddings`, or a function from texts to vectors ``(N, D)``. None is the sentence model
            of the extra ``embeddings``.
        threshold: The cosine above which a goal counts as reached.
        goal: The whole task in words, for a judge that is asked for goals.
        most: The most goals that it is asked for.
        questions: How many new captions an update compares at most.
        name: The term's name.

    Raises:
        ValueError: If there are no goals.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from gymnasium.spaces import Box
    >>> vectors = {"eat": [1.0, 0.0], "You eat.": [0.8, 0.6], "You sleep.": [0.0, 1.0]}
    >>> embed = lambda texts: np.array([vectors[text] for text in texts])
    >>> zeros = np.zeros((3, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.9,
    ...     terminated=zeros > 0, truncated=zeros > 0,
    ...     info={"next_caption": np.array([["You sleep."], ["You eat."], ["You eat."]])})
    >>> ellm = ELLM(["eat"], embed)
    >>> ellm.update(rollout)["asked"]
    2.0
    >>> ellm.shape(rollout)[0].terms["ELLM"][:, 0].tolist()  # 0 is not above 1/2, and a goal is paid once
    [0.0, 0.8, 0.0]
    """

    saved = ("similar", "ideas")

    def __init__(
        self,
        goals: Sequence[str] | Judge,
        embed: Embeddings | Embed | None = None,
        *,
        threshold: float = 0.5,
        goal: str = "",
        most: int = 8,
        questions: int = 256,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        asks = isinstance(goals, Judge)
        self.goals = () if isinstance(goals, Judge) else tuple(goals)
        if not asks and not self.goals:
            raise ValueError("ELLM needs goals, at least one, or a judge that is asked for some")
        self.goal, self.threshold, self.most = goal, threshold, most
        self.similar = Answers(Similarity(embed), questions)
        self.ideas = Answers(goals if isinstance(goals, Judge) else self.similar.judge, questions)
        reads = {"info:next_caption", "terminated", "truncated"} | ({"info:caption"} if asks else set())
        self.contract: Contract = Contract(reads=frozenset(reads), scope="lifelong")

    def init(self, num_envs: int) -> Carry:
        """The goals that each environment has been paid for in its episode: none."""
        return [() for _ in range(num_envs)]

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        paid = self.init(rollout.num_envs) if isinstance(carry, tuple) else list(carry)
        asked, term = self._asked(rollout), np.zeros(tuple(rollout.discount.shape))
        done = host_array(rollout.done)
        for t, b in np.argwhere(host_array(rollout.mask)).tolist():
            question = asked(t, b)
            cosines = None if question is None else self.similar.get(question)
            if question is not None and cosines is not None:
                pairs = zip(question.criteria, cosines, strict=True)
                best = max(((cosine, goal) for goal, cosine in pairs if goal not in paid[b]), default=(0.0, ""))
                if best[0] > self.threshold:
                    term[t, b], paid[b] = best[0], (*paid[b], best[1])
            if done[t, b]:
                paid[b] = ()
        return rollout.add(self.name, like_column(term, rollout.discount)), paid

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks for goals in new states, and compares new captions. Returns what `Answers.ask` returns."""
        del policy
        steps = np.argwhere(host_array(rollout.mask)).tolist()
        metrics: dict[str, Any] = {}
        if not self.goals:
            states = text_column(rollout, "caption", self.name)
            metrics = of_ideas(self.ideas.ask(self._idea(str(states[t, b])) for t, b in steps))
        asked = self._asked(rollout)
        questions = (asked(t, b) for t, b in steps)
        return metrics | self.similar.ask(question for question in questions if question is not None)

    def _idea(self, state: str) -> Ideas:
        return Ideas("subgoals", self.goal, (state,), self.most)

    def _asked(self, rollout: Rollout) -> Callable[[int, int], Holds | None]:
        """The goals of a step, and the caption that they are compared with. None if there are no goals yet."""
        after = text_column(rollout, "next_caption", self.name)
        before = None if self.goals else text_column(rollout, "caption", self.name)

        def asked(t: int, b: int) -> Holds | None:
            goals = self.goals if before is None else self.ideas.get(self._idea(str(before[t, b]))) or ()
            return Holds(tuple(goals), str(after[t, b])) if goals else None

        return asked


class Similarity(Judge):
    """Answers `potentia.judges.Holds` by the cosine of the vectors of criterion and text, 0 if that is negative.

    Args:
        embed: As for `ELLM`.
    """

    name = "similarity"

    def __init__(self, embed: Embeddings | Embed | None = None) -> None:
        self._source = Embeddings() if embed is None else embed

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The cosines.

        Raises:
            TypeError: If another kind of question is asked.
            ImportError: If the extra ``embeddings`` is needed and not installed.
        """
        asked: list[Holds] = []
        for question in questions:
            if not isinstance(question, Holds):
                raise TypeError(f"similarity answers Holds, got {type(question).__name__}")
            asked.append(question)
        texts = list(dict.fromkeys(text for one in asked for text in (*one.criteria, one.text)))
        embed = self._source.embed if isinstance(self._source, Embeddings) else self._source
        vectors = np.asarray(embed(texts), np.float64) if texts else np.zeros((0, 1))
        lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        unit = dict(zip(texts, vectors / lengths, strict=True))
        return [
            Answer(tuple(float(np.clip(unit[one.text] @ unit[goal], 0.0, 1.0)) for goal in one.criteria))
            for one in asked
        ]
