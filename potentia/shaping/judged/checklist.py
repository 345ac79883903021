"""A checklist of subgoals: how much of it is done, as a potential or as a score of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from potentia.arrays import array_namespace, host_array, like_column
from potentia.judges import Holds, Judge, Question
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column, text_column
from potentia.shaping.judged.judged_potential import Asked, JudgedStates
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential
from potentia.shaping.shaper import Carry, Contract, Shaper

_COLUMN, _PAGE = "checklist", "caption"


class Checklist(PotentialShaping):
    """``discount * done(next_obs) - done(obs)``: done is the mean state of the items of a checklist.

    Chae et al. 2025 (Web-Shepherd), arXiv 2505.15277. An item's state lies in [0, 1]: there it is P(done) + P(in
    progress) / 2, here what a judge answers to `potentia.judges.Holds`. Web-Shepherd pays the score itself
    (`ChecklistScore`), which suits a search for the best next step. The difference telescopes and leaves every optimal
    policy as it was.

    The states come from the info columns ``checklist`` and ``next_checklist``: floats in [0, 1], ``(T, B)`` or ``(T, B,
    I)``. So the environment's ``info["checklist"]`` must be a number or a vector ``(I,)``, in an order that stays, at
    each reset and step. A dict of items does not fit into a rollout. Items that are -1 do not exist, so that tasks with
    fewer items than others can be filled up.

    Or they come from a judge of ``caption`` and ``next_caption``, pages as text. It is asked in `update` only, once for
    each page. `shape` looks answers up and never waits. A page that has not been judged counts as nothing done. When
    the judgement arrives, the step that leaves the page still starts from the value with which it was entered, so the
    differences telescope even so. But a page seen only once pays nothing: where pages hardly ever recur, call
    ``update(rollout)`` before ``shape(rollout)``. The metric ``known`` says what share of the pages had been judged.
    Where a world gives the column ``checklist`` too, the judge is measured by it.

    Args:
        items: The subgoals in words, for the judge. None reads the info column.
        judge: A `potentia.judges.Judge`. Needed if and only if there are items.
        goal: What the items are for, in words, for the judge.
        questions: How many new pages an update asks about at most.
        background: Ask on a thread, so that `update` does not wait either.
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
        judge: Judge | None = None,
        *,
        goal: str = "",
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(_state_of(items, judge, goal, questions, background), name=name)


class ChecklistScore(Shaper):
    """``done(next_obs)``: the mean state of the items of a checklist, paid at each step.

    Chae et al. 2025 (Web-Shepherd), arXiv 2505.15277. It pays whoever stays where much is done. For a learner take
    `Checklist`, the difference.

    Args:
        items: As for `Checklist`.
        judge: As for `Checklist`.
        goal: As for `Checklist`.
        questions: As for `Checklist`.
        background: As for `Checklist`.
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
        judge: Judge | None = None,
        *,
        goal: str = "",
        questions: int = 256,
        background: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.state = _state_of(items, judge, goal, questions, background)
        self.contract: Contract = Contract(
            reads=_arrived(self.state.reads),
            measures=_arrived(self.state.measures),
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


class JudgedState(JudgedStates):
    """The mean state of a checklist by a judge of pages, 0 for a page that has not been judged yet."""

    def __init__(self, items: Sequence[str], judge: Judge, goal: str, questions: int, background: bool) -> None:
        self.items, self.goal = tuple(items), goal
        super().__init__(judge, frozenset({f"info:{_PAGE}"}), _COLUMN, 0.0, questions, background)

    def asked(self, rollout: Rollout, prefix: str, reader: str) -> Asked:
        pages, items = text_column(rollout, f"{prefix}{_PAGE}", reader), self.items
        states = rollout.info.get(f"{prefix}{_COLUMN}")
        states = None if states is None else host_array(states).reshape(*rollout.discount.shape, -1)

        def asked(t: int, b: int) -> Question:
            return Holds(items, str(pages[t, b]), self.goal, truth=None if states is None else _truth(states[t, b]))

        def _truth(row: np.ndarray[Any, Any]) -> tuple[float, ...] | None:
            known = tuple(row[: len(items)].astype(float).tolist())
            return known if len(known) == len(items) and all(0.0 <= state <= 1.0 for state in known) else None

        return asked


def _arrived(reads: frozenset[str]) -> frozenset[str]:
    return frozenset(name.replace("info:", "info:next_") for name in reads)


def _state_of(
    items: Sequence[str] | None, judge: Judge | None, goal: str, questions: int, background: bool
) -> ToldState | JudgedState:
    if items is None and judge is None:
        return ToldState()
    if not items or judge is None:
        raise ValueError("a checklist needs both items, at least one, and a judge of them; or neither, to read info")
    return JudgedState(items, judge, goal, questions, background)


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
