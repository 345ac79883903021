"""Potential-based shaping of states (Ng, Harada and Russell 1999)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column, look_up
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree

Potential = Callable[[Tree], Array]
"""From observations ``(T, B, ...)`` to their potentials ``(T, B)``."""


class PotentialShaping(Shaper):
    """``discount * potential(next_obs) - potential(obs)``: leaves every optimal policy as it was.

    Ng, Harada and Russell 1999, "Policy invariance under reward transformations", theorem 1; for episodes that end,
    Grzes 2017, "Reward shaping in episodic reinforcement learning". The discount is read from the rollout, so that
    the term is right at termination (where it is 0: the potential of an end is 0), at truncation (where it is not, if
    the learner uses the next value there) and under any schedule of the discount. Along an episode the terms
    telescope: their discounted sum is (product of discounts) * potential(last) - potential(first), which no action
        can change but through where it ends.

    Args:
        potential: A function from observations ``(T, B, ...)`` to potentials ``(T, B)``; or a table, one entry per
            state, indexed by integer observations; or the name of an info column such as ``"potential"``, a world's
            own oracle.
        scale: What the potential is multiplied by.
        shift: What is then added to it. It changes no optimum, but with values that start at 0 a negative shift is
            optimistic and a positive one pessimistic: (1 - discount) * -shift is paid at each step (Mueller and
            Kudenko 2025, arXiv 2502.01307).
        name: The term's name.

    Raises:
        TypeError: If ``potential`` is none of the three.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1], [2]]), action=np.zeros((3, 1)), next_obs=np.array([[1], [2], [3]]),
    ...     terms={"env": np.array([[0.0], [0.0], [1.0]])}, discount=np.array([[0.5], [0.5], [0.0]]),
    ...     terminated=np.array([[False], [False], [True]]), truncated=np.zeros((3, 1), bool))
    >>> shaped, _ = PotentialShaping([1.0, 2.0, 4.0, 8.0], name="phi").shape(rollout)
    >>> shaped.terms["phi"][:, 0].tolist()  # 0.5 * 2 - 1, 0.5 * 4 - 2, and 0 - 4: the next state is an end
    [0.0, 0.0, -4.0]
    >>> shaped.reward[:, 0].tolist()
    [0.0, 0.0, -3.0]
    """

    def __init__(
        self, potential: Potential | Any | str, *, scale: float = 1.0, shift: float = 0.0, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.scale, self.shift = float(scale), float(shift)
        reads = {"obs", "next_obs"}
        if isinstance(potential, str):
            self._column: str | None = potential
            reads = {f"info:{potential}", f"info:next_{potential}"}
        else:
            self._column = None
            self._potential = potential if callable(potential) else _table(potential)
        self.contract: Contract = Contract(guarantee="policy_invariant", reads=frozenset(reads | {"discount"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term.

        Raises:
            ValueError: If the potential's shape is not ``(T, B)`` or the info column is missing.
        """
        before, after = self.values(rollout, ""), self.values(rollout, "next_")
        discount = rollout.discount
        xp = array_namespace(discount)
        # Where the discount is 0 the next state is an end: whatever the potential says of it, even NaN, is not asked.
        ahead = xp.where(discount == 0, 0.0, discount * after)
        return rollout.add(self.name, ahead - before), carry

    def values(self, rollout: Rollout, prefix: str) -> Array:
        """The potentials ``(T, B)``, scaled and shifted, of ``obs`` (prefix ``""``) or ``next_obs`` (``"next_"``)."""
        if self._column is None:
            values = self._potential(getattr(rollout, f"{prefix}obs"))
        else:
            values = info_column(rollout, f"{prefix}{self._column}", self.name)
        return self.scale * as_column("potential", values, rollout) + self.shift


def _table(values: Any) -> Potential:
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "potential must be a function of observations, a table with one number per state, or the name of an info "
            f"column, got {type(values).__name__}"
        ) from error
    if table.ndim != 1:
        raise TypeError(f"a potential table must have shape (states,), got {table.shape}")

    def potential(obs: Tree) -> Array:
        return look_up(table, "states", obs)

    return potential
