"""Potential-based shaping of states (Ng, Harada and Russell 1999)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.potentials.arrival import as_of_arrival, no_arrivals
from potentia.shaping.potentials.sources import Potential, Table, both_columns, potential_of
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree


class PotentialShaping(Shaper):
    """``discount * potential(next_obs) - potential(obs)``: leaves every optimal policy as it was.

    Ng, Harada and Russell 1999, "Policy invariance under reward transformations", theorem 1. For episodes that end:
    Grzes 2017, "Reward shaping in episodic reinforcement learning". The discount is read from the rollout. So the term
    is right at termination, where the potential of the end counts as 0. It is right at truncation, where the potential
    counts if the learner uses the next value there. And it is right under any schedule of the discount.

    Along an episode the terms telescope: their discounted sum is (product of discounts) * potential(last) -
    potential(first), which no action can change but through where it ends. If `update` changes the potential, a state
    that is left counts with the value that it had when it was entered (Devlin and Kudenko 2012), so that the terms
    telescope all the same.

    Args:
        potential: One of four. A function from observations ``(T, B, ...)`` to potentials ``(T, B)``. A table with one
            entry per state, indexed by integer observations. The name of an info column, such as ``"potential"``, a
            world's own oracle. A `potentia.shaping.Potential`.
        shift: What is added to it. It changes no optimum, but (1 - discount) * -shift is paid at each step and -shift
            at an end. Values that start at 0 stand for the true ones less the potential. So a positive shift is
            optimistic: what was not tried looks better than it is. A negative one is pessimistic (Mueller and Kudenko
            2025, arXiv 2502.01307). The page "Choosing a potential" of the documentation measures both.
        name: The term's name.

    Raises:
        TypeError: If ``potential`` is none of these.

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

    saved = ("potential",)

    def __init__(
        self,
        potential: Potential | Callable[[Tree], Array] | str | Table,
        *,
        shift: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.potential, self.shift = potential_of(potential), float(shift)
        reads = both_columns(self.potential.reads) | {"discount"}
        if self.potential.changes:
            reads |= {"terminated", "truncated"}
        self.contract: Contract = Contract(
            guarantee="policy_invariant",
            reads=reads,
            measures=both_columns(self.potential.measures),
            scope="lifelong" if self.potential.changes else "step",
        )

    def init(self, num_envs: int) -> Carry:
        """If the potential changes, its value as of arrival for each environment, ``(B,)``: NaN at the start."""
        return no_arrivals(num_envs) if self.potential.changes else ()

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        before, after = (self.potential.values(rollout, prefix, self.name) for prefix in ("", "next_"))
        if self.potential.changes:
            before, carry = as_of_arrival(before, after, rollout, carry)
        if self.shift:
            before, after = before + self.shift, after + self.shift
        discount = rollout.discount
        # Where the discount is 0 the next state is an end: whatever the potential says of it, even NaN, is not asked.
        ahead = array_namespace(discount).where(discount == 0, 0.0, discount * after)
        return rollout.add(self.name, ahead - before), carry

    @property
    def learns(self) -> bool:
        return self.potential.learns

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        del policy
        return self.potential.update(rollout)
