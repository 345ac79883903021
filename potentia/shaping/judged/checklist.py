"""A checklist of subgoals, as a potential or as a score of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from potentia.arrays import array_namespace, host_array, like_column
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, each_step, info_column, text_column
from potentia.shaping.judged.answers import Answers
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.shaper import Carry, Contract, check_keys

ChecklistJudge = Callable[[Sequence[str], str], Any]
"""From the items and a page's text to probabilities ``(I, 3)``: that an item is done, in progress, or not done."""

_WEIGHTS = np.array([1.0, 0.5, 0.0])
_COLUMN, _PAGE = "checklist", "caption"


class Checklist(PotentialShaping):
    """``discount * done(next) - done(now)``, or the score ``done(next)``: done is the mean state of its items.

    Chae et al. 2025 (Web-Shepherd), arXiv 2505.15277. An item's state lies in [0, 1]; a judge's is P(done) + P(in
    progress) / 2. Web-Shepherd pays the *score* at each step, which suits a search for the best next step; a learner
    would be paid for staying where much is done. The *difference* telescopes and leaves every optimal policy
    as it was.

    The states come from the info columns ``checklist`` and ``next_checklist``: floats in [0, 1], ``(T, B)`` or ``(T, B,
    I)``. So the environment's ``info["checklist"]`` must be a number or a vector ``(I,)``, in an order that stays, at
    each reset and step; a dict of items does not fit into a rollout. Items that are -1 do not exist, so that tasks with
    fewer items than others can be filled up.

    Or they come from a judge of ``caption`` and ``next_caption``, pages as text. It is asked in `update` only, once for
    each page; `shape` looks answers up and never waits. A page that has not been judged counts as nothing done. When
    the judgement arrives, the step that leaves the page still starts from the value with which it was entered, so the
    differences telescope even so (Devlin and Kudenko 2012); but a page seen only once pays nothing: where pages hardly
    ever recur, call ``update(rollout)`` before ``shape(rollout)``. The metric ``known`` says what share of the pages
    had been judged.

    Args:
        items: The subgoals in words, for the judge; None reads the info column.
        judge: `ChecklistJudge`; given if and only if items are.
        mode: ``"difference"`` or ``"score"``.
        scale: What done is multiplied by.
        questions: How many new pages an update asks about at most.
        name: The term's name.

    Raises:
        ValueError: If ``mode`` is neither, only one of items and judge is given, or items is empty.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> states = np.array([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.5]]])
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.full((2, 1), 0.5), terminated=np.zeros((2, 1), bool),
    ...     truncated=np.zeros((2, 1), bool), info={"checklist": states[:-1], "next_checklist": states[1:]})
    >>> Checklist().shape(rollout)[0].terms["Checklist"][:, 0].tolist()  # 0.5 * 0.5 - 0, 0.5 * 0.75 - 0.5
    [0.25, -0.125]
    >>> Checklist(mode="score").shape(rollout)[0].terms["Checklist"][:, 0].tolist()
    [0.5, 0.75]
    """

    def __init__(
        self,
        items: Sequence[str] | None = None,
        judge: ChecklistJudge | None = None,
        *,
        mode: Literal["difference", "score"] = "difference",
        scale: float = 1.0,
        questions: int = 256,
        name: str | None = None,
    ) -> None:
        super().__init__(_COLUMN, scale=scale, name=name)
        if mode not in ("difference", "score"):
            raise ValueError(f"mode must be 'difference' or 'score', got {mode!r}")
        if (items is None) != (judge is None) or (items is not None and not items):
            raise ValueError("give both items, at least one, and a judge of them; or neither, to read the info column")
        self.mode = mode
        self._answers: Answers | None = None
        if items is not None and judge is not None:
            self._answers = Answers(lambda page: _mean_state(judge(items, page), len(items)), 0.0, 1.0, questions)
        self.contract: Contract = self._contract()

    def _contract(self) -> Contract:
        column = _COLUMN if self._answers is None else _PAGE
        reads = {f"info:next_{column}"}
        if self.mode == "difference":
            reads |= {f"info:{column}", "discount"}
            if self._answers is not None:
                reads |= {"terminated", "truncated"}
        return Contract(
            guarantee="policy_invariant" if self.mode == "difference" else "unconstrained",
            reads=frozenset(reads),
            scope="step" if self._answers is None else "lifelong",
        )

    def init(self, num_envs: int) -> Carry:
        """For judged differences, what the present page was worth when it was entered; NaN at an episode's start."""
        return () if self._answers is None or self.mode == "score" else np.full(num_envs, np.nan)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term.

        Raises:
            ValueError: If a column is missing, has another shape, or holds a state outside [0, 1].
            TypeError: If a page is not text.
        """
        given = rollout
        if self._answers is not None:
            after = self._judged(rollout, "next_")
            columns = {f"next_{_COLUMN}": after}
            if self.mode == "difference":
                columns[_COLUMN], carry = self._entered(rollout, after, carry)
            given = replace(rollout, info={**rollout.info, **columns})
        if self.mode == "score":
            return rollout.add(self.name, self.values(given, "next_")), carry
        return rollout.add(self.name, super().shape(given)[0].terms[self.name]), carry

    def values(self, rollout: Rollout, prefix: str) -> Array:
        """The mean states ``(T, B)``, scaled, of ``obs`` (prefix ``""``) or ``next_obs`` (``"next_"``)."""
        states = info_column(rollout, f"{prefix}{_COLUMN}", self.name)
        done = _mean_of_items(states, rollout, f"{prefix}{_COLUMN}")
        return self.scale * as_column("the mean state of a checklist", done, rollout) + self.shift

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks the judge, if there is one, about the pages that it has not seen; returns ``known`` and ``asked``.

        Raises:
            ValueError: If its probabilities are not ``(I, 3)`` or a row is no distribution.
        """
        del policy
        if self._answers is None:
            return {}
        mask = host_array(rollout.mask)
        prefixes = ("", "next_") if self.mode == "difference" else ("next_",)
        pages = [text_column(rollout, f"{prefix}{_PAGE}", self.name)[mask] for prefix in prefixes]
        return dict(self._answers.ask((page,) for page in np.concatenate(pages).tolist()))

    def _judged(self, rollout: Rollout, prefix: str) -> np.ndarray[Any, Any]:
        assert self._answers is not None
        pages = text_column(rollout, f"{prefix}{_PAGE}", self.name)
        known = self._answers.get
        return each_step(rollout, lambda t, b: (known((str(pages[t, b]),)) or 0.0,), 1)[..., 0]

    def _entered(
        self, rollout: Rollout, after: np.ndarray[Any, Any], carry: Carry
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """What each page was worth when it was entered, ``(T, B)``, and the carry after it."""
        mask, done = host_array(rollout.mask), host_array(rollout.done)
        held = np.full(rollout.num_envs, np.nan) if isinstance(carry, tuple) else host_array(carry)
        before = self._judged(rollout, "")
        for t in range(rollout.num_steps):
            before[t] = np.where(np.isnan(held), before[t], held)
            held = np.where(mask[t], np.where(done[t], np.nan, after[t]), held)
        return before, held

    def state_dict(self) -> dict[str, Any]:
        """What the judge has said so far; nothing without one."""
        return {} if self._answers is None else {"pages": self._answers.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what the judge has said."""
        check_keys(self, state, () if self._answers is None else ("pages",))
        if self._answers is not None:
            self._answers.load_state_dict(state["pages"])


def _mean_state(probabilities: Any, items: int) -> float:
    table = np.asarray(host_array(probabilities), dtype=np.float64)
    if table.shape != (items, 3):
        raise ValueError(
            f"a checklist's judge must return probabilities of shape (I, 3) = ({items}, 3), done, in progress and not "
            f"done for each item, got {table.shape}"
        )
    if not (table >= 0).all() or not np.allclose(table.sum(1), 1.0, atol=1e-3):
        raise ValueError(f"each row of a checklist's probabilities must sum to 1, none below 0, got {table.tolist()}")
    return float(np.clip(table @ _WEIGHTS, 0.0, 1.0).mean())


def _mean_of_items(states: Array, rollout: Rollout, column: str) -> Array:
    """The mean over items that exist, ``(T, B)``; masked rows may be anything."""
    xp = array_namespace(states)
    if states.ndim not in (2, 3):
        raise ValueError(
            f"the info column {column!r} must have shape (T, B) or (T, B, I), got {tuple(states.shape)}; "
            "info['checklist'] must be a number or a vector of numbers"
        )
    if not xp.isdtype(states.dtype, "real floating"):
        states = xp.astype(states, xp.float64)
    table = states if states.ndim == 3 else states[..., None]
    exists = table != -1
    number = xp.astype(exists, table.dtype).sum(-1)
    wrong = (exists & ~((table >= 0) & (table <= 1))).any(-1) | (number == 0)
    shown = host_array(wrong) & host_array(rollout.mask)
    if shown.any():
        t, b = np.argwhere(shown)[0].tolist()
        raise ValueError(
            f"the states of a checklist must lie in [0, 1], or be -1 for items that do not exist, and one must exist; "
            f"got {host_array(table)[t, b].tolist()} in {column!r} at (t, b) = ({t}, {b})"
        )
    total = xp.where(exists, table, xp.zeros_like(table)).sum(-1)
    return like_column(total / xp.where(number == 0, xp.ones_like(number), number), rollout.discount)
