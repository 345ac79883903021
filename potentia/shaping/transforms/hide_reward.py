"""The reward so far, hidden from the learner: what is left is what is added after it."""

from __future__ import annotations

from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper


class HideReward(Shaper):
    """``-reward``: the learner sees nothing of the reward so far, and the log keeps it.

    Put it first where a reward is to be replaced, as imitation does: ``Chain(HideReward(), Discriminator(...))``. The
    true return is still that of the term ``"env"``.

    Args:
        name: The term's name.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.array([[5.0], [-0.5]])}, discount=np.ones((2, 1)),
    ...     terminated=np.zeros((2, 1), bool), truncated=np.zeros((2, 1), bool))
    >>> shaped, _ = HideReward().shape(rollout)
    >>> shaped.reward[:, 0].tolist(), shaped.terms["env"][:, 0].tolist()
    ([0.0, 0.0], [5.0, -0.5])
    """

    contract = Contract(reads=frozenset({"reward"}), rescales=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, -rollout.reward), carry
