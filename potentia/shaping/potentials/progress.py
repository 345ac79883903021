"""A reward for progress: the rise of a potential, without a discount."""

from __future__ import annotations

from typing import Any

from potentia.rollout import Rollout
from potentia.shaping.potentials.potential_shaping import Potential, PotentialShaping
from potentia.shaping.shaper import Carry, Contract, Shaper


class Progress(Shaper):
    """``scale * (potential(next_obs) - potential(obs))``: what many worlds pay for every step towards the goal.

    Over an episode it sums to potential(last) - potential(first), so going in circles earns nothing; and an end counts
    with its own potential. It is `PotentialShaping` for a discount of 1 (Ng, Harada and Russell 1999). For a learner
    whose discount is less it is not: it lacks (1 - discount) * -potential(next_obs), which pays whoever stays
    where the potential is low as much as it pays for progress, or more: correct, if the values subtract it again; but
    values that can't see the potential take it for noise. So there is no guarantee: what is gained soon counts for
    more, and the optimum can change.

    Args:
        potential: As for `PotentialShaping`: a function, a table, or the name of an info column.
        scale: What it is multiplied by.
        name: The term's name.

    Raises:
        TypeError: If ``potential`` is none of the three.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1], [2]]), action=np.zeros((3, 1)), next_obs=np.array([[1], [2], [3]]),
    ...     terms={"env": np.zeros((3, 1))}, discount=np.array([[0.5], [0.5], [0.0]]),
    ...     terminated=np.array([[False], [False], [True]]), truncated=np.zeros((3, 1), bool))
    >>> Progress([1.0, 2.0, 4.0, 8.0]).shape(rollout)[0].terms["Progress"][:, 0].tolist()
    [1.0, 2.0, 4.0]
    """

    def __init__(self, potential: Potential | Any | str, *, scale: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        self._potential = PotentialShaping(potential, scale=scale, name=self.name)
        self.contract: Contract = Contract(reads=self._potential.contract.reads - {"discount"})

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term; errors are those of `PotentialShaping`."""
        rise = self._potential.values(rollout, "next_") - self._potential.values(rollout, "")
        return rollout.add(self.name, rise), carry
