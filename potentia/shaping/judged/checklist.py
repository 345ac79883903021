"""A checklist of subgoals: how much of it is done, as a potential or as a score of each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.arrays import array_namespace, host_array, like_column
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, each_step, info_column, text_column
from potentia.shaping.judged.answers import Answers
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential
from potentia.shaping.shaper import Carry, Contract, Shaper

ChecklistJudge = Callable[[Sequence[str], str], Any]
"""From the items and a page's text to probabilities ``(I, 3)``: that an item is done, in progress, or not done."""

_WEIGHTS = np.array([1.0, 0.5, 0.0])
_COLUMN, _PAGE = "checklist", "caption"


class Checklist(PotentialShaping):
    """``discount * done(next_obs) - done(obs)``: done is the mean state of the items of a checklist.

    Chae et al. 2025 (Web-Shepherd), arXiv 2505.15277. An item's state lies in [0, 1]. A judge's is P(done) + P(in
    progress) / 2. Web-Shepherd pays the score itself (`ChecklistScore`), which suits a search for the best next step.
    The difference telescopes and leaves every optimal policy as it was.

    The states come from the info columns ``checklist`` and ``next_checklist``: floats in [0, 1], ``(T, B)`` or ``(T, B,
    I)``. So the environment's ``info["checklist"]`` must be a number or a vector ``(I,)``, in an order that stays, at
    each reset and step. A dict of items does not fit into a rollout. Items that are -1 do not exist, so that tasks with
    fewer items than others can be filled up.

    Or they come from a judge of ``caption`` and ``next_caption``, pages as text. It is asked in `update` only, once for
    each page. `shape` looks answers up and never waits. A page that has not been judged counts as nothing done. When
    the judgement arrives, the step that leaves the page still starts from the value with which it was entered, so the
    differences telescope even so. But a page seen only once pays nothing: where pages hardly ever recur, call
    ``update(rollout)`` before ``shape(rollout)``. The metric ``known`` says what share of the pages had been judged.

    Args:
        items: The subgoals in words, for the judge. None reads the info column.
        judge: From the items and the text of a page to probabilities ``(I, 3)``: that an item is done, in progress, or
            not done. Needed if and only if there are items.
        questions: How many new pages an update asks about at most.
        name: The term's name.

    Raises:
        ValueError: If there are items without a judge or a judge without items, or items is empty.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> states = np.array([[[0.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.5]]])
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.full((2, 1), 0.5), terminated=np.zeros((2, 1), bool),
    ...     truncated=np.zeros((2, 1), bool), info={"checklist": states[:-1], "next_checklist": states[1:]})
    >>> Checklist().shape(rollout)[0].terms["Checklist"][:, 0].tolist()  # 0.5 * 0.5 - 0, 0.5 * 0.75 - 0.5
    [0.25, -0.125]
    """

    def __init__(
        self,
        items: Sequence[str] | None = None,
        judge: ChecklistJudge | None = None,
        *,
        questions: int = 256,
        name: str | None = None,
    ) -> None:
        super().__init__(_state_of(items, judge, questions), name=name)


class ChecklistScore(Shaper):
    """``done(next_obs)``: the mean state of the items of a checklist, paid at each step.

    Chae et al. 2025 (Web-Shepherd), arXiv 2505.15277. It pays whoever stays where much is done. For a learner take
    `Checklist`, the difference.

    Args:
        items: As for `Checklist`.
        judge: As for `Checklist`.
        questions: As for `Checklist`.
        name: The term's name.

    Raises:
        ValueError: As for `Checklist`.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.full((2, 1), 0.5), terminated=np.zeros((2, 1), bool),
    ...     truncated=np.zeros((2, 1), bool), info={"next_checklist": np.array([[[1.0, 0.0]], [[1.0, 0.5]]])})
    >>> ChecklistScore().shape(rollout)[0].terms["ChecklistScore"][:, 0].tolist()
    [0.5, 0.75]
    """

    saved = ("state",)

    def __init__(
        self,
        items: Sequence[str] | None = None,
        judge: ChecklistJudge | None = None,
        *,
        questions: int = 256,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.state = _state_of(items, judge, questions)
        self.contract: Contract = Contract(
            reads=frozenset(name.replace("info:", "info:next_") for name in self.state.reads),
            scope="lifelong" if self.state.changes else "step",
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, self.state.values(rollout, "next_", self.name)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        del policy
        return self.state.ask(rollout, ("next_",)) if isinstance(self.state, JudgedState) else {}


class ToldState(Potential):
    """The mean state of a checklist that the world itself keeps, in the info column ``checklist``."""

    reads = frozenset({f"info:{_COLUMN}"})

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        states = info_column(rollout, f"{prefix}{_COLUMN}", reader)
        done = _mean_of_items(states, rollout, f"{prefix}{_COLUMN}")
        return as_column("the mean state of a checklist", done, rollout)


class JudgedState(Potential):
    """The mean state of a checklist by a judge of pages, 0 for a page that has not been judged yet."""

    reads = frozenset({f"info:{_PAGE}"})
    changes = True
    saved = ("pages",)

    def __init__(self, items: Sequence[str], judge: ChecklistJudge, questions: int) -> None:
        self.pages = Answers(lambda page: _mean_state(judge(items, page), len(items)), 0.0, 1.0, questions)

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        pages, known = text_column(rollout, f"{prefix}{_PAGE}", reader), self.pages.get
        done = each_step(rollout, lambda t, b: (known((str(pages[t, b]),)) or 0.0,), 1)[..., 0]
        return as_column("the mean state of a checklist", done, rollout)

    def update(self, rollout: Rollout) -> dict[str, Any]:
        return self.ask(rollout, ("", "next_"))

    def ask(self, rollout: Rollout, prefixes: Sequence[str]) -> dict[str, Any]:
        """Asks the judge about the pages that it has not seen. Returns ``known`` and ``asked``.

        Raises:
            ValueError: If its probabilities are not ``(I, 3)`` or a row is no distribution.
        """
        mask = host_array(rollout.mask)
        pages = [text_column(rollout, f"{prefix}{_PAGE}", "a checklist")[mask] for prefix in prefixes]
        return dict(self.pages.ask((page,) for page in np.concatenate(pages).tolist()))


def _state_of(items: Sequence[str] | None, judge: ChecklistJudge | None, questions: int) -> ToldState | JudgedState:
    if items is None and judge is None:
        return ToldState()
    if not items or judge is None:
        raise ValueError("a checklist needs both items, at least one, and a judge of them; or neither, to read info")
    return JudgedState(items, judge, questions)


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
    """The mean over items that exist, ``(T, B)``. Masked rows may be anything."""
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
