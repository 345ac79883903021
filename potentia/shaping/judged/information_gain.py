"""What was found out of what is sought, as a potential."""

from __future__ import annotations

from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential


class InformationGain(PotentialShaping):
    """``H(obs) - discount * H(next_obs)``: H is the entropy of what the agent seeks, as the world knows it.

    Agents that ask are paid ``H(obs) - H(next_obs)`` for each question by Nous: the information that the answer gave.
    At a discount of 1 that is a difference of the potential -H, and along an episode that goes on it telescopes to
    H(first) - H(last). Here the discount is the learner's and the potential of an end counts as 0 (Ng, Harada and
    Russell 1999). So what is optimal stays optimal at any discount, and nobody is paid for asking more than is of use.

    Args:
        column: The info column of the entropy, in nats or in any other unit.
        name: The term's name.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, entropy = np.zeros((3, 1)), np.log(np.array([[8.0], [4.0], [1.0], [1.0]]))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 1.0,
    ...     terminated=zeros > 0, truncated=np.array([[False], [False], [True]]),
    ...     info={"entropy": entropy[:-1], "next_entropy": entropy[1:]})
    >>> term = InformationGain().shape(rollout)[0].terms["InformationGain"]
    >>> (term[:, 0] / np.log(2)).round(3).tolist()  # one bit, two bits, nothing: 3 = log2(8) - log2(1)
    [1.0, 2.0, 0.0]
    """

    def __init__(self, column: str = "entropy", *, name: str | None = None) -> None:
        super().__init__(Knowledge(column), name=name)


class Knowledge(Potential):
    """``-info[column]``: what is known, where the column says what is not."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.reads = frozenset({f"info:{column}"})

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        return -as_column("the entropy", info_column(rollout, f"{prefix}{self.column}", reader), rollout)
