"""CALM: a judge says of a single step which subgoals it reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.judges import Achieved, Ideas, Judge
from potentia.rollout import Rollout
from potentia.shaping.columns import each_step, text_column
from potentia.shaping.judged.answers import Answers, of_ideas, truth_columns
from potentia.shaping.judged.words import action_words
from potentia.shaping.shaper import Carry, Contract, Guarantee, Shaper

_EVENTS = "next_subgoals"


class CALM(Shaper):
    """``discount * reached(after) - reached(before)``: the share of the subgoals that the episode has reached so far.

    Pignatelli et al. 2024, "Assessing the zero-shot capabilities of LLMs for action evaluation in RL" (CALM), arXiv
    2409.12798. A judge reads one step, what was seen before and after it and what was done, and answers
    `potentia.judges.Achieved`: which of the subgoals did this step reach? The paper pays what it says yes to. Here that
    is the form "bonus", paid once per subgoal and episode, which can change what is optimal. The default form,
    "potential", remembers what was reached and pays the rise of its share, and takes it back where the episode ends. So
    the terms of an episode sum to 0, and a judge that is wrong can't change which policy is best. The value that the
    agent has still to give back depends on the episode's past, not on its next action.

    The judge is asked in `update` only, and `shape` never waits: a step is paid if the same step was judged before.
    Where a world gives ``subgoals``, its own events, the judge is measured by them. (The paper counts an answer that
    can't be read as "no subgoal". Here such answers are counted apart, as ``invalid``.)

    Args:
        judge: A `potentia.judges.Judge`.
        subgoals: In words, or a mapping from the words to the name of the world's event, which is by default the words
            with "_" between them. None asks the judge for them (`potentia.judges.Ideas`), once for each goal.
        goal: The whole task in words, "" to leave it out. None reads the info column ``goal``.
        form: "potential" or "bonus".
        window: 2 shows the states before and after the step, 1 the one after it alone.
        use_observation: Whether states are shown, from ``caption``.
        use_action: Whether the action is shown: one that is a text as it is, another by its name.
        message: The info column of what the world said, None to leave it out.
        action_names: The names of actions that are numbers. Without them such actions are left out.
        threshold: The probability from which a subgoal counts as reached.
        most: The most subgoals that the judge is asked for.
        questions: How many new steps an update asks about at most.
        background: Ask on a thread, so that `update` does not wait either.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If there are no subgoals and no goal to ask them for, nothing of a step is to be shown, or the form
            or window is another.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.judges import Rules
    >>> judge = Rules(lambda asked: [float(one in asked.after and one not in asked.before) for one in asked.subgoals])
    >>> text = lambda *rows: np.array([rows]).T
    >>> zeros, ends = np.zeros((3, 1)), np.array([[False], [False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=np.array([[0.5], [0.5], [0.0]]),
    ...     terminated=ends, truncated=zeros > 0, info={
    ...         "caption": text("a wall", "key", "nothing"), "next_caption": text("key", "nothing", "open door")})
    >>> subgoals = ["key", "open door"]
    >>> CALM(judge, subgoals).shape(rollout)[0].terms["CALM"][:, 0].tolist()  # 0.5 * 0.5, 0.5 * 0.5 - 0.5, 0 - 0.5
    [0.25, -0.25, -0.5]
    >>> CALM(judge, subgoals, form="bonus").shape(rollout)[0].terms["CALM"][:, 0].tolist()
    [1.0, 0.0, 1.0]
    """

    saved = ("answers", "ideas")

    def __init__(
        self,
        judge: Judge,
        subgoals: Sequence[str] | Mapping[str, str] | None = None,
        *,
        goal: str | None = "",
        form: Literal["potential", "bonus"] = "potential",
        window: Literal[1, 2] = 2,
        use_observation: bool = True,
        use_action: bool = True,
        message: str | None = None,
        action_names: Sequence[str] | None = None,
        threshold: float = 0.5,
        most: int = 8,
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if form not in ("potential", "bonus") or window not in (1, 2):
            raise ValueError(f'form must be "potential" or "bonus" and window 1 or 2, got {form!r} and {window!r}')
        if not subgoals and (subgoals is not None or goal == ""):
            raise ValueError("CALM needs subgoals, at least one, or a goal for which the judge can be asked for some")
        if not (use_observation or use_action or message):
            raise ValueError("nothing of a step is shown to the judge: leave it the observation, action or message")
        given = subgoals if isinstance(subgoals, Mapping) else {one: one.replace(" ", "_") for one in subgoals or ()}
        self.events, self.subgoals = tuple(given.values()), tuple(given)
        self.goal, self.form, self.threshold, self.most = goal, form, threshold, most
        self.message, self.action_names, self.use_action = message, action_names, use_action
        self._states = (("caption",) if window == 2 else ()) + ("next_caption",) if use_observation else ()
        self.answers = Answers(judge, questions, background=background)
        self.ideas = Answers(judge, questions, background=background)
        texts = {*self._states, *({f"next_{message}"} if message else ()), *({"goal"} if goal is None else ())}
        reads = {f"info:{column}" for column in texts} | {"terminated", "truncated"}
        reads |= ({"action"} if use_action else set()) | ({"discount"} if form == "potential" else set())
        truth, measures = truth_columns(judge, _EVENTS)
        guarantee: Guarantee = "policy_invariant" if form == "potential" else "unconstrained"
        self.contract: Contract = Contract(
            guarantee=guarantee,
            basis="history",
            reads=frozenset(reads) | truth,
            measures=measures,
            scope="lifelong",
        )

    def init(self, num_envs: int) -> Carry:
        """Which subgoals each environment has reached in its episode, ``(B, K)``, and what share: none."""
        places = len(self.subgoals) or self.most
        return {"reached": np.zeros((num_envs, places), bool), "share": np.zeros(num_envs)}

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        carry = carry or self.init(rollout.num_envs)
        reached, share = (np.array(host_array(carry[name])) for name in ("reached", "share"))
        said = each_step(rollout, self._said(rollout), reached.shape[1] + 1)
        hits, number = said[..., :-1] > 0, np.maximum(said[..., -1], 1.0)
        mask, done = host_array(rollout.mask), host_array(rollout.done)
        before, after, new = (np.zeros(mask.shape) for _ in range(3))
        for t in range(rollout.num_steps):
            before[t], new[t] = share, (hits[t] & ~reached).sum(1)
            reached = reached | hits[t]
            share = np.where(mask[t], np.minimum(reached.sum(1) / number[t], 1.0), share)
            after[t] = share
            ends = mask[t] & done[t]
            reached[ends], share = False, np.where(ends, 0.0, share)
        # What was reached is taken back at every end, not only at those where the learner sees no next value.
        rise = np.where(done, 0.0, host_array(rollout.discount) * after) - before
        term = like_column(new if self.form == "bonus" else rise, rollout.discount)
        return rollout.add(self.name, term), {"reached": reached, "share": share}

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks for subgoals of new goals, and about steps that are not known. Returns what `Answers.ask` returns."""
        del policy
        steps = np.argwhere(host_array(rollout.mask)).tolist()
        goals = self._goals(rollout)
        metrics: dict[str, Any] = {}
        if not self.subgoals:
            metrics = of_ideas(self.ideas.ask(Ideas("subgoals", goals(t, b), most=self.most) for t, b in steps))
        asked = self._asked(rollout)
        questions = (asked(t, b) for t, b in steps)
        return metrics | self.answers.ask(question for question in questions if question is not None)

    def _said(self, rollout: Rollout) -> Callable[[int, int], list[float]]:
        """Which subgoals a step reached, as far as is known, and last how many there are."""
        asked, places = self._asked(rollout), len(self.subgoals) or self.most

        def said(t: int, b: int) -> list[float]:
            question = asked(t, b)
            values = () if question is None else self.answers.get(question) or ()
            hits = [float(value >= self.threshold) for value in values]
            return [*hits, *[0.0] * (places - len(hits)), float(question.size if question else 0)]

        return said

    def _asked(self, rollout: Rollout) -> Callable[[int, int], Achieved | None]:
        """The question about a step, None if there are no subgoals yet."""
        states = [text_column(rollout, column, self.name) for column in self._states]
        messages = text_column(rollout, f"next_{self.message}", self.name) if self.message else None
        acts = action_words(rollout.action, self.action_names) if self.use_action else None
        goals, truth = self._goals(rollout), self._truth(rollout)

        def asked(t: int, b: int) -> Achieved | None:
            goal = goals(t, b)
            subgoals = self.subgoals or (self.ideas.get(Ideas("subgoals", goal, most=self.most)) or ())[: self.most]
            if not subgoals:
                return None
            seen = [str(texts[t, b]) for texts in states]
            return Achieved(
                subgoals=tuple(subgoals),
                before=seen[0] if len(seen) == 2 else "",
                action=acts(t, b) if acts else "",
                after=seen[-1] if seen else "",
                message=str(messages[t, b]) if messages is not None else "",
                goal=goal,
                truth=truth(t, b),
            )

        return asked

    def _goals(self, rollout: Rollout) -> Callable[[int, int], str]:
        if self.goal is not None:
            goal = self.goal
            return lambda t, b: goal
        goals = text_column(rollout, "goal", self.name)
        return lambda t, b: str(goals[t, b])

    def _truth(self, rollout: Rollout) -> Callable[[int, int], tuple[float, ...] | None]:
        """Which of the world's events happened, if it has one for each subgoal."""
        events = rollout.info.get(_EVENTS)
        if not self.subgoals or not isinstance(events, Mapping) or not set(self.events) <= events.keys():
            return lambda t, b: None
        columns = [host_array(events[event]) for event in self.events]
        return lambda t, b: tuple(float(column[t, b]) for column in columns)

    def questions(self, rollout: Rollout) -> Iterator[Achieved]:
        """What it asks about the unmasked steps of a rollout, in order."""
        asked = self._asked(rollout)
        for t, b in np.argwhere(host_array(rollout.mask)).tolist():
            if (question := asked(t, b)) is not None:
                yield question
