"""A reward for progress: the rise of a potential, without a discount."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from potentia.rollout import Array, Rollout
from potentia.shaping.potentials.sources import Potential, Table, both_columns, potential_of
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree


class Progress(Shaper):
    """``potential(next_obs) - potential(obs)``: what many worlds pay for every step towards the goal.

    Over an episode it sums to potential(last) - potential(first), so going in circles earns nothing. An end counts
    with its own potential. For a discount of 1 it is `PotentialShaping` (Ng, Harada and Russell 1999). For a learner
    whose discount is less it is not: it lacks (1 - discount) * -potential(next_obs), which pays whoever stays where
    the potential is low as much as it pays for progress, or more. Values that see the potential subtract that again.
    Values that can't see it take it for noise. So there is no guarantee: what is gained soon counts for more, and the
    optimum can change.

    Args:
        potential: As for `PotentialShaping`: a function, a table, the name of an info column, or a
            `potentia.shaping.Potential`.
        name: The term's name.

    Raises:
        TypeError: If ``potential`` is none of these.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1], [2]]), action=np.zeros((3, 1)), next_obs=np.array([[1], [2], [3]]),
    ...     terms={"env": np.zeros((3, 1))}, discount=np.array([[0.5], [0.5], [0.0]]),
    ...     terminated=np.array([[False], [False], [True]]), truncated=np.zeros((3, 1), bool))
    >>> Progress([1.0, 2.0, 4.0, 8.0]).shape(rollout)[0].terms["Progress"][:, 0].tolist()
    [1.0, 2.0, 4.0]
    """

    saved = ("potential",)

    def __init__(
        self, potential: Potential | Callable[[Tree], Array] | str | Table, *, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.potential = potential_of(potential)
        self.contract: Contract = Contract(
            reads=both_columns(self.potential.reads),
            measures=both_columns(self.potential.measures),
            scope="lifelong" if self.potential.changes else "step",
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        before, after = (self.potential.values(rollout, prefix, self.name) for prefix in ("", "next_"))
        return rollout.add(self.name, after - before), carry

    @property
    def learns(self) -> bool:
        return self.potential.learns

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        del policy
        return self.potential.update(rollout)
